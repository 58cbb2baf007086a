import json
from pathlib import Path

import httpx
import pytest
from darkroom import Client
from darkroom.errors import (
    BadRequestError,
    ConflictError,
    ConnectionLostError,
    InvalidArgumentError,
    LocalFileError,
    NotFoundError,
    ServerError,
    StorageError,
    TooLargeError,
    UnexpectedAnswerError,
)
from darkroom.job_ids import new_job_id
from darkroom.models import JobStatus

from tests.unit.client.fake_darkroom import MAX_BYTES, FakeDarkroom, problem


def submitted(client: Client, number: int = 1) -> list[str]:
    return [client.submit(f"image-{index}").job_id for index in range(number)]


def test_upload_of_a_file_puts_its_bytes_into_storage(client: Client, fake: FakeDarkroom, photo: Path) -> None:
    image_id = client.upload(photo)

    assert fake.images == {image_id: photo.read_bytes()}
    assert json.loads(fake.sent("/uploads")[0].content) == {"contentType": "image/png"}


def test_upload_sends_neither_sign_in_nor_file_name_to_storage(client: Client, fake: FakeDarkroom, photo: Path) -> None:
    client.upload(photo)
    (stored,) = fake.sent(r"storage\.test")

    assert "Authorization" not in stored.headers
    assert photo.name.encode() not in stored.content


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_upload_of_anything_is_left_to_the_server_to_judge(client: Client, fake: FakeDarkroom, content: bytes) -> None:
    image_id = client.upload(content)

    assert fake.images[image_id] == content
    assert json.loads(fake.sent("/uploads")[0].content) == {"contentType": "image/jpeg"}


def test_upload_with_a_content_type_declares_it(client: Client, fake: FakeDarkroom, photo: Path) -> None:
    client.upload(photo, content_type="image/webp")

    assert json.loads(fake.sent("/uploads")[0].content) == {"contentType": "image/webp"}
    assert b"Content-Type: image/webp" in fake.sent(r"storage\.test")[0].content


def test_upload_of_too_large_a_file_is_refused_before_it_is_sent(
    client: Client, fake: FakeDarkroom, photo: Path
) -> None:
    photo.write_bytes(b"x" * (MAX_BYTES + 1))

    with pytest.raises(TooLargeError, match="at most"):
        client.upload(photo)

    assert fake.sent(r"storage\.test") == []


def test_upload_of_a_missing_file_says_so(client: Client, fake: FakeDarkroom) -> None:
    with pytest.raises(LocalFileError, match=r"nothing\.jpg cannot be read"):
        client.upload("nothing.jpg")

    assert fake.requests == []


def test_upload_when_storage_is_busy_tries_again(client: Client, fake: FakeDarkroom) -> None:
    fake.fail(r"storage\.test", httpx.Response(503), httpx.WriteError("reset"))

    assert client.upload(b"x") in fake.images


@pytest.mark.parametrize(
    ("code", "expected"), [("EntityTooLarge", TooLargeError), ("AccessDenied", StorageError), ("", StorageError)]
)
def test_upload_when_storage_refuses_says_why(
    client: Client, fake: FakeDarkroom, code: str, expected: type[Exception]
) -> None:
    fake.fail(r"storage\.test", httpx.Response(403, text=f"<Error><Code>{code}</Code></Error>"))

    with pytest.raises(expected):
        client.upload(b"x")


@pytest.mark.parametrize("url", ["http://storage.example/x", "ftp://storage.test", "nowhere"])
def test_upload_to_an_address_that_is_not_safe_is_not_done(client: Client, fake: FakeDarkroom, url: str) -> None:
    place = {"imageId": "i", "url": url, "fields": {}, "maxBytes": 10}
    fake.fail("/uploads", httpx.Response(201, json=place))

    with pytest.raises(UnexpectedAnswerError):
        client.upload(b"x")


def test_submit_sends_only_what_was_asked(client: Client, fake: FakeDarkroom) -> None:
    plain = client.submit("image-1")
    client.submit("image-1", analyses=["codes"], options={"colours": 3}, tags={"trip": "alps"})
    bodies = [json.loads(request.content) for request in fake.sent("PUT")]

    assert (plain.status, plain.job_id in fake.jobs) == (JobStatus.QUEUED, True)
    assert bodies == [
        {"imageId": "image-1"},
        {"imageId": "image-1", "analyses": ["codes"], "options": {"colours": 3}, "tags": {"trip": "alps"}},
    ]


