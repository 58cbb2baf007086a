"""Lines of the log: one JSON object each, about one job, with nothing of the job before."""

import json

import pytest

from lambdas.handlers.logs import about, about_nobody, logger
from lambdas.jobs.model import Attempt


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_line_says_what_where_and_about_which_job(capsys: pytest.CaptureFixture[str]) -> None:
    about(Attempt(owner="o", job_id="job-1"), stage="codes")
    logger.info("It is %s", "done", extra={"objects": 3})
    (line,) = lines(capsys)
    assert (line["level"], line["message"], line["service"]) == ("INFO", "It is done", "darkroom")
    assert (line["jobId"], line["attempt"], line["stage"], line["objects"]) == ("job-1", 1, "codes", 3)


def test_line_about_nobody_has_nothing_of_the_job_before(capsys: pytest.CaptureFixture[str]) -> None:
    about(Attempt(owner="o", job_id="job-1"), stage="codes")
    about(Attempt(owner="o", job_id="job-2"))
    logger.info("one")
    about_nobody()
    logger.info("two")
    one, two = lines(capsys)
    assert (one["jobId"], "stage" in one) == ("job-2", False)
    assert not two.keys() & {"jobId", "attempt", "execution"}


def test_line_of_an_exception_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("first\nsecond")
    except ValueError:
        logger.exception("It failed")
    (line,) = lines(capsys)
    assert line["exception_name"] == "ValueError"
    assert "Traceback" in str(line["exception"])


def test_line_of_what_json_does_not_know_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    logger.warning("odd", extra={"value": {1, 2} - {2}})
    assert lines(capsys)[0]["value"] == "{1}"
