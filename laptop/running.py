"""Bring the whole of Darkroom up on this machine, and take it down. Says what it does in steps."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from laptop import assembly, deployment, emulator, front, users
from laptop.deployment import Deployment
from laptop.emulator import Emulator
from laptop.places import HOME, Home
from laptop.steps import step

MINE = Home(HOME)


def up() -> Deployment:
    """Start what does not run, deploy what has changed, sign the demo user in. Leaves nothing running when it fails."""
    with step("Stack, synthesized"):
        assembly.synthesize()
    running = emulator.find(MINE)
    if running and running.is_current:
        return _deploy(running)
    if running:
        down()
    with step("Emulator of AWS, started"):
        started = emulator.start(MINE)
    with stopped_if_this_fails(started):
        return _deploy(started)


def down() -> bool:
    """Stop the emulator; tell whether it ran."""
    running = emulator.find(MINE)
    if running is None:
        return False
    with step("Emulator of AWS, stopped"):
        front.stop(MINE)
        emulator.stop(running)
    # Unpacked functions, which are unpacked again when they are needed.
    shutil.rmtree(MINE.scratch, ignore_errors=True)
    return True


def found() -> Deployment:
    """Return what runs. Raises LookupError when nothing does."""
    running = emulator.find(MINE)
    if running is None:
        raise LookupError("Darkroom does not run here. Run `make up`.")
    return deployment.find(running)


def console_url() -> str | None:
    """Where the console is; None when it is not served."""
    served = front.find(MINE)
    return served.url if served else None


@contextmanager
def stopped_if_this_fails(started: Emulator) -> Iterator[None]:
    """Stop the emulator when the block ends by an exception, ^C included."""
    try:
        yield
    except BaseException:
        print("Stopping the emulator again.", file=sys.stderr)
        emulator.stop(started)
        raise


def _deploy(running: Emulator) -> Deployment:
    with step("Stack, deployed"):
        deployed = deployment.deploy(running, MINE)
    with step("Demo user, signed in"):
        for user in (users.DEMO, users.GUEST):
            users.create(deployed, user)
        users.sign_in(deployed, users.DEMO).close()
    with step("Console, served"):
        front.bring_up(MINE, deployed)
    return deployed
