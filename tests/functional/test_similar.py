"""Jobs of the same picture: what the index finds, and when a job comes into it."""

import time
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models import table as moto_table

from lambdas.adapters.similar_jobs import SimilarJobs
from lambdas.handlers import api, start_execution
from lambdas.jobs.errors import JobCancelled
from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.likeness import LARGEST_DISTANCE, bits_between
from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.status import Status
from lambdas.stages.catalogue import STAGES
from lambdas.stages.contract import StageOutput
from tests.functional.conftest import OWNER, STRANGER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import Runner, make_working_copy
from tests.functional.test_api import assert_problem, call

PICTURE = Fingerprint(perceptual="d6715b84d2364793", difference="0f1e2d3c4b5a6978")
hashes = st.integers(0, 2**64 - 1)
versions = st.lists(
    st.tuples(st.sets(st.integers(0, 63), max_size=LARGEST_DISTANCE + 4), hashes, st.booleans()), max_size=12
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there is not waited for long."""
    monkeypatch.setattr(api, "BRIEF_SECONDS", 0.05)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


def flipped(fingerprint: Fingerprint, perceptual: int, difference: int = 0) -> Fingerprint:
    """As many of the lowest bits of each hash turned over."""
    return Fingerprint(
        perceptual=f"{int(fingerprint.perceptual, 16) ^ (1 << perceptual) - 1:016x}",
        difference=f"{int(fingerprint.difference, 16) ^ (1 << difference) - 1:016x}",
    )


def put(
    aws: Aws, job_id: str, fingerprint: Fingerprint | None, *, owner: str = OWNER, created_at: str = "", **more: Any
) -> Job:
    """Write down a job that has succeeded."""
    created_at = created_at or "2026-11-24T10:00:00.000Z"
    job = Job(
        owner=owner, job_id=job_id, attempt=1, image_id="i", analyses=(), options={}, tags={}, stages={},
        created_at=created_at, updated_at=created_at, fingerprint=fingerprint,
        **{"status": Status.SUCCEEDED, "expires_at": int(time.time()) + 1000} | more,
    )  # fmt: skip
    return aws.table.put_new(job)


def found(job_id: str = "job-1", **query: Any) -> list[str]:
    answer = call("GET", f"/jobs/{job_id}/similar", query={name: str(value) for name, value in query.items()})
    assert answer["statusCode"] == 200
    return [near["job"]["jobId"] for near in answer["document"]["similar"]]


def run_all(runner: Runner, aws: Aws, job_id: str, fingerprint: dict[str, Any], *, until: str | None = None) -> None:
    """Run the stages of a job in order, with what the fingerprint stage is to find."""
    aws.upload("image-1", b"image")
    for stage in STAGES:
        if stage.name == until:
            return
        work = {
            "inspect": make_working_copy,
            "fingerprint": lambda _: StageOutput(result=fingerprint),
        }.get(stage.name)
        runner.run(stage.name, work, attempt=Attempt(owner=OWNER, job_id=job_id))


def test_job_that_succeeds_is_found_by_what_its_stage_has_found(aws: Aws, runner: Runner) -> None:
    hashes = {"pHash": PICTURE.perceptual, "dHash": PICTURE.difference}
    for job_id in ("job-1", "job-2"):
        start_execution.handler(batch(message(job_id=job_id)), None)
        run_all(runner, aws, job_id, hashes)

    assert aws.job("job-1").fingerprint == PICTURE
    assert found("job-1") == ["job-2"]
    assert found("job-2") == ["job-1"]


def test_job_whose_last_stage_runs_again_is_found_once(aws: Aws, runner: Runner) -> None:
    start_execution.handler(batch(message()), None)
    run_all(runner, aws, "job-1", {"pHash": PICTURE.perceptual, "dHash": PICTURE.difference})
    runner.run("report")
    put(aws, "other", PICTURE)

    assert found("other") == ["job-1"]


def test_job_that_is_cancelled_before_its_end_is_not_found(aws: Aws, runner: Runner) -> None:
    start_execution.handler(batch(message()), None)
    run_all(runner, aws, "job-1", {"pHash": PICTURE.perceptual, "dHash": PICTURE.difference}, until=STAGES[-1].name)
    put(aws, "other", PICTURE)
    assert found("other") == []
    aws.cancel("job-1")
    with pytest.raises(JobCancelled):
        runner.run("report")

    assert found("other") == []
    assert aws.job("job-1").fingerprint is None


def test_job_without_that_analysis_has_no_fingerprint(aws: Aws, runner: Runner) -> None:
    start_execution.handler(batch(message({"imageId": "image-1", "analyses": ["palette"]})), None)
    run_all(runner, aws, "job-1", {})

    assert aws.job("job-1").status is Status.SUCCEEDED
    assert_problem(call("GET", "/jobs/job-1/similar"), 409, "no-fingerprint")


def test_similar_of_a_job_that_has_not_ended_conflicts(aws: Aws) -> None:
    start_execution.handler(batch(message()), None)
    answer = call("GET", "/jobs/job-1/similar")

    assert_problem(answer, 409, "job-status-conflict")
    assert answer["document"]["jobStatus"] == "QUEUED"


def test_similar_of_anothers_job_is_answered_like_one_that_is_not_there(aws: Aws) -> None:
    put(aws, "job-1", PICTURE)
    foreign = call("GET", "/jobs/job-1/similar", owner=STRANGER)

    assert_problem(foreign, 404, "job-not-found")
    assert foreign["body"] == call("GET", "/jobs/job-2/similar", owner=STRANGER)["body"].replace("job-2", "job-1")


def test_similar_finds_nothing_of_another_owners(aws: Aws) -> None:
    put(aws, "job-1", PICTURE)
    put(aws, "job-2", PICTURE, owner=STRANGER)

    assert found() == []


def test_similar_says_how_near_nearest_first_then_newest(aws: Aws) -> None:
    put(aws, "job-1", PICTURE)
    put(aws, "older", flipped(PICTURE, 2, 3), created_at="2026-11-01T00:00:00.000Z")
    put(aws, "newer", flipped(PICTURE, 2, 11), created_at="2026-11-02T00:00:00.000Z")
    put(aws, "same", PICTURE, created_at="2026-10-01T00:00:00.000Z")
    put(aws, "far", flipped(PICTURE, 11))
    document = call("GET", "/jobs/job-1/similar")["document"]

    assert document["maxDistance"] == 10
    assert document["more"] is False
    assert [
        (near["job"]["jobId"], near["distance"], near["differenceDistance"], near["confirmed"])
        for near in document["similar"]
    ] == [("same", 0, 0, True), ("newer", 2, 11, False), ("older", 2, 3, True)]
    assert found(maxDistance=11) == ["same", "newer", "older", "far"]
    assert found(maxDistance=0) == ["same"]


def test_similar_with_a_limit_says_that_there_are_more(aws: Aws) -> None:
    for distance in range(4):
        put(aws, f"job-{distance + 1}", flipped(PICTURE, distance))
    document = call("GET", "/jobs/job-1/similar", query={"limit": "2"})["document"]

    assert [near["distance"] for near in document["similar"]] == [1, 2]
    assert document["more"] is True
    assert call("GET", "/jobs/job-1/similar", query={"limit": "3"})["document"]["more"] is False


def test_similar_leaves_out_what_has_expired_and_fills_its_place(aws: Aws) -> None:
    put(aws, "job-1", PICTURE)
    for number in range(5):
        put(aws, f"expired-{number}", PICTURE, expires_at=int(time.time()) - 1)
    put(aws, "job-2", flipped(PICTURE, 1))

    assert found(limit=1) == ["job-2"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"maxDistance": "21"}, "maxDistance"),
        ({"maxDistance": "-1"}, "maxDistance"),
        ({"maxDistance": "1.5"}, "maxDistance"),
        ({"limit": "0"}, "limit"),
    ],
)
def test_similar_broken_rule_is_a_problem_that_names_it(aws: Aws, query: dict[str, str], field: str) -> None:
    answer = call("GET", "/jobs/job-1/similar", query=query)

    assert_problem(answer, 400, "bad-request")
    assert answer["document"]["errors"][0]["field"] == field


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    base=hashes, made=versions, max_distance=st.integers(0, LARGEST_DISTANCE), page_bytes=st.sampled_from([500, 10**6])
)
def test_index_finds_all_that_comparing_with_every_job_finds(
    aws: Aws, base: int, made: list[tuple[set[int], int, bool]], max_distance: int, page_bytes: int
) -> None:
    owner = str(uuid4())
    job = put(aws, "job", Fingerprint(perceptual=f"{base:016x}", difference="0" * 16), owner=owner)
    for number, (bits, other, near) in enumerate(made):
        value = base ^ sum(1 << bit for bit in bits) if near else other
        put(aws, f"{number}", Fingerprint(perceptual=f"{value:016x}", difference=f"{other:016x}"), owner=owner)
    assert job.fingerprint is not None
    with pytest.MonkeyPatch.context() as patch:  # the fake's size of a page, so that there are several
        patch.setattr(moto_table, "RESULT_SIZE_LIMIT", page_bytes)
        indexed = SimilarJobs("jobs").near(job, job.fingerprint, max_distance=max_distance, limit=200)

    compared = {
        other.job_id: bits_between(job.fingerprint.perceptual, other.fingerprint.perceptual)
        for other in (aws.job(str(number), owner) for number in range(len(made)))
        if other.fingerprint is not None
    }
    near = {job_id: distance for job_id, distance in compared.items() if distance <= max_distance}
    assert {similar.job.job_id: similar.match.distance for similar in indexed.jobs} == near
    assert [similar.match.distance for similar in indexed.jobs] == sorted(near.values())
