"""What follows from a job."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.jobs.model import Attempt, Failure, Job, StageRecord
from lambdas.jobs.status import StageStatus, Status


def job(**stages: StageRecord) -> Job:
    """A job with these stages."""
    return Job(
        owner="o", job_id="j", status=Status.RUNNING, attempt=2, image_id="i", analyses=(), options={}, tags={},
        stages=stages, created_at="t", updated_at="t", expires_at=1, version=7,
    )  # fmt: skip


def test_execution_name_is_the_job_its_owner_and_its_attempt() -> None:
    name = Attempt(owner="somebody", job_id="job-1", number=3).execution_name

    assert re.fullmatch(r"job-1-[0-9a-f]{8}-a3", name)


def test_execution_name_differs_by_owner() -> None:
    assert Attempt(owner="a", job_id="j").execution_name != Attempt(owner="b", job_id="j").execution_name


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.integers(1, 99_999), st.text(min_size=1))
def test_execution_name_keeps_step_functions_limit_of_80(job_id: str, number: int, owner: str) -> None:
    assert len(Attempt(owner=owner, job_id=job_id, number=number).execution_name) <= 80


@given(st.text(min_size=1), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.integers(1, 99_999))
def test_attempt_survives_the_way_through_the_state_machine(owner: str, job_id: str, number: int) -> None:
    attempt = Attempt(owner=owner, job_id=job_id, number=number)

    assert Attempt.from_payload(attempt.payload()) == attempt


def test_progress_weighs_stages_and_leaves_skipped_ones_out() -> None:
    half = job(
        inspect=StageRecord(weight=30, status=StageStatus.DONE, progress=100),
        palette=StageRecord(weight=100, status=StageStatus.SKIPPED),
        report=StageRecord(weight=10, status=StageStatus.RUNNING, progress=50),
    )

    assert half.progress == (30 * 100 + 10 * 50) // 40


def test_progress_of_a_job_without_stages_is_zero() -> None:
    assert job().progress == 0


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100)), min_size=1), st.data())
def test_progress_never_goes_down_when_a_stage_goes_on(stages: list[tuple[int, int]], data: st.DataObject) -> None:
    records = {str(i): StageRecord(weight=weight, progress=progress) for i, (weight, progress) in enumerate(stages)}
    index = data.draw(st.integers(0, len(stages) - 1))
    later = data.draw(st.integers(stages[index][1], 100))

    after = records | {str(index): StageRecord(weight=stages[index][0], progress=later)}

    assert 0 <= job(**records).progress <= job(**after).progress <= 100


def test_etag_names_attempt_and_version() -> None:
    assert job().etag == '"2-7"'


@pytest.mark.parametrize(
    ("error_class", "helps"),
    [("InvalidImage", False), ("InvalidJob", False), ("ImageNotFound", True), ("States.Timeout", True)],
)
def test_failure_knows_whether_a_redrive_can_help(error_class: str, helps: bool) -> None:
    assert Failure(error_class=error_class, message="m").redrive_can_help is helps
