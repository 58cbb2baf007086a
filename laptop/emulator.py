"""Start and stop the emulator: one process group that ends as a whole, whatever happens to its parts.

The emulator holds a lock on a file for as long as it lives (`emulator_main.py`, `held_file.py`).
"""

import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from laptop import emulator_patches, environment, held_file, ports
from laptop.places import EMULATOR_PYTHON, ROOT, Home
from laptop.waiting import wait_for

USUAL_PORT: Final = 4566
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
"""It writes its state when it is told to stop."""
_KILL_SECONDS: Final = 2.0
"""Nothing survives KILL; but where nobody collects the dead, they are counted for longer."""
_LOG_BYTES: Final = 20_000_000
"""A log larger than this is begun anew at the next start."""


class EmulatorError(RuntimeError):
    """The emulator could not be started or stopped; the message says what to do."""


@dataclass(frozen=True)
class Emulator:
    """One that runs."""

    process: int
    port: int
    patches: str

    @property
    def is_current(self) -> bool:
        """Tell whether it runs with the patches of the working tree."""
        return self.patches == emulator_patches.digest()

    @property
    def endpoint(self) -> str:
        """Where it answers, as an address of numbers: clients then address buckets by path, which always resolves."""
        return f"http://127.0.0.1:{self.port}"

    def is_healthy(self) -> bool:
        """Tell whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)  # noqa: PLR2004 - HTTP
        except (urllib.error.URLError, OSError):
            return False


def find(home: Home) -> Emulator | None:
    """Return the emulator of this home when it runs."""
    said = held_file.holder(home.lock)
    return Emulator(process=said["process"], port=said["port"], patches=said.get("patches", "")) if said else None


def start(home: Home, *, port: int | None = None, extra: Mapping[str, str] | None = None) -> Emulator:
    """Start it and wait until it answers. Raises EmulatorError. Interrupted or failed, it leaves nothing running.

    `extra` is added to its environment, which every function inherits.
    """
    if not EMULATOR_PYTHON.exists():
        raise EmulatorError("The emulator is not installed. Run `make setup`.")
    _prepare(home)
    chosen = port if port is not None else ports.choose("LAPTOP_PORT", home.port, USUAL_PORT)
    with home.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [str(EMULATOR_PYTHON), "-m", "laptop.emulator_main", str(home.lock)],
            cwd=ROOT,
            env={
                **environment.for_emulator(port=chosen, scratch=str(home.scratch)),
                "PERSIST_STATE": "1",
                "STATE_DIR": str(home.state),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(home.state / "s3"),
                **(extra or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(process.pid, chosen, emulator_patches.digest())
    with _gone_if_this_fails(emulator):
        wait_for(lambda: emulator.is_healthy() or process.poll() is not None, _START_SECONDS)
        if process.poll() is not None or not emulator.is_healthy():
            raise EmulatorError(f"The emulator did not start. Its log, {home.log}, ends:\n{tail(home)}")
    home.port.write_text(str(chosen))
    return emulator


def stop(emulator: Emulator) -> None:
    """Tell it to save its state and end; then end whatever is left of its group."""
    _signal(emulator.process, signal.SIGTERM)
    if not wait_for(lambda: not _process_lives(emulator.process), _STOP_SECONDS):
        _signal(emulator.process, signal.SIGKILL)
        wait_for(lambda: not _process_lives(emulator.process), _KILL_SECONDS)
    # Functions that are still at work must not go on against the next emulator on this port. The watchdog ends them
    # too; asking again costs nothing, and tells when they are gone.
    _signal_group(emulator.process, signal.SIGKILL)
    wait_for(lambda: not _group_lives(emulator.process), _KILL_SECONDS)


def tail(home: Home, lines: int = 15) -> str:
    """Return the end of the log."""
    return "\n".join(home.log.read_text(errors="replace").splitlines()[-lines:]) if home.log.exists() else ""


def _prepare(home: Home) -> None:
    home.state.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home.scratch, ignore_errors=True)
    home.scratch.mkdir()
    if home.log.exists() and home.log.stat().st_size > _LOG_BYTES:
        home.log.unlink()


@contextmanager
def _gone_if_this_fails(emulator: Emulator) -> Iterator[None]:
    try:
        yield
    except BaseException:
        stop(emulator)
        raise


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _process_lives(process: int) -> bool:
    """A child of ours that has ended is collected here, or it would count as living for ever."""
    with suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
