"""Metrics: what the changes of jobs, and those who deal with them, add to the counts, as lines of the log."""

import json
from collections import Counter
from typing import Any

import pytest

from lambdas.handlers import publish_events, reconcile, start_execution
from lambdas.handlers.metrics import MOST_VALUES, count, count_one
from lambdas.jobs.measures import METRICS, NAMESPACE, Measure, Name
from lambdas.jobs.model import Failure
from lambdas.stages.catalogue import STAGES
from tests.functional.conftest import Aws
from tests.functional.messages import batch, message
from tests.functional.runner import TIME, Runner, find_nothing, make_working_copy
from tests.functional.test_api import call

Capture = pytest.CaptureFixture[str]
MAX_DIMENSIONS = 30
"""That a set of them may have, by the specification of the format."""


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


@pytest.fixture
def queued(aws: Aws) -> Aws:
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message({"imageId": "image-1"})), None)
    return aws


def metric_lines(text: str) -> list[dict[str, Any]]:
    """The lines that CloudWatch would make metrics of, each held to the rules of the format."""
    lines = [line for line in map(json.loads, text.splitlines()) if "_aws" in line]
    for line in lines:
        (told,) = line["_aws"]["CloudWatchMetrics"]
        assert told["Namespace"] == NAMESPACE
        assert isinstance(line["_aws"]["Timestamp"], int)
        for metric in told["Metrics"]:
            known = METRICS[Name(metric["Name"])]
            assert metric["Unit"] == known.unit
            assert told["Dimensions"] == [list(names) for names in known.dimensions]
            assert 1 <= len(line[metric["Name"]]) <= MOST_VALUES
            assert all(isinstance(value, int | float) and value >= 0 for value in line[metric["Name"]])
        for names in told["Dimensions"]:
            assert len(names) <= MAX_DIMENSIONS
            assert all(isinstance(line[name], str) and line[name] for name in names)
    return lines