def test_submit_when_the_answer_is_lost_repeats_the_same_id(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("PUT", httpx.ReadError("reset"), problem(500, "oops"))
    accepted = client.submit("image-1")

    assert len({request.url for request in fake.sent("PUT")}) == 1
    assert list(fake.jobs) == [accepted.job_id]


def test_submit_when_the_api_stays_down_gives_up(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("PUT", *[problem(503, "down")] * 5)

    with pytest.raises(ServerError, match="down"):
        client.submit("image-1")

    assert len(fake.sent("PUT")) == 5


def test_submit_that_breaks_a_rule_names_the_field(client: Client) -> None:
    with pytest.raises(BadRequestError, match=r"analyses\[0\]: is no known analysis") as caught:
        client.submit("image-1", analyses=["sharpnes"])

    assert caught.value.problem.errors[0].field == "analyses[0]"


@pytest.mark.parametrize("job_id", ["../uploads", "a/b", ""])
def test_calls_with_what_is_no_id_send_nothing(client: Client, fake: FakeDarkroom, job_id: str) -> None:
    for call in (client.get, client.cancel, client.result, client.watch):
        with pytest.raises(InvalidArgumentError):
            call(job_id)
    with pytest.raises(InvalidArgumentError):
        client.submit("image-1", job_id=job_id)

    assert fake.requests == []


def test_get_with_a_known_etag_is_none_until_there_is_news(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)
    first = client.get(job_id)

    assert client.get(job_id, etag=first.etag) is None
    later = client.get(job_id, wait=20, etag=first.etag)
    assert later is not None
    assert (first.status, later.status) == (JobStatus.QUEUED, JobStatus.RUNNING)


def test_get_reads_the_whole_job(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1", tags={"trip": "alps"}).job_id
    fake.now += 1.2
    job = client.get(job_id)

    assert (job.progress, job.attempt, job.tags) == (33, 1, {"trip": "alps"})
    assert [(entry.stage, entry.status.value) for entry in job.timeline] == [
        ("inspect", "DONE"),
        ("palette", "RUNNING"),
        ("report", "PENDING"),
    ]


def test_get_right_after_submit_shows_the_job_as_queued(client: Client, fake: FakeDarkroom) -> None:
    fake.row_after = 5
    job_id = client.submit("image-1", job_id="mine", tags={"trip": "alps"}).job_id
    job = client.get(job_id)

    assert (job.status, job.image_id, job.tags) == (JobStatus.QUEUED, "image-1", {"trip": "alps"})


def test_get_of_an_unknown_job_raises_not_found(client: Client, fake: FakeDarkroom) -> None:
    for job_id in ("unknown", new_job_id(fake.now - 61), "ffffffff-ffff-7fff-bfff-ffffffffffff"):
        with pytest.raises(NotFoundError):
            client.get(job_id)


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 5, 9])
def test_jobs_over_pages_come_newest_first_up_to_the_limit(
    client: Client, fake: FakeDarkroom, limit: int | None
) -> None:
    ids = submitted(client, 5)
    listed = [job.job_id for job in client.jobs(limit=limit)]

    assert listed == ids[::-1][:limit]


def test_jobs_fetches_no_page_that_is_not_needed(client: Client, fake: FakeDarkroom) -> None:
    submitted(client, 5)
    next(client.jobs())

    assert len(fake.sent("GET")) == 1


def test_jobs_in_a_status_asks_for_that_status(client: Client, fake: FakeDarkroom) -> None:
    submitted(client, 3)
    fake.now += 10
    submitted(client, 2)

    assert len(list(client.jobs(status=JobStatus.SUCCEEDED))) == 3
    assert len(list(client.jobs(status="QUEUED"))) == 2


def test_jobs_when_the_cursor_goes_in_a_circle_stops(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("/jobs", *[httpx.Response(200, json={"jobs": [], "nextCursor": "a"})] * 3)

    with pytest.raises(UnexpectedAnswerError):
        list(client.jobs())


def test_cancel_of_a_running_job_is_accepted_twice(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)

    assert client.cancel(job_id).status is JobStatus.CANCELLING
    assert client.cancel(job_id).status is JobStatus.CANCELLING


def test_cancel_of_a_job_that_is_over_raises_conflict(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)
    fake.now += 10

    with pytest.raises(ConflictError, match="already ended"):
        client.cancel(job_id)


def test_cancel_right_after_submit_waits_for_the_record(client: Client, fake: FakeDarkroom) -> None:
    fake.row_after = 5
    (job_id,) = submitted(client)

    assert client.cancel(job_id).status is JobStatus.CANCELLING


def test_delete_of_a_job_that_is_over_leaves_nothing(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)
    fake.now += 100

    client.delete(job_id)

    assert fake.jobs == {}
    with pytest.raises(NotFoundError):
        client.delete(job_id)


def test_delete_of_a_running_job_raises_conflict(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)

    with pytest.raises(ConflictError, match="cancel"):
        client.delete(job_id)


def test_redrive_of_a_failed_job_is_accepted_twice(client: Client, fake: FakeDarkroom) -> None:
    fake.end_of = lambda body: "FAILED"
    (job_id,) = submitted(client)
    fake.now += 10

    assert client.redrive(job_id).status is JobStatus.QUEUED
    assert client.redrive(job_id).status is JobStatus.QUEUED
    assert client.get(job_id).attempt == 2
    assert [job.status for job in client.watch(job_id)][-1] is JobStatus.SUCCEEDED


def test_redrive_when_the_answer_is_lost_repeats_the_same_attempt(client: Client, fake: FakeDarkroom) -> None:
    fake.end_of = lambda body: "FAILED"
    (job_id,) = submitted(client)
    fake.now += 10
    fake.fail("redrive", httpx.ReadError("reset"), problem(500, "oops"))

    client.redrive(job_id)

    assert [request.url.params["attempt"] for request in fake.sent("redrive")] == ["1"] * 3
    assert client.get(job_id).attempt == 2


def test_redrive_of_a_job_that_has_not_failed_raises_conflict(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)

    with pytest.raises(ConflictError, match="has not failed"):
        client.redrive(job_id)


def test_redrive_of_an_unknown_job_is_not_found(client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.redrive("unknown")


def test_job_with_a_deadline_says_when(client: Client, fake: FakeDarkroom) -> None:
    job = client.get(client.submit("image-1", options={"deadlineSeconds": 90}).job_id)

    assert job.deadline_at is not None
    assert job.deadline_at.timestamp() == fake.now + 90
    assert client.get(client.submit("image-1").job_id).deadline_at is None


def test_result_of_a_job_is_its_report(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)
    with pytest.raises(ConflictError):
        client.result(job_id)

    fake.now += 10
    assert client.result(job_id)["summary"] == "A JPEG of 40 x 30 pixels."


def test_artefact_is_fetched_from_storage_without_the_sign_in(client: Client, fake: FakeDarkroom) -> None:
    (job_id,) = submitted(client)
    fake.now += 10

    assert client.artefact(job_id, "preview") == f"picture /images/{job_id}/preview.jpg".encode()
    (fetched,) = fake.sent(r"storage\.test")
    assert "Authorization" not in fetched.headers
    assert "Cookie" not in fetched.headers


def test_artefact_when_the_api_names_no_place_is_unexpected(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("result", httpx.Response(200, json={}))

    with pytest.raises(UnexpectedAnswerError):
        client.artefact("job", "thumbnail")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>captive portal</html>"),
        httpx.Response(200, json=["no", "object"]),
        httpx.Response(200, json={"jobId": "job"}),
        httpx.Response(302, headers={"Location": "https://portal.test"}),
    ],
)
def test_get_when_something_else_answers_says_so(client: Client, fake: FakeDarkroom, answer: httpx.Response) -> None:
    fake.fail("/jobs/job", answer)

    with pytest.raises(UnexpectedAnswerError):
        client.get("job")


def test_request_refused_without_a_problem_document_still_makes_words(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("/jobs/job", httpx.Response(403, text="<html>"))

    with pytest.raises(Exception, match=r"Forbidden \(HTTP 403\)"):
        client.get("job")


def test_request_after_close_is_a_lost_connection(client: Client) -> None:
    with client:
        pass

    with pytest.raises(ConnectionLostError):
        client.get("job")
