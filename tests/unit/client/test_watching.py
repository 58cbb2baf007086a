import httpx
import pytest
from darkroom import Client
from darkroom.errors import ConnectionLostError, EventsMissingError, NotFoundError
from darkroom.job_ids import new_job_id
from darkroom.models import JobStatus

from tests.unit.client.fake_darkroom import FakeDarkroom, problem


def test_watch_shows_each_state_once_until_the_end(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1").job_id
    states = [(job.status.value, job.progress) for job in client.watch(job_id)]

    assert states == [("QUEUED", 0), ("RUNNING", 0), ("RUNNING", 33), ("RUNNING", 66), ("SUCCEEDED", 100)]


def test_watch_lets_the_api_hold_its_answers(client: Client, fake: FakeDarkroom) -> None:
    fake.stage_seconds = 19
    job_id = client.submit("image-1").job_id
    list(client.watch(job_id))
    looks = fake.sent(f"GET .*{job_id}")

    assert "Prefer" not in looks[0].headers
    assert all(look.headers["Prefer"] == "wait=20" and look.headers["If-None-Match"] for look in looks[1:])
    assert len(looks) == 5


def test_watch_of_a_job_that_has_ended_shows_it_once(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1").job_id
    fake.now += 10

    assert [job.status for job in client.watch(job_id)] == [JobStatus.SUCCEEDED]
    assert fake.slept == []


def test_watch_right_after_submit_begins_with_queued_and_honours_retry_after(
    client: Client, fake: FakeDarkroom
) -> None:
    fake.row_after, fake.retry_after = 5, "3"
    job_id = client.submit("image-1", job_id="my-own-id").job_id
    states = [job.status.value for job in client.watch(job_id)]

    assert states[0] == "QUEUED"
    assert states[-1] == "SUCCEEDED"
    assert fake.slept[:2] == [3, 3]


def test_watch_of_a_record_that_never_comes_gives_up_in_time(client: Client, fake: FakeDarkroom) -> None:
    fake.row_after = 10_000
    began = fake.now
    job_id = client.submit("image-1").job_id

    with pytest.raises(NotFoundError):
        list(client.watch(job_id))

    assert 60 <= fake.now - began <= 65
    assert len(fake.sent("GET")) <= 62


def test_watch_from_another_process_knows_a_young_job_by_its_id(client: Client, fake: FakeDarkroom) -> None:
    with pytest.raises(NotFoundError):
        next(client.watch(new_job_id(fake.now - 100)))

    assert next(client.watch(new_job_id(fake.now - 1))).status is JobStatus.QUEUED


def test_watch_of_a_job_that_vanishes_raises_not_found(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1").job_id
    states = client.watch(job_id)
    next(states)
    del fake.jobs[job_id]

    with pytest.raises(NotFoundError):
        next(states)


def test_watch_over_a_short_outage_goes_on(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1").job_id
    fake.fail("GET", httpx.ConnectError("down"), problem(503, "down"), problem(429, "slow", {"Retry-After": "2"}))

    assert [job.status for job in client.watch(job_id)][-1] is JobStatus.SUCCEEDED


def test_watch_over_a_long_outage_raises_connection_lost(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1").job_id
    fake.fail("GET", *[httpx.ConnectError("down")] * 5)

    with pytest.raises(ConnectionLostError):
        list(client.watch(job_id))


def test_watch_of_an_api_that_does_not_hold_answers_does_not_hammer_it(client: Client, fake: FakeDarkroom) -> None:
    job_id = client.submit("image-1").job_id
    fake.fail("GET", *[httpx.Response(304) for _ in range(10)])
    list(client.watch(job_id))

    assert fake.slept[:10] == [1.0] * 10


def test_watch_follows_events_where_they_are_counted(client: Client, fake: FakeDarkroom) -> None:
    fake.counts_events = True
    job_id = client.submit("image-1").job_id

    states = [(job.status.value, job.progress, job.seq) for job in client.watch(job_id)]

    assert states[:5] == [
        ("QUEUED", 0, 1),
        ("RUNNING", 0, 2),
        ("RUNNING", 33, 3),
        ("RUNNING", 66, 4),
        ("SUCCEEDED", 100, 5),
    ]
    assert states[-1] == ("SUCCEEDED", 100, 5)
    assert fake.sent(f"GET .*{job_id}/events")


def test_watch_ends_though_the_last_events_are_lost(client: Client, fake: FakeDarkroom) -> None:
    fake.counts_events, fake.lost_events = True, frozenset({4, 5})
    job_id = client.submit("image-1").job_id

    assert [job.status for job in client.watch(job_id)][-1] is JobStatus.SUCCEEDED


def test_watch_goes_on_by_asking_for_the_job_when_events_cannot_be_read(client: Client, fake: FakeDarkroom) -> None:
    fake.counts_events = True
    job_id = client.submit("image-1").job_id
    fake.fail("/events", *[problem(500, "broken")] * 20)

    states = [(job.status.value, job.progress) for job in client.watch(job_id)]

    assert states[-1] == ("SUCCEEDED", 100)


def test_events_come_once_each_from_the_first_or_from_where_one_was(client: Client, fake: FakeDarkroom) -> None:
    fake.counts_events = True
    job_id = client.submit("image-1").job_id

    assert [event.seq for event in client.events(job_id)] == [1, 2, 3, 4, 5]
    assert [event.seq for event in client.events(job_id, after_seq=3)] == [4, 5]
    assert [event.seq for event in client.events(job_id, after_seq=5)] == []


def test_events_of_a_job_that_is_in_the_queue_are_waited_for(client: Client, fake: FakeDarkroom) -> None:
    fake.counts_events, fake.row_after = True, 5
    job_id = client.submit("image-1").job_id

    assert [event.seq for event in client.events(job_id)] == [1, 2, 3, 4, 5]


def test_events_that_are_lost_for_good_are_said_to_be(client: Client, fake: FakeDarkroom) -> None:
    fake.counts_events, fake.lost_events = True, frozenset({5})
    job_id = client.submit("image-1").job_id

    with pytest.raises(EventsMissingError, match="after 4"):
        list(client.events(job_id))


def test_events_of_a_job_that_is_not_there_raises(client: Client, fake: FakeDarkroom) -> None:
    with pytest.raises(NotFoundError):
        list(client.events("nobodys"))