def counted(text: str) -> Counter[tuple[str, str]]:
    """Sum the values by metric and, where it has dimensions, by their values."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in metric_lines(text):
        (told,) = line["_aws"]["CloudWatchMetrics"]
        by = " ".join(line[name] for name in max(told["Dimensions"], key=len))
        for metric in told["Metrics"]:
            sums[metric["Name"], by] += sum(line[metric["Name"]])
    return sums


def told_of(aws: Aws, capsys: Capture) -> Counter[tuple[str, str]]:
    capsys.readouterr()
    publish_events.handler({"Records": aws.stream()}, None)
    return counted(capsys.readouterr().out)


def test_metrics_job_that_succeeds_is_counted_on_all_its_way(queued: Aws, stages: Runner, capsys: Capture) -> None:
    for stage in STAGES:
        stages.run(stage.name, make_working_copy if stage.name == "inspect" else find_nothing)
    sums = told_of(queued, capsys)

    for name in (Name.JOBS_ACCEPTED, Name.JOBS_STARTED):
        assert sums[name, ""] == 1
    assert sums[Name.JOBS_ENDED, "SUCCEEDED None"] == 1
    assert sums[Name.JOB_FAULTS, ""] == 0
    job = queued.job("job-1")
    assert job.cost is not None
    assert sums[Name.JOB_COST, ""] == pytest.approx(job.cost.usd)
    assert sums[Name.END_TO_END_TIME, ""] >= sums[Name.TIME_TO_FIRST_PROGRESS, ""] >= sums[Name.TIME_QUEUED, ""] > 0
    done = {name for name, record in job.stages.items() if record.finished_at}
    assert {by for name, by in sums if name == Name.STAGE_DURATION} == done
    assert not {Name.REDRIVES, Name.CANCELS, Name.DEAD_LETTERS, Name.STAGE_RETRIES} & {name for name, _ in sums}


@pytest.mark.parametrize(
    ("error_class", "shown", "faults"),
    [("InvalidImage", "InvalidImage", 0), ("States.Timeout", "States.Timeout", 1), ("Sandbox.Timedout", "Other", 1)],
)
def test_metrics_failure_is_counted_by_a_class_of_few(
    queued: Aws, capsys: Capture, error_class: str, shown: str, faults: int
) -> None:
    queued.fail("job-1", Failure(error_class=error_class, message="No.", stage="palette"))
    sums = told_of(queued, capsys)

    assert sums[Name.JOBS_ENDED, f"FAILED {shown}"] == 1
    assert sums[Name.DEAD_LETTERS, shown] == 1
    assert sums[Name.JOB_FAULTS, ""] == faults
    assert sums[Name.STAGE_TIMEOUTS, "palette"] == (error_class == "States.Timeout")


def test_metrics_redrive_is_counted_and_its_job_is_not_accepted_again(queued: Aws, capsys: Capture) -> None:
    queued.fail("job-1", Failure(error_class="StageTimeout", message="No.", stage="inspect"))
    call("POST", "/jobs/job-1/redrive")
    sums = told_of(queued, capsys)

    assert (sums[Name.JOBS_ACCEPTED, ""], sums[Name.REDRIVES, ""]) == (1, 1)


def test_metrics_cancel_is_counted_once_however_often_it_is_said(queued: Aws, capsys: Capture) -> None:
    call("POST", "/jobs/job-1/cancel")
    call("POST", "/jobs/job-1/cancel")
    sums = told_of(queued, capsys)

    assert sums[Name.CANCELS, ""] == 1
    assert sums[Name.JOBS_ENDED, "CANCELLED None"] == 1


def test_metrics_batch_that_is_not_dealt_with_counts_nothing(
    queued: Aws, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of reach")

    monkeypatch.setattr(publish_events.event_bus, "publish", fail)
    capsys.readouterr()
    with pytest.raises(RuntimeError):
        publish_events.handler({"Records": queued.stream()}, None)

    assert metric_lines(capsys.readouterr().out) == []


def test_metrics_message_that_comes_again_is_a_duplicate(queued: Aws, stages: Runner, capsys: Capture) -> None:
    stages.run("inspect", make_working_copy)
    capsys.readouterr()
    start_execution.handler(batch(message({"imageId": "image-1"})), None)

    assert counted(capsys.readouterr().out) == {(Name.DUPLICATES_ABSORBED, ""): 1}


def test_metrics_row_that_cannot_be_read_is_counted(aws: Aws, capsys: Capture) -> None:
    strange = {"Keys": {"jobId": {"S": "strange"}}, "SequenceNumber": "7", "NewImage": {"jobId": {"S": "strange"}}}
    publish_events.handler({"Records": [{"dynamodb": strange}]}, None)

    assert counted(capsys.readouterr().out) == {(Name.EVENTS_FAILED, ""): 1}


def test_metrics_reconciler_that_restarts_a_job_has_found_one_stuck(
    aws: Aws, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATIENCE_SECONDS", "0")
    monkeypatch.setattr("lambdas.adapters.executions.start", lambda *_, **__: True)
    start_execution.handler(batch(message({"imageId": "image-1"})), None)
    capsys.readouterr()
    reconcile.handler({}, TIME)

    sums = counted(capsys.readouterr().out)
    assert (sums[Name.RECONCILER_ACTIONS, "restarted"], sums[Name.JOBS_STUCK, ""]) == (1, 1)


def test_metrics_that_are_many_are_written_in_lines_of_the_allowed_length(capsys: Capture) -> None:
    count([Measure(name=Name.JOBS_ACCEPTED)] * (2 * MOST_VALUES + 1) + [Measure(name=Name.CANCELS)])

    assert [len(line[Name.JOBS_ACCEPTED]) for line in metric_lines(capsys.readouterr().out)] == [100, 100, 1]


def test_metrics_with_a_dimension_are_told_apart(capsys: Capture) -> None:
    count_one(Name.STAGE_RETRIES, 2, Stage="palette")

    assert counted(capsys.readouterr().out) == {(Name.STAGE_RETRIES, "palette"): 2}
