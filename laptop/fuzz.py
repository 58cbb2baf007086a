"""`make fuzz`: schemathesis over the whole API document against an emulator of its own, signed in as two users.

It judges the answers; what was put into the job queue is judged here. Exit code 0 only when neither found anything.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from darkroom import Client
from darkroom.tokens import TokenFile

from laptop import assembly, deployment, emulator, environment, ports, users
from laptop.deployment import Deployment
from laptop.places import ENVIRONMENT_BIN, HOME, ROOT, Home
from laptop.world import World

FOLDER: Final = HOME / "fuzz"
SUBMITTING: Final = ("putJob", "submitJob")
_RULES: Final = ROOT / "laptop" / "schemathesis.toml"
_ACCEPTED: Final = 202


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run has found, in words."""

    cases: int
    findings: Sequence[str]


def run(deployed: Deployment, clients: Sequence[Client], folder: Path, *, cases: int, seconds: int) -> Outcome:
    """Try every call with so many cases of each kind, for so many seconds at most, as one client and the other."""
    folder.mkdir(parents=True)
    _configure(folder, clients)
    whole = _schemathesis(deployed, folder, "whole", "--max-examples", str(cases), "--max-time", str(seconds))
    world = World(deployed)
    with world.queue_unread():
        calls = [argument for name in SUBMITTING for argument in ("--include-operation-id", name)]
        queue = _schemathesis(
            deployed, folder, "queue", *calls, "--phases", "examples,coverage,fuzzing", "--max-examples", str(cases)
        )
        stray = _stray(world, folder / "queue.har")
    return Outcome(cases=_cases(whole) + _cases(queue), findings=[*_findings(whole), *_findings(queue), *stray])


def _configure(folder: Path, clients: Sequence[Client]) -> None:
    """Write who signs in. The tokens are in the file: it is for this machine's emulator only, and good for an hour."""
    named = {f"user-{number}": TokenFile(client.profile).load() for number, client in enumerate(clients)}
    entries = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": tokens.access_token}]}
        for name, tokens in named.items()
        if tokens
    ]
    (folder / "users.json").write_text(json.dumps({"auth": entries}))
    peers = json.dumps(list(named))
    rules = f'{_RULES.read_text()}\n[auth.wfc]\npath = "users.json"\npeers = {peers}\n'
    (folder / "schemathesis.toml").write_text(rules)


def _schemathesis(deployed: Deployment, folder: Path, name: str, *arguments: str) -> dict[str, Any]:
    """Run it in the folder, where its settings are, and return its report."""
    report = folder / f"{name}.json"
    command = [
        *(str(ENVIRONMENT_BIN / "schemathesis"), "run", str(ROOT / "openapi.yaml"), "--url", deployed.api_url),
        *("--continue-on-failure", "--generation-database", "none", "--seed", "1", "--no-color"),
        # One worker: with several, it trips over a fault of Python 3.11 (compiling in threads, gh-106905).
        *("--workers", "1"),
        *("--report", "json,har", "--report-json-path", str(report), "--report-har-path", str(folder / f"{name}.har")),
        *arguments,
    ]
    with (folder / f"{name}.log").open("w") as log:
        subprocess.run(  # noqa: S603 - a pinned tool
            command, cwd=folder, env=environment.for_tools(), stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if not report.exists():
        raise RuntimeError(f"schemathesis did not run: see {folder / f'{name}.log'}")
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def _cases(report: dict[str, Any]) -> int:
    return int(report["test_cases"]["generated"])


def _findings(report: dict[str, Any]) -> list[str]:
    failures = [f"{each['code']} {each['title']}: {', '.join(each['operations'])}" for each in report["failures"]]
    operations = report["operations"]
    untested = operations["selected"] - operations["tested"]
    return [*failures, *map(str, report["errors"]), *([f"{untested} calls were not tested"] if untested else [])]


def _stray(world: World, recorded: Path) -> list[str]:
    """Compare what is in the job queue with the bodies that were accepted."""
    entries = json.loads(recorded.read_text())["log"]["entries"]
    accepted = Counter(
        entry["request"]["postData"]["text"] for entry in entries if entry["response"]["status"] == _ACCEPTED
    )
    queued = Counter(message["Body"] for message in world.take(world.outputs["JobQueueUrl"]))
    if not accepted:
        return ["no submission was accepted, so nothing is known of the queue"]
    extra = [f"in the queue, but not accepted: {body}" for body in queued - accepted]
    return [*extra, *(f"accepted, but not in the queue: {body}" for body in accepted - queued)]


def main() -> int:
    """Start an emulator, fuzz it, and tell what was found."""
    parser = argparse.ArgumentParser(prog="python -m laptop.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=500, help="at most, of each call and phase")
    parser.add_argument("--seconds", type=int, default=2400, help="at most: a token is good for an hour")
    given = parser.parse_args()
    environment.isolate()
    shutil.rmtree(FOLDER, ignore_errors=True)
    assembly.synthesize()
    home = Home(FOLDER / "home")
    home.path.mkdir(parents=True)
    started = emulator.start(home, port=ports.free())
    try:
        deployed = deployment.deploy(started, home)
        clients = [_signed_in(deployed, user) for user in (users.DEMO, users.GUEST)]
        outcome = run(deployed, clients, FOLDER / "run", cases=given.cases, seconds=given.seconds)
    finally:
        emulator.stop(started)
    print("\n".join([*outcome.findings, f"{outcome.cases} cases, {len(outcome.findings)} findings: {FOLDER / 'run'}"]))
    return 1 if outcome.findings else 0


def _signed_in(deployed: Deployment, user: users.User) -> Client:
    users.create(deployed, user)
    return users.sign_in(deployed, user, FOLDER / user.name / "profile.json")


if __name__ == "__main__":
    sys.exit(main())
