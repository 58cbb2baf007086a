"""Start and stop the console's origin on this machine: a process of its own, that ends when its emulator does."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from laptop import environment, front_main, front_routes, held_file, ports, users
from laptop.deployment import Deployment
from laptop.places import CONSOLE, ROOT, Home
from laptop.waiting import wait_for
from stacks import console_site
from stacks.console_site import Route, Surroundings

USUAL_PORT: Final = 4600
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 10.0


class FrontError(RuntimeError):
    """The console could not be served; the message says what to do."""


@dataclass(frozen=True)
class Front:
    """One that runs."""

    process: int
    port: int
    plan: str
    """Digest of what it was started with."""

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self.port}"


def find(home: Home) -> Front | None:
    """Return the console's origin of this home when it runs."""
    said = held_file.holder(home.front_lock)
    return Front(process=said["process"], port=said["port"], plan=said["plan"]) if said else None


def bring_up(home: Home, deployed: Deployment, *, port: int | None = None, folder: Path = CONSOLE) -> Front:
    """Serve the console of a deployment, unless that is what is done. Raises FrontError and PortTakenError."""
    plan = _plan(deployed, folder)
    running = find(home)
    if running and running.plan == plan["digest"]:
        return running
    stop(home)
    chosen = port if port is not None else ports.choose("CONSOLE_PORT", home.front_port, USUAL_PORT)
    home.front.write_text(json.dumps({**plan, "port": chosen}))
    with home.front_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "laptop.front_main", str(home.path)],
            cwd=ROOT,
            env=environment.for_tools(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_for(lambda: find(home) is not None or process.poll() is not None, _START_SECONDS)
    started = find(home)
    if started is None:
        with suppress(ProcessLookupError):
            process.kill()
        raise FrontError(f"The console is not served. Its log, {home.front_log}, says:\n{home.front_log.read_text()}")
    home.front_port.write_text(str(chosen))
    return started


def stop(home: Home) -> None:
    """End it, if it runs."""
    running = find(home)
    if running is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(running.process, number)
        if wait_for(lambda: find(home) is None, _STOP_SECONDS):
            break
    with suppress(ChildProcessError):
        os.waitpid(running.process, os.WNOHANG)


def _plan(deployed: Deployment, folder: Path) -> dict[str, Any]:
    """What the program has to know; `digest` is of that and of the program."""
    plan = {
        "folder": str(folder),
        "endpoint": deployed.emulator.endpoint,
        "bucket": deployed.outputs["ImageBucketName"],
        "behind": {
            Route.API: deployed.api_url.removeprefix(deployed.emulator.endpoint),
            Route.LIVE: deployed.push_path,
            Route.SIGN_IN: "/",
            Route.FILES: "",
        },
        "config": {**_surroundings(deployed).document(), "demoUser": _demo_user()},
    }
    programs = [module.__file__ for module in (front_main, front_routes, held_file, console_site)]
    found = hashlib.sha256(json.dumps(plan, sort_keys=True).encode())
    for program in programs:
        found.update(Path(str(program)).read_bytes())
    return {**plan, "digest": found.hexdigest()}


def _surroundings(deployed: Deployment) -> Surroundings:
    return Surroundings(
        stage="laptop",
        region=deployed.outputs["Region"],
        user_pool_client_id=deployed.outputs["UserPoolClientId"],
        execution_url=None,  # the emulator has no console to look at
    )


def _demo_user() -> dict[str, str]:
    """Whom the page may offer to sign in, on this machine only."""
    return {"username": users.DEMO.name}
