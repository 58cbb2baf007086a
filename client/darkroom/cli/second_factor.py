"""`darkroom second-factor on` and `off`: whether signing in asks for a code of an authenticator app, too.

For where the deployment leaves it to its users. Where it asks everybody, `login` sets the app up.
"""

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.options import Json, ProfileName
from darkroom.cli.questions import ask_until_taken, first_code
from darkroom.session import Session
from darkroom.tokens import TokenFile


def on(context: typer.Context, *, profile: ProfileName = None, json: Json = False) -> None:
    """Set an authenticator app up, or another one in its place; from then on, signing in asks for its code."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        pool = client.user_pool
        token = Session(TokenFile(client.profile), pool, desk.surroundings).token()
        question = first_code(pool.new_secret(token), pool.email(token))
        ask_until_taken(desk.terminal, question, lambda code: pool.demand_code(token, code))
    desk.terminal.tell({"secondFactor": True}, "From now on, signing in asks for a code of this app.")


def off(context: typer.Context, *, profile: ProfileName = None, json: Json = False) -> None:
    """Sign in by the password alone."""
    desk = Desk.of(context, json=json)
    with desk.client(profile) as client:
        pool = client.user_pool
        pool.demand_no_code(Session(TokenFile(client.profile), pool, desk.surroundings).token())
    desk.terminal.tell({"secondFactor": False}, "From now on, signing in asks for no code.")
