"""Users of the laptop's pool, made as an operator makes them on AWS, and their sign-in for the `darkroom` command."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from darkroom import Client, Profile, SignInRefusedError
from darkroom.operator_places import OperatorPlaces
from darkroom.tokens import TokenFile, Tokens

from laptop.deployment import STACK, Deployment
from laptop.places import ROOT

PROFILE: Final = ROOT / ".darkroom" / "profile.json"
"""The command looks for it in the working folder and above."""


@dataclass(frozen=True)
class User:
    """Somebody with a password."""

    name: str
    # No secret: the emulator listens to this machine only, and gives everybody on it an administrator's rights.
    password: str = field(default="Darkroom-on-a-laptop-1", repr=False)


DEMO: Final = User("demo@darkroom.example")
GUEST: Final = User("guest@darkroom.example")
"""Somebody else, to whom the demo user's jobs do not exist."""


def create(deployment: Deployment, user: User) -> None:
    """Make the user, who can sign in at once. One who is there already gets the password again."""
    pool: Any = deployment.client("cognito-idp")
    pool_id = deployment.outputs["UserPoolId"]
    with contextlib.suppress(pool.exceptions.UsernameExistsException):
        pool.admin_create_user(
            UserPoolId=pool_id,
            Username=user.name,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": user.name}, {"Name": "email_verified", "Value": "true"}],
        )
    pool.admin_set_user_password(UserPoolId=pool_id, Username=user.name, Password=user.password, Permanent=True)


def sign_in(deployment: Deployment, user: User, path: Path = PROFILE) -> Client:
    """Write a profile, sign the user in beside it, and return a client of it. Raises SignInRefusedError."""
    Profile.of(
        api_url=deployment.api_url,
        auth_url=deployment.auth_url,
        client_id=deployment.outputs["UserPoolClientId"],
        region=deployment.outputs["Region"],
        operator=OperatorPlaces.of(
            dead_letter_queue_url=deployment.outputs["DeadLetterQueueUrl"],
            redrive_function=deployment.outputs["RedriveFunctionName"],
            stack=STACK,
            endpoint_url=deployment.emulator.endpoint,
        ),
    ).save(path)
    client = Client(Profile.load(path))
    answer = client.user_pool.sign_in(user.name, user.password)
    if not isinstance(answer, Tokens):
        raise SignInRefusedError(f"More than a password is asked of {user.name}: {type(answer).__name__}.")
    TokenFile(client.profile).save(answer)
    return client


def owner(client: Client) -> str:
    """Tell who is signed in, as the subject of the token: what rows and objects are kept under."""
    tokens = TokenFile(client.profile).load()
    if tokens is None:
        raise LookupError("Nobody is signed in. Run `make up`.")
    return str(tokens.claims["sub"])
