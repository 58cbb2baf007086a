"""Stages that few jobs want: when they run, what is said of them when they do not, and a long one that is cut off."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lambdas.adapters.job_table import JobTable
from lambdas.adapters.rekognition import Rekognition
from lambdas.config import ON, Variable
from lambdas.handlers import clean_up, run_stage, start_execution
from lambdas.handlers.planning import NEEDS_AWS, NOT_LARGE
from lambdas.jobs.errors import JobCancelled, StageTimeout
from lambdas.jobs.model import Job
from lambdas.jobs.status import StageStatus, Status
from lambdas.stages.catalogue import LARGE_PIXELS
from lambdas.stages.contract import Artefact, StageInput, StageOutput
from tests.functional.conftest import Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, Runner
from tests.functional.test_api import assert_problem, call

AMPLE_MS = 100_000
NO_TIME_MS = 1_000


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


def submit(aws: Aws, *analyses: str) -> Job:
    """Submit a job, with the analyses that it names, if any."""
    wanted = {"analyses": list(analyses)} if analyses else {}
    start_execution.handler(batch(message({"imageId": "image-1", **wanted})), None)
    return aws.job("job-1")


def inspect(width: int, height: int) -> Callable[[StageInput], StageOutput]:
    """Find an image of this size."""
    return lambda _: StageOutput(
        result={"width": width, "height": height, "orientation": 1},
        artefacts={"working-copy.jpg": Artefact(content=b"copy", media_type="image/jpeg")},
    )


def inspected(stages: Runner, monkeypatch: pytest.MonkeyPatch, *size: int) -> bool:
    """Let inspect find an image of this size; return whether it says that there are extras to do."""
    stages.run("inspect", inspect(*size))
    monkeypatch.setenv(Variable.STAGE, "inspect")
    again = run_stage.handler(ATTEMPT.payload(), SimpleNamespace(get_remaining_time_in_millis=lambda: AMPLE_MS))
    return bool(again["extras"])


def status_of(aws: Aws, stage: str) -> tuple[StageStatus, str | None]:
    record = aws.job("job-1").stages[stage]
    return record.status, record.reason


def test_regions_unasked_are_skipped_for_an_image_that_is_not_large(
    aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.upload("image-1", b"image")
    submit(aws)
    before = aws.job("job-1").version

    assert inspected(stages, monkeypatch, 4000, 3000) is False

    assert status_of(aws, "regions") == (StageStatus.SKIPPED, NOT_LARGE)
    # It costs no write of its own: inspect's begin and end, as ever.
    assert aws.job("job-1").version - before == 2


def test_regions_unasked_are_done_for_a_large_image(aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.upload("image-1", b"image")
    submit(aws)

    assert inspected(stages, monkeypatch, 8160, 6120) is True
    assert status_of(aws, "regions") == (StageStatus.PENDING, None)
    assert LARGE_PIXELS <= 8160 * 6120


def test_regions_asked_for_are_done_however_small_the_image(
    aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.upload("image-1", b"image")
    submit(aws, "regions")

    assert inspected(stages, monkeypatch, 40, 30) is True
    assert status_of(aws, "regions") == (StageStatus.PENDING, None)


def test_regions_not_named_are_skipped_however_large_the_image(
    aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.upload("image-1", b"image")
    submit(aws, "palette")

    assert inspected(stages, monkeypatch, 8160, 6120) is False
    assert status_of(aws, "regions") == (StageStatus.SKIPPED, None)


def test_labels_are_not_done_unasked(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.LABELS, ON)
    assert submit(aws).stages["labels"].status is StageStatus.SKIPPED


def test_labels_without_the_setting_are_skipped_and_say_that_they_need_aws(
    aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.upload("image-1", b"image")
    submit(aws, "labels")

    assert inspected(stages, monkeypatch, 40, 30) is False
    stages.run("labels", _must_not_run)
    stages.run("report")

    shown = {entry["stage"]: entry for entry in call("GET", "/jobs/job-1")["document"]["timeline"]}
    assert (shown["labels"]["status"], shown["labels"]["reason"]) == ("SKIPPED", NEEDS_AWS)
    assert "reason" not in shown["palette"]
    job = aws.job("job-1")
    assert (job.status, job.progress, list(job.analyses)) == (Status.SUCCEEDED, 100, ["labels"])


def test_labels_with_the_setting_are_handed_the_service_and_the_working_copy(
    aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Variable.LABELS, ON)
    aws.upload("image-1", b"the original, with its metadata")
    submit(aws, "labels", "palette")
    handed: list[StageInput] = []

    assert inspected(stages, monkeypatch, 40, 30) is True
    for name in ("labels", "palette"):
        stages.run(name, lambda given: (handed.append(given), StageOutput(result={}))[1])

    asking, plain = handed
    assert isinstance(asking.recognition, Rekognition)
    assert asking.image == b"copy"
    assert plain.recognition is None


def test_heat_map_is_answered_where_regions_have_drawn_one(aws: Aws, stages: Runner) -> None:
    aws.upload("image-1", _photograph())
    submit(aws, "regions")
    stages.run("inspect", inspect(640, 480))
    _run_regions()
    stages.run("report")

    answer = call("GET", "/jobs/job-1/result", query={"artefact": "heat-map"})

    assert answer["statusCode"] == 303
    assert "/heat-map.png?" in answer["header"]["location"]


def test_heat_map_of_a_job_without_regions_conflicts(aws: Aws, stages: Runner) -> None:
    aws.upload("image-1", b"image")
    submit(aws, "palette")
    for name, work in (("inspect", inspect(40, 30)), ("palette", None), ("report", None)):
        stages.run(name, work)

    assert_problem(call("GET", "/jobs/job-1/result", query={"artefact": "heat-map"}), 409, "no-picture")


@pytest.fixture
def tiled(aws: Aws, stages: Runner, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A job whose regions are next; the row is looked at after every tile."""
    monkeypatch.setattr(run_stage, "SECONDS_BETWEEN_LOOKS", 0.0)
    aws.upload("image-1", _photograph())
    submit(aws, "regions")
    stages.run("inspect", inspect(640, 480))
    return aws


