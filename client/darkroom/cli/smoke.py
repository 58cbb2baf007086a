"""`darkroom smoke`: whether a Darkroom works, before anybody else finds out."""

import os
from typing import Annotated

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.options import ProfileName
from darkroom.cli.plain_text import plain
from darkroom.client import Client
from darkroom.errors import InvalidArgumentError, ProfileError
from darkroom.machine import MachineSession
from darkroom.profile import Profile
from darkroom.smoke import Smoke

API_URL = "DARKROOM_API_URL"
TOKEN_URL = "DARKROOM_TOKEN_URL"  # noqa: S105 - the name of a variable
CLIENT_ID = "DARKROOM_CLIENT_ID"
CLIENT_SECRET = "DARKROOM_CLIENT_SECRET"  # noqa: S105 - the name of a variable
OF_A_MACHINE = (API_URL, TOKEN_URL, CLIENT_ID, CLIENT_SECRET)

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, one line for each check.")]
Seconds = Annotated[float, typer.Option("--seconds", min=1, metavar="N", help="Give up after this many seconds.")]
Skip = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="CHECK", help="Leave a check out; `no-image` is the one that leaves a dead letter."),
]


def smoke(
    context: typer.Context,
    *,
    skip: Skip = None,
    seconds: Seconds = 120,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Check a Darkroom with a few jobs on a picture of its own, and delete them. Ends with 0 or 1.

    A machine signs in with DARKROOM_API_URL, DARKROOM_TOKEN_URL, DARKROOM_CLIENT_ID and DARKROOM_CLIENT_SECRET.
    """
    desk = Desk.of(context, json=json)
    with _machine(desk) or desk.client(profile) as client:
        run = Smoke(client, desk.surroundings, seconds=seconds)
        if unknown := sorted(set(skip or ()) - run.checks.keys()):
            raise InvalidArgumentError(f"There is no check {', '.join(unknown)}; there are {', '.join(run.checks)}.")
        failed = 0
        for outcome in run.run(frozenset(skip or ())):
            failed += outcome.failure is not None
            if json:
                desk.terminal.emit(outcome.document)
            else:
                why = f"  {plain(outcome.failure)}" if outcome.failure else ""
                mark = "failed" if outcome.failure else "ok"
                desk.terminal.show_line(f"{mark:6}  {outcome.name:12}  {outcome.seconds:5.1f} s{why}")
    if failed:
        desk.terminal.say(f"{failed} of the checks failed.", style="red")
        raise typer.Exit(ExitCode.JOB_FAILED)


def _machine(desk: Desk) -> Client | None:
    """Make the client of a machine, if the environment says which. Raises ProfileError when it says half of it."""
    values = {name: os.environ.get(name, "") for name in OF_A_MACHINE}
    if not values[CLIENT_SECRET]:
        return None
    if missing := [name for name, value in values.items() if not value]:
        raise ProfileError(f"{CLIENT_SECRET} is set, and {', '.join(missing)} is not.")
    profile = Profile.of(api_url=values[API_URL], auth_url=values[TOKEN_URL], client_id=values[CLIENT_ID])
    tokens = MachineSession(values[TOKEN_URL], values[CLIENT_ID], values[CLIENT_SECRET], desk.surroundings)
    return Client(profile, tokens=tokens, surroundings=desk.surroundings)
