"""AWS for the operators' commands: its clients, and its errors in our words.

The only module that imports boto3, and it does so when a client is made: whoever only uses the API needs none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from darkroom.errors import AwsError, AwsFailureError, AwsSetupError, AwsUnreachableError
from darkroom.operator_places import OperatorPlaces

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
"""Longer than a long poll, and than the redrive function may take."""
TRIES = 4
_EMULATOR_KEY = "000000000000"
_EMULATOR_SECRET = "laptop"  # noqa: S105 - the emulator wants one, and does not look at it
_OF_MACHINES_IN_THE_CLOUD = ("container-role", "iam-role")

_MISSING = ("NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException")
_NOT_ALLOWED = ("AccessDenied", "Expired", "Forbidden", "InvalidClientTokenId", "Signature", "UnrecognizedClient")
"""Parts of the error codes of services that do not agree on their names."""


def client(service: str, *, region: str | None, places: OperatorPlaces) -> Any:
    """Make a boto3 client. Credentials are found by boto3's own rules. Raises AwsSetupError.

    For an emulator on this machine, made-up credentials do where there are none.
    """
    try:
        import boto3  # noqa: PLC0415 - see the module's docstring
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise AwsSetupError(
            "The commands for operators need boto3, which is not installed: pip install 'darkroom[operator]'."
        ) from error
    here = places.is_on_this_machine
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        **({"proxies": {}} if here else {}),  # what runs on this machine is not reached through a proxy
    )
    with in_our_words(service):
        session = boto3.Session(region_name=region, botocore_session=_emulator_session() if here else None)
        return session.client(service, endpoint_url=places.endpoint_url, config=config)


@contextmanager
def in_our_words(what: str) -> Iterator[None]:
    """Raise what botocore raises in the block as AwsError; `what` is what was dealt with, such as a queue's URL."""
    from botocore import exceptions  # noqa: PLC0415 - see the module's docstring

    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(what, error.response.get("Error", {})) from error
    except (exceptions.ReadTimeoutError, exceptions.IncompleteReadError) as error:
        raise AwsFailureError(f"{what} did not answer in time: {error}") from error
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise AwsUnreachableError(
            f"AWS cannot be reached ({error}; tried {TRIES} times). Check the network; for the laptop's emulator, "
            "`make up` starts it."
        ) from error
    except exceptions.BotoCoreError as error:  # no credentials, no region, an SSO session that has ended, ...
        raise AwsSetupError(
            f"AWS cannot be used for {what}: {error}. Sign in to the account, by AWS_PROFILE for instance."
        ) from error


def _emulator_session() -> Any:
    """Make a session that has credentials in any case, and asks no metadata service for them, which takes seconds."""
    from botocore.session import Session  # noqa: PLC0415 - see the module's docstring

    session = Session()
    resolver = session.get_component("credential_provider")
    for provider in _OF_MACHINES_IN_THE_CLOUD:
        resolver.remove(provider)
    if session.get_credentials() is None:
        session.set_credentials(_EMULATOR_KEY, _EMULATOR_SECRET)
    return session


def _refusal(what: str, error: dict[str, str]) -> AwsError:
    code, message = error.get("Code", "unknown"), error.get("Message", "")
    if any(part in code for part in _MISSING):
        return AwsSetupError(
            f"{what} does not exist in this account and region. Are the credentials those of its account, and are "
            "the names in the profile (`operator`) those of the stack's outputs?"
        )
    if any(part in code for part in _NOT_ALLOWED):
        return AwsSetupError(f"AWS does not allow it for {what} ({code}: {message}). Sign in as an operator.")
    return AwsFailureError(f"AWS failed at {what} ({code}: {message}).")
