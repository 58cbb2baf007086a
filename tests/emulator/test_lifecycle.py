"""The emulator's own life: it ends as a whole, keeps its state, and is never confused with another."""

import os
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from darkroom import Client, JobStatus

from laptop import emulator, environment, ports, users
from laptop.environment import NotLoopbackError
from laptop.places import Home
from laptop.waiting import wait_for
from laptop.world import World
from tests.emulator.conftest import running


def test_start_an_emulator_that_is_killed_leaves_no_process(no_account: None, tmp_path: Path) -> None:
    home = Home(tmp_path)
    started = emulator.start(home, port=ports.free())
    members = [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _group(entry) == started.process]
    assert emulator.find(home) == started
    assert len(members) > 1
    os.kill(started.process, signal.SIGKILL)
    os.waitpid(started.process, 0)
    assert wait_for(lambda: not any(map(_lives, members)), 10)
    assert emulator.find(home) is None


def test_start_on_a_port_that_is_taken_says_so_and_leaves_nothing(no_account: None, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(emulator.EmulatorError, match="did not start"):
            emulator.start(Home(tmp_path), port=taken.getsockname()[1])
    assert emulator.find(Home(tmp_path)) is None


def test_stop_and_start_keeps_jobs_files_and_addresses(no_account: None, tmp_path: Path, photos: Path) -> None:
    home = Home(tmp_path / "home")
    with running(home) as first:
        users.create(first, users.DEMO)
        with users.sign_in(first, users.DEMO, tmp_path / "profile.json") as client:
            job_id = client.submit(client.upload(photos / "freespace.jpg")).job_id
            assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
            report = client.result(job_id)
            waiting = client.submit("nothing-uploaded").job_id
            assert list(client.watch(waiting))[-1].status is JobStatus.FAILED
    assert emulator.find(home) is None
    with running(home) as again:
        assert again.outputs == first.outputs
        with users.sign_in(again, users.DEMO, tmp_path / "profile.json") as client:
            assert client.get(job_id).status is JobStatus.SUCCEEDED
            assert client.result(job_id) == report
            assert client.artefact(job_id, "preview").startswith(b"\xff\xd8")
            assert len(World(again).dead_letters(waiting)) == 1
            _works_on(client, photos)


def test_execution_that_ran_when_the_emulator_stopped_is_gone_after_the_start(
    no_account: None, tmp_path: Path, photos: Path
) -> None:
    home = Home(tmp_path / "home")
    with ExitStack() as afterwards, running(home) as first:
        users.create(first, users.DEMO)
        client = afterwards.enter_context(users.sign_in(first, users.DEMO, tmp_path / "profile.json"))
        world = World(first)
        with world.held("Report"):
            job_id = client.submit(client.upload(photos / "freespace.jpg")).job_id
            assert wait_for(lambda: client.get(job_id).progress >= 85)
            assert world.executions(job_id) == [client.get(job_id).execution]
            emulator.stop(first.emulator)
            afterwards.callback(emulator.stop, emulator.start(home, port=first.emulator.port))
            assert client.get(job_id).execution is not None
            assert world.executions(job_id) == []


def _works_on(client: Client, photos: Path) -> None:
    job_id = client.submit(client.upload(photos / "life.jpg")).job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED


def test_refuse_other_machines_with_an_endpoint_elsewhere_raises() -> None:
    with pytest.raises(NotLoopbackError, match=r"https://sqs\.example\.org"):
        environment.refuse_other_machines({"AWS_ENDPOINT_URL_SQS": "https://sqs.example.org"})


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:4566"])
def test_refuse_other_machines_with_an_endpoint_here_passes(endpoint: str) -> None:
    environment.refuse_other_machines({"AWS_ENDPOINT_URL": endpoint, "AWS_PROFILE": "production"})


def _group(process: Path) -> int | None:
    try:
        return os.getpgid(int(process.name))
    except ProcessLookupError:
        return None


def _lives(process: int) -> bool:
    """One that has ended, but was not collected by its parent yet, does not live."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
