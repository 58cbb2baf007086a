"""`darkroom second-factor on` and `off`: whether signing in asks for a code of an authenticator app, too.

For where the deployment leaves it to its users. Where it asks everybody, `login` sets the app up.
"""

from typing import Annotated

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.options import Json, ProfileName
from darkroom.cli.questions import ask_until_taken, first_code, need_terminal
from darkroom.client import Client
from darkroom.session import Session
from darkroom.sign_in import UserPool
from darkroom.tokens import TokenFile

_ALREADY = (
    "Signing in asks for a code already. For another app in place of that: `darkroom second-factor on --replace`."
)
_HALFWAY = (
    "Go through with this: if you stop, the app that you have may no longer be asked for, and the password is enough."
)

Replace = Annotated[bool, typer.Option("--replace", help="Have another app in place of the one that there is.")]


def on(context: typer.Context, *, replace: Replace = False, profile: ProfileName = None, json: Json = False) -> None:
    """Set an authenticator app up; from then on, signing in asks for its code."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        token = _token(desk, client)
        account = client.user_pool.account(token)
        if account.has_second_factor and not replace:
            desk.terminal.tell({"secondFactor": True}, _ALREADY)
            return
        need_terminal("Second factor")
        if account.has_second_factor:
            desk.terminal.say(_HALFWAY, style="yellow")
        _set_up(desk, client.user_pool, token, account.email)
    desk.terminal.tell({"secondFactor": True}, "From now on, signing in asks for a code of this app.")


def off(context: typer.Context, *, profile: ProfileName = None, json: Json = False) -> None:
    """Sign in by the password alone, where the deployment does not ask everybody for a code."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        client.user_pool.demand_no_code(_token(desk, client))
    words = "From now on, signing in asks for no code, unless this Darkroom asks everybody for one."
    desk.terminal.tell({"secondFactor": False}, words)


def _token(desk: Desk, client: Client) -> str:
    return Session(TokenFile(client.profile), client.user_pool, desk.surroundings).token()


def _set_up(desk: Desk, pool: UserPool, token: str, email: str) -> None:
    question = first_code(pool.new_secret(token), email)
    ask_until_taken(desk.terminal, question, lambda code: pool.demand_code(token, code))
