"""Push, on the real channel: connections die in the middle, and every event still arrives once and in order."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from darkroom import Client, JobEvent, JobStatus
from darkroom.push import LineLostError, connect

from laptop.waiting import wait_for
from laptop.world import World
from tests import asyncapi
from tests.emulator import channel

JOBS = 20


@pytest.fixture(scope="module")
def submitted(client: Client, image_id: str) -> list[str]:
    """Jobs to come: their ids, so that one can watch from before they are."""
    return [client.new_job_id() for _ in range(JOBS)]


def test_every_event_of_twenty_jobs_arrives_once_and_in_order_though_connections_die(
    client: Client, world: World, image_id: str, submitted: list[str]
) -> None:
    with _cutting(world) as cuts, _command("watch", "--events", *submitted, client=client) as command:
        with ThreadPoolExecutor(JOBS) as threads:
            told = [threads.submit(lambda job_id: list(client.events(job_id)), job_id) for job_id in submitted]
            for job_id in submitted:
                client.submit(image_id, job_id=job_id)
            by_client = {job_id: events.result() for job_id, events in zip(submitted, told, strict=True)}
        printed, _ = command.communicate(timeout=120)
    by_command: dict[str, list[JobEvent]] = {job_id: [] for job_id in submitted}
    for line in printed.splitlines():
        event = JobEvent.parse(json.loads(line))
        by_command[event.job_id].append(event)

    assert command.returncode == 0
    assert len(cuts) >= 3
    for job_id in submitted:
        job = client.get(job_id)
        assert job.status is JobStatus.SUCCEEDED
        assert job.seq is not None
        for events in (by_client[job_id], by_command[job_id]):
            assert [event.seq for event in events] == list(range(1, job.seq + 1))
            assert events[-1].status is JobStatus.SUCCEEDED


def test_connections_that_are_over_are_forgotten(world: World) -> None:
    assert wait_for(lambda: world.connections() == [])


def test_watch_goes_on_with_what_is_pushed_and_ends_with_the_job_as_it_is(client: Client, image_id: str) -> None:
    job_id = client.submit(image_id).job_id

    states = list(client.watch(job_id))

    assert states[-1] == client.get(job_id)
    progress = [job.progress for job in states]
    assert (progress, progress[-1]) == (sorted(progress), 100)
    assert {entry.status.value for entry in states[-1].timeline if not entry.reason} == {"DONE", "SKIPPED"}


def test_without_push_the_same_events_are_asked_for(client: Client, image_id: str) -> None:
    with Client(client.profile, push=False) as asking:
        job_id = asking.submit(image_id).job_id
        asked = list(asking.events(job_id))

    assert [event.seq for event in asked] == list(range(1, len(asked) + 1))
    assert asked == list(client.events(job_id))


def test_stages_reach_a_watcher_soon_after_their_write(
    client: Client, image_id: str, record_property: Any, http: httpx.Client
) -> None:
    """Measured and told, beside the same by asking; not asserted as a time."""
    pushed = _delays(client, image_id)
    with Client(client.profile, push=False) as asking:
        asked = _delays(asking, image_id)
    medians = {"pushed": statistics.median(pushed), "asked": statistics.median(asked)}
    record_property("median_seconds", medians)
    print(f"\nmedian from write to watcher: {medians['pushed']:.3f} s pushed, {medians['asked']:.3f} s asked for")

    assert len(pushed) == len(asked)


def test_another_user_is_told_nothing(client: Client, stranger: Client, image_id: str, as_anybody: Any) -> None:
    job_id = client.submit(image_id).job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    with as_anybody(stranger) as http, channel.connected(http.post("/tickets").json()) as socket:
        channel.subscribe(socket, all=True, jobs={job_id: 0})
        later = client.submit(image_id).job_id
        assert list(client.watch(later))[-1].status is JobStatus.SUCCEEDED
        heard = channel.heard(socket)

    assert heard == [{"type": "subscribed", "all": True, "jobs": {job_id: 0}}]


def test_owner_is_told_of_all_own_jobs_in_messages_of_the_document(
    client: Client, image_id: str, http: httpx.Client
) -> None:
    with channel.connected(http.post("/tickets").json()) as socket:
        channel.subscribe(socket, all=True)
        job_id = client.submit(image_id).job_id
        assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
        heard = channel.heard(socket)

    for message in heard:
        asyncapi.check(message["type"].title(), message)
    events = [event for message in heard for event in message.get("events", []) if event["subject"] == job_id]
    assert [event["data"]["seq"] for event in events] == list(range(1, (client.get(job_id).seq or 0) + 1))


def test_ticket_is_good_once(http: httpx.Client) -> None:
    ticket = http.post("/tickets").json()
    address = f"{ticket['url']}?ticket={ticket['ticket']}"
    connect(address).close()

    for refused in (address, ticket["url"], f"{ticket['url']}?ticket=guessed"):
        with pytest.raises(LineLostError):
            connect(refused)


@contextmanager
def _cutting(world: World) -> Iterator[list[str]]:
    """Close every connection that there is, again and again, for the length of the block; which ones, is the value."""
    over = threading.Event()
    cuts: list[str] = []

    def cut() -> None:
        while not over.wait(1.5):
            for connection in world.connections():
                world.cut(connection)
                cuts.append(connection)

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield cuts
    finally:
        over.set()
        thread.join()


@contextmanager
def _command(*arguments: str, client: Client) -> Iterator["subprocess.Popen[str]"]:
    """Run the command beside the test, as the client's user."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", "import sys; from darkroom.cli import main; sys.exit(main())", *arguments],
        env={**os.environ, "DARKROOM_PROFILE_FILE": str(client.profile.path), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _delays(client: Client, image_id: str) -> list[float]:
    """Seconds from each write of a job's row to the moment in which its event is here."""
    job_id = client.submit(image_id).job_id
    return [time.time() - event.time.timestamp() for event in client.events(job_id)]
