"""`darkroom configure`, `login`, `logout` and `version`: whom to speak to, and as whom."""

from typing import Annotated

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.options import Json, ProfileName
from darkroom.cli.questions import PASSWORD, USERNAME, ask, tokens_of
from darkroom.client import Client
from darkroom.errors import DarkroomError
from darkroom.operator_places import OperatorPlaces
from darkroom.profile import Profile, path_to_write
from darkroom.surroundings import VERSION
from darkroom.tokens import TokenFile

ApiUrl = Annotated[str, typer.Option("--api-url", metavar="URL", help="The stack's output ApiUrl.", show_default=False)]
ClientId = Annotated[
    str,
    typer.Option("--client-id", metavar="ID", help="The stack's output of the user pool client.", show_default=False),
]
AuthUrl = Annotated[str | None, typer.Option("--auth-url", metavar="URL", help="Where to sign in; Cognito by default.")]
Region = Annotated[
    str | None, typer.Option("--region", metavar="NAME", help="The user pool's; that of the API when left out.")
]
DeadLetterQueueUrl = Annotated[
    str | None,
    typer.Option("--dead-letter-queue-url", metavar="URL", help="For operators: the output DeadLetterQueueUrl."),
]
RedriveFunction = Annotated[
    str | None,
    typer.Option("--redrive-function", metavar="NAME", help="For operators: the output RedriveFunctionName."),
]
Stack = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="For operators: the stack's name, such as Darkroom-prod.")
]
Username = Annotated[
    str | None, typer.Option("--username", metavar="NAME", help=f"Whom to sign in; {USERNAME.variable} by default.")
]


def configure(
    context: typer.Context,
    *,
    api_url: ApiUrl,
    client_id: ClientId,
    auth_url: AuthUrl = None,
    region: Region = None,
    dead_letter_queue_url: DeadLetterQueueUrl = None,
    redrive_function: RedriveFunction = None,
    stack: Stack = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Write a profile: the addresses of one deployment."""
    desk = Desk.of(context, json=json)
    operator = OperatorPlaces.of(
        dead_letter_queue_url=dead_letter_queue_url, redrive_function=redrive_function, stack=stack
    )
    made = Profile.of(api_url=api_url, client_id=client_id, auth_url=auth_url, region=region, operator=operator or None)
    path = path_to_write(profile)
    made.save(path)
    desk.terminal.tell({"profile": str(path)}, f"Wrote {path}. Next: `darkroom login`.")


def login(
    context: typer.Context, *, username: Username = None, profile: ProfileName = None, json: Json = False
) -> None:
    """Sign in. Asks for what DARKROOM_USERNAME, DARKROOM_PASSWORD and DARKROOM_CODE (a second factor) do not say."""
    desk = Desk.of(context, json=json)
    chosen = Profile.find(profile)
    with Client(chosen, surroundings=desk.surroundings) as client:
        name = username or ask(USERNAME)
        step = client.user_pool.sign_in(name, ask(PASSWORD))
        tokens = tokens_of(desk.terminal, client.user_pool, step, name)
    TokenFile(chosen).save(tokens)
    told = {"signedIn": True, "username": name, "apiUrl": chosen.api_url}
    desk.terminal.tell(told, f"Signed in to {chosen.api_url}.")


def logout(context: typer.Context, *, profile: ProfileName = None, json: Json = False) -> None:
    """Forget the sign-in, here and at the user pool."""
    desk = Desk.of(context, json=json)
    chosen = Profile.find(profile)
    tokens = TokenFile(chosen).load()
    TokenFile(chosen).forget()
    if tokens and tokens.refresh_token:
        try:
            with Client(chosen, surroundings=desk.surroundings) as client:
                client.user_pool.revoke(tokens.refresh_token)
        except DarkroomError as error:
            desk.terminal.say(f"The user pool was not told, and will forget in its own time: {error}", style="yellow")
    desk.terminal.tell({"signedIn": False}, "Signed out.")


def version(context: typer.Context, *, json: Json = False) -> None:
    """Print the version of this client."""
    desk = Desk.of(context, json=json)
    if desk.terminal.json:
        desk.terminal.emit({"version": VERSION})
    else:
        desk.terminal.show_line(f"darkroom {VERSION}")
