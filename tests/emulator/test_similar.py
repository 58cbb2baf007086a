"""The same picture, uploaded again in another shape, is found by its owner and by nobody else."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from darkroom import Client
from darkroom.cli import main
from darkroom.errors import ConflictError, NotFoundError
from darkroom.models import JobStatus
from PIL import Image

from laptop.waiting import wait_for


@pytest.fixture(scope="module")
def versions(photos: Path) -> dict[str, bytes]:
    """A photograph, the same resized and recompressed, and another one."""
    original = photos / "life.jpg"
    with Image.open(original) as image:
        smaller = image.resize((image.width * 2 // 5, image.height * 2 // 5))
    buffer = BytesIO()
    smaller.save(buffer, "WEBP", quality=40)
    return {
        "original": original.read_bytes(),
        "smaller": buffer.getvalue(),
        "another": (photos / "seeding.jpg").read_bytes(),
    }


@pytest.fixture(scope="module")
def analysed(versions: dict[str, bytes]) -> Callable[[Client], dict[str, str]]:
    """Have somebody's uploads analysed; return the jobs' ids by name."""

    def analyse(client: Client) -> dict[str, str]:
        ids = {
            name: client.submit(client.upload(content), analyses=["fingerprint"], tags={"version": name}).job_id
            for name, content in versions.items()
        }
        assert {list(client.watch(job_id))[-1].status for job_id in ids.values()} == {JobStatus.SUCCEEDED}
        return ids

    return analyse


@pytest.fixture(scope="module")
def jobs(client: Client, analysed: Callable[[Client], dict[str, str]]) -> dict[str, str]:
    return analysed(client)


def found(client: Client, job_id: str) -> set[str]:
    return {near.job.job_id for near in client.similar(job_id).similar}


def test_version_of_a_picture_is_found_and_another_picture_is_not(client: Client, jobs: dict[str, str]) -> None:
    assert wait_for(lambda: jobs["smaller"] in found(client, jobs["original"]))

    (near,) = [near for near in client.similar(jobs["original"]).similar if near.job.job_id in jobs.values()]

    assert (near.job.job_id, near.confirmed, near.job.tags) == (jobs["smaller"], True, {"version": "smaller"})
    assert near.distance <= 4
    assert found(client, jobs["another"]).isdisjoint(jobs.values())


def test_same_picture_of_another_user_is_neither_found_nor_to_be_asked_about(
    client: Client, stranger: Client, jobs: dict[str, str], analysed: Callable[[Client], dict[str, str]]
) -> None:
    theirs = analysed(stranger)
    assert wait_for(lambda: theirs["smaller"] in found(stranger, theirs["original"]))

    assert found(stranger, theirs["original"]).isdisjoint(jobs.values())
    assert found(client, jobs["original"]).isdisjoint(theirs.values())
    with pytest.raises(NotFoundError):
        client.similar(theirs["original"])


def test_deleted_job_is_not_found_any_more(client: Client, jobs: dict[str, str], versions: dict[str, bytes]) -> None:
    again = client.submit(client.upload(versions["smaller"]), analyses=["fingerprint"]).job_id
    list(client.watch(again))
    assert wait_for(lambda: again in found(client, jobs["original"]))

    client.delete(again)

    assert wait_for(lambda: again not in found(client, jobs["original"]))


def test_job_without_a_fingerprint_is_told_apart(client: Client, image_id: str) -> None:
    job_id = client.submit(image_id, analyses=["palette"]).job_id
    list(client.watch(job_id))

    with pytest.raises(ConflictError, match="fingerprint"):
        client.similar(job_id)


def test_command_shows_what_is_found(
    client: Client, jobs: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wait_for(lambda: jobs["smaller"] in found(client, jobs["original"]))
    monkeypatch.setenv("DARKROOM_PROFILE_FILE", str(client.profile.path))

    assert main(["similar", jobs["original"]]) == 0
    heading, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert main(["similar", jobs["original"], "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert heading[:4] == ["DISTANCE", "SAME", "JOB", "SUBMITTED"]
    (row,) = [row for row in rows if jobs["smaller"] in row]
    assert (row[1], row[-1]) == ("yes", "version=smaller")
    assert [near["job"]["jobId"] for near in document["similar"]] == [row[2] for row in rows]
