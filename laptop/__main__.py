"""`python -m laptop up|down|demo|status|logs|clean`: Darkroom on this machine. The Makefile calls this."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from types import FrameType

from darkroom import Client
from darkroom.errors import DarkroomError

from laptop import demo, emulator, environment, running, users
from laptop.assembly import CdkError
from laptop.emulator import EmulatorError
from laptop.environment import NotLoopbackError
from laptop.front import FrontError
from laptop.places import HOME, ROOT
from laptop.ports import PortTakenError
from laptop.world import World

_EXPECTED = (CdkError, EmulatorError, FrontError, PortTakenError, NotLoopbackError, DarkroomError, LookupError)
"""What says in its message what to do."""


def up() -> int:
    """Bring everything up and say how to go on."""
    deployed = running.up()
    print(f"\nDarkroom answers at {deployed.api_url}, and {users.DEMO.name} is signed in. Try:\n")
    print(f"    {_command()} analyze photos/life.jpg\n    {_command()} list\n    make status\n    make down")
    print(f"\nThe console is at {running.console_url()}: sign in as {users.DEMO.name}, password {users.DEMO.password}")
    return 0


def down() -> int:
    """Stop the emulator; its state stays."""
    if not running.down():
        print("Darkroom does not run here.")
    if running.MINE.state.exists():
        where = running.MINE.state.relative_to(ROOT)
        print(f"Its state is in {where}: `make up` goes on from there, `make clean` deletes it.")
    return 0


def status() -> int:
    """Say what runs where, and what became of the jobs."""
    found = running.found()
    world = World(found)
    with Client(Client.from_profile().profile) as client:
        counts: dict[str, int] = {}
        for job in client.jobs():
            counts[job.status.lower()] = counts.get(job.status.lower(), 0) + 1
    rows = {
        "console": f"{running.console_url() or 'not served: run `make up`'}",
        "API": found.api_url,
        "AWS": f"{found.emulator.endpoint} (process {found.emulator.process})",
        "user": users.DEMO.name,
        "profile": users.PROFILE.relative_to(ROOT),
        "jobs": ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none yet",
        "dead letters": len(world.dead_letters()),
        "log": running.MINE.log.relative_to(ROOT),
        "state": running.MINE.state.relative_to(ROOT),
    }
    for name, value in rows.items():
        print(f"{name:14}{value}")
    return 0


def logs() -> int:
    """Follow what the emulator and the functions say."""
    print(emulator.tail(running.MINE, 40))
    if emulator.find(running.MINE) is None:
        return 0
    return subprocess.call(["/usr/bin/env", "tail", "-n", "0", "-F", str(running.MINE.log)])  # noqa: S603 - fixed


def run_demo() -> int:
    """Show and check everything; stop the emulator again when it was started for this."""
    began = time.monotonic()
    before = emulator.find(running.MINE)
    deployed = running.up()
    keep = before is not None or bool(os.environ.get("KEEP"))
    try:
        good = demo.run(deployed)
    finally:
        print()
        if not keep:
            running.down()
    print(f"\n{'All went as it should' if good else 'NOT all went as it should'}, in {time.monotonic() - began:.0f} s.")
    _say_how_to_go_on(keep)
    return 0 if good else 1


def clean() -> int:
    """Stop the emulator and delete all that the laptop has made."""
    running.down()
    shutil.rmtree(users.PROFILE.parent, ignore_errors=True)
    shutil.rmtree(HOME, ignore_errors=True)
    return 0


def _say_how_to_go_on(keep: bool) -> None:
    if keep:
        print(
            f"The console is at {running.console_url()}: sign in as {users.DEMO.name}, password {users.DEMO.password}"
        )
        print(f"Everything still runs: `{_command()} list`, `make status`; `make down` stops it.")
    else:
        print("`make up` starts it again with these jobs still there; `KEEP=1 make demo` leaves it running.")
    print(f"Logs are in {running.MINE.log.relative_to(ROOT)}, state is in {running.MINE.state.relative_to(ROOT)}.")


def _command() -> str:
    return ".venv/bin/darkroom"


_COMMANDS = {"up": up, "down": down, "demo": run_demo, "status": status, "logs": logs, "clean": clean}


def main() -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m laptop", description=__doc__)
    parser.add_argument("command", choices=_COMMANDS)
    command = _COMMANDS[parser.parse_args().command]
    # As ^C, so that what was begun is undone.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        environment.refuse_other_machines(os.environ)
        environment.isolate()
        return command()
    except _EXPECTED as error:
        print(f"Darkroom: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