def test_regions_cancelled_between_tiles_stop_and_leave_nothing(tiled: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _when_told(monkeypatch, 60, lambda: tiled.cancel("job-1"))

    with pytest.raises(JobCancelled):
        _run_regions()

    record = tiled.job("job-1").stages["regions"]
    assert 60 <= record.progress < 99
    assert told[-1] < 99, "it went on after the cancel"
    assert record.finished_at is None
    clean_up.handler(ATTEMPT.payload(), None)
    assert (tiled.job("job-1").status, tiled.artefacts("job-1")) == (Status.CANCELLED, set())


def test_regions_cut_off_between_tiles_are_done_by_the_next_try_and_never_go_back(
    tiled: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {"ms": AMPLE_MS}
    _when_told(monkeypatch, 60, lambda: left.update(ms=NO_TIME_MS))
    with pytest.raises(StageTimeout):
        _run_regions(lambda: left["ms"])
    cut_off = tiled.job("job-1")
    assert cut_off.stages["regions"].progress >= 60

    left["ms"] = AMPLE_MS
    _run_regions(lambda: left["ms"])

    record = tiled.job("job-1").stages["regions"]
    assert (record.status, record.tries, record.error) == (StageStatus.DONE, 2, None)
    assert tiled.job("job-1").progress >= cut_off.progress
    assert record.result is None or record.result["measured"] is True
    assert "heat-map.png" in tiled.artefacts("job-1")


def _run_regions(milliseconds: Callable[[], int] = lambda: AMPLE_MS) -> None:
    """Run the stage as it is, in its own process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(Variable.STAGE, "regions")
        run_stage.handler(ATTEMPT.payload(), SimpleNamespace(get_remaining_time_in_millis=milliseconds))


def _when_told(monkeypatch: pytest.MonkeyPatch, percent: int, act: Callable[[], Any]) -> list[int]:
    """Act once, right after a progress of this or more is written; return a list of what is written."""
    told: list[int] = []
    write = JobTable.report_progress

    def report(table: JobTable, attempt: Any, stage: str, done: int, *, now: str) -> Job:
        job = write(table, attempt, stage, done, now=now)
        told.append(done)
        if done >= percent and len([each for each in told if each >= percent]) == 1:
            act()
        return job

    monkeypatch.setattr(JobTable, "report_progress", report)
    return told


def _photograph() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((640, 480), 60).save(buffer, "JPEG")
    return buffer.getvalue()


def _must_not_run(_: StageInput) -> StageOutput:
    raise AssertionError("it was to be skipped")
