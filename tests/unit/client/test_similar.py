"""Jobs of the same picture: the client's method, and the command."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from darkroom import Client
from darkroom.errors import ConflictError, InvalidArgumentError, NotFoundError, UnexpectedAnswerError

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import FakeDarkroom

pytestmark = pytest.mark.usefixtures("signed_in")
RunCommand = Callable[..., Run]
PICTURES = {"original": 0b0, "same": 0b0, "resized": 0b111, "cropped": 0b1111_1111, "another": 2**40 - 1}


@pytest.fixture
def jobs(fake: FakeDarkroom, client: Client) -> dict[str, str]:
    """A job of each picture that is done: the picture's name to the job's id."""
    fake.pictures = dict(PICTURES)
    ids = {name: client.submit(name, tags={"of": f"the-{name}"}).job_id for name in PICTURES}
    fake.now += 10
    return ids


def test_similar_finds_the_other_jobs_of_a_picture_nearest_first(client: Client, jobs: dict[str, str]) -> None:
    found = client.similar(jobs["original"])

    assert (found.job_id, found.max_distance, found.more) == (jobs["original"], 10, False)
    assert [(near.job.job_id, near.distance, near.difference_distance, near.confirmed) for near in found.similar] == [
        (jobs["same"], 0, 0, True),
        (jobs["resized"], 3, 6, True),
        (jobs["cropped"], 8, 16, False),
    ]
    assert found.similar[1].job.tags == {"of": "the-resized"}


def test_similar_asks_for_no_more_than_it_is_told_to(client: Client, fake: FakeDarkroom, jobs: dict[str, str]) -> None:
    assert client.similar(jobs["original"], max_distance=0).similar[0].job.job_id == jobs["same"]
    assert client.similar(jobs["original"], limit=1).more

    first, second = fake.sent("similar")
    assert (dict(first.url.params), dict(second.url.params)) == ({"maxDistance": "0"}, {"limit": "1"})


def test_similar_to_a_job_without_a_fingerprint_is_a_conflict(client: Client, jobs: dict[str, str]) -> None:
    with pytest.raises(ConflictError):
        client.similar(client.submit("never-hashed").job_id)


def test_similar_to_a_job_that_is_not_there_is_not_found(client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.similar("unknown")
    with pytest.raises(InvalidArgumentError):
        client.similar("../x")


@pytest.mark.parametrize("change", [{"more": "yes"}, {"similar": [{"distance": 1}]}, {"maxDistance": None}])
def test_similar_when_something_else_answers_says_so(client: Client, fake: FakeDarkroom, change: Any) -> None:
    document = {"jobId": "job", "maxDistance": 10, "similar": [], "more": False, **change}
    fake.fail("similar", httpx.Response(200, json=document))

    with pytest.raises(UnexpectedAnswerError):
        client.similar("job")


def test_command_shows_a_table_nearest_first(run: RunCommand, jobs: dict[str, str]) -> None:
    ended = run("similar", jobs["original"])
    heading, *rows = [line.split() for line in ended.out.splitlines()]

    assert (ended.code, ended.err) == (0, "")
    assert heading == ["DISTANCE", "SAME", "JOB", "SUBMITTED", "IMAGE,", "TAGS"]
    assert [(row[:3], row[-2:]) for row in rows] == [
        (["0", "yes", jobs["same"]], ["same", "of=the-same"]),
        (["3", "yes", jobs["resized"]], ["resized", "of=the-resized"]),
        (["8", "perhaps", jobs["cropped"]], ["cropped", "of=the-cropped"]),
    ]


def test_command_passes_its_limits_on_and_says_when_there_is_more(run: RunCommand, jobs: dict[str, str]) -> None:
    ended = run("similar", jobs["original"], "--max-distance", 20, "--limit", 2)

    assert (ended.code, len(ended.out.splitlines())) == (0, 3)
    assert "--limit N" in ended.err


def test_command_that_finds_nothing_prints_nothing_on_stdout(run: RunCommand, jobs: dict[str, str]) -> None:
    ended = run("similar", jobs["another"])

    assert (ended.code, ended.out) == (0, "")
    assert "within 10 of 64 bits" in ended.err


def test_command_with_json_prints_the_answer_as_it_is(run: RunCommand, jobs: dict[str, str]) -> None:
    (answer,) = run("similar", jobs["original"], "--json", "--max-distance", "3").lines()

    assert answer["maxDistance"] == 3
    assert [near["distance"] for near in answer["similar"]] == [0, 3]  # type: ignore[attr-defined]


def test_command_shows_what_somebody_wrote_as_text(run: RunCommand, client: Client, fake: FakeDarkroom) -> None:
    fake.pictures = dict.fromkeys(("one", "other"), 0)
    one, _ = (client.submit(image, tags={"of": "\x1b[31m[red]"}).job_id for image in ("one", "other"))
    fake.now += 10

    shown = run("similar", one).out

    assert "\x1b" not in shown
    assert "[red]" in shown


@pytest.mark.parametrize("options", [["--max-distance", "21"], ["--max-distance", "-1"], ["--limit", "0"], ["../x"]])
def test_command_with_what_cannot_be_is_a_usage_error(run: RunCommand, fake: FakeDarkroom, options: list[str]) -> None:
    job = [] if "../x" in options else ["job"]

    assert run("similar", *job, *options).code == 2
    assert fake.requests == []


@pytest.mark.parametrize(("job", "code"), [("unknown", 4), ("running", 6)])
def test_command_about_a_job_that_cannot_be_compared_says_so(
    run: RunCommand, client: Client, fake: FakeDarkroom, job: str, code: int
) -> None:
    fake.pictures = {"image": 0}
    running = client.submit("image").job_id
    ended = run("similar", running if job == "running" else job, "--json")

    assert ended.code == code
    assert ended.lines()[0]["error"]["exitCode"] == code  # type: ignore[index]
