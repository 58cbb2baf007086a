"""A cancel at every point of a job's life; what is left is found out by listing the bucket."""

from collections.abc import Callable

import pytest

from lambdas.config import ON, Variable
from lambdas.handlers import api, clean_up, start_execution
from lambdas.jobs.errors import JobCancelled, JobSuperseded
from lambdas.jobs.status import Status
from lambdas.stages.catalogue import ANALYSES, LAST, STAGES
from lambdas.stages.contract import Artefact, StageInput, StageOutput
from tests.functional.conftest import Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, Runner
from tests.functional.test_api import assert_problem, call

NAMES = [stage.name for stage in STAGES]
CANCEL = ("POST", "/jobs/job-1/cancel")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is not waited for long."""
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


@pytest.fixture
def queued(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A job that wants everything, whose execution has started, and none of whose stages has."""
    monkeypatch.setenv(Variable.LABELS, ON)
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message({"imageId": "image-1", "analyses": list(ANALYSES)})), None)
    return aws


def make_files(stage_input: StageInput) -> StageOutput:
    """What the stages make, and a file more."""
    stage_input.checkpoint(0.5)
    files = ("working-copy.jpg", "report.json", "more.bin")
    made = {name: Artefact(content=name.encode(), media_type="application/octet-stream") for name in files}
    return StageOutput(result={}, artefacts=made)


def play(stages: Runner, works: dict[str, Callable[[StageInput], StageOutput]], before: Callable[[str], None]) -> bool:
    """Run the stages as the state machine does: a cancel leads to the clean-up. Tells whether that was so."""
    for name in NAMES:
        before(name)
        try:
            stages.run(name, works.get(name, make_files))
        except (JobCancelled, JobSuperseded):
            clean_up.handler(ATTEMPT.payload(), None)
            return True
    return False


def assert_cancelled_without_a_trace(aws: Aws) -> None:
    assert aws.job("job-1").status is Status.CANCELLED
    assert aws.artefacts("job-1") == set()
    assert aws.letters() == []


@pytest.mark.parametrize("stage", NAMES)
def test_cancel_before_a_stage_runs_it_no_more(queued: Aws, stages: Runner, stage: str) -> None:
    def cancel(name: str) -> None:
        if name == stage:
            assert call(*CANCEL)["statusCode"] == 202

    assert play(stages, {}, cancel)

    assert stages.worked == NAMES[: NAMES.index(stage)]
    assert_cancelled_without_a_trace(queued)


@pytest.mark.parametrize("stage", NAMES)
def test_cancel_while_a_stage_works_throws_its_work_away(queued: Aws, stages: Runner, stage: str) -> None:
    def work(stage_input: StageInput) -> StageOutput:
        made = make_files(stage_input)
        assert [call(*CANCEL)["document"]["status"] for _ in range(2)] == ["CANCELLING"] * 2
        return made

    assert play(stages, {stage: work}, lambda _: None)

    assert stages.worked == NAMES[: NAMES.index(stage) + 1]
    assert_cancelled_without_a_trace(queued)


@pytest.mark.parametrize("stage", [name for name in NAMES if name != LAST.name])
def test_cancel_after_a_stage_deletes_what_it_has_made(queued: Aws, stages: Runner, stage: str) -> None:
    def cancel(name: str) -> None:
        if name == NAMES[NAMES.index(stage) + 1]:
            assert queued.artefacts("job-1")
            assert call(*CANCEL)["statusCode"] == 202

    assert play(stages, {}, cancel)

    assert_cancelled_without_a_trace(queued)


def test_cancel_while_the_analyses_work_side_by_side_deletes_what_the_slower_one_stores(
    queued: Aws, stages: Runner
) -> None:
    """One analysis sees the cancel and the clean-up is over before the other one comes to store its files."""
    stages.run("inspect", make_files)

    def slow(stage_input: StageInput) -> StageOutput:
        call(*CANCEL)
        with pytest.raises(JobCancelled):
            stages.run("palette", make_files)
        clean_up.handler(ATTEMPT.payload(), None)
        assert_cancelled_without_a_trace(queued)
        return make_files(stage_input)

    with pytest.raises(JobCancelled):
        stages.run("quality", slow)

    assert_cancelled_without_a_trace(queued)


def test_cancel_after_the_end_is_refused_and_takes_nothing_away(queued: Aws, stages: Runner) -> None:
    assert not play(stages, {}, lambda _: None)
    kept = queued.artefacts("job-1")

    assert_problem(call(*CANCEL), 409, "job-status-conflict")

    assert queued.job("job-1").status is Status.SUCCEEDED
    assert queued.artefacts("job-1") == kept == {"working-copy.jpg", "report.json", "more.bin"}
