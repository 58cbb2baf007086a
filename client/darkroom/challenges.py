"""What a user pool asks for before it gives tokens. One may follow another: `UserPool.answer` takes the answer to each.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html
"""

from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import quote, urlencode

ISSUER = "Darkroom"
"""Under which an authenticator app lists its codes."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Of every challenge: whom the pool asks, and how it knows the sign-in again."""

    username: str
    session: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NewPasswordRequired(_Asked):
    """A password of one's own: the first sign-in of an invited user."""


@dataclass(frozen=True, kw_only=True)
class CodeRequired(_Asked):
    """The code that the user's authenticator app shows."""


@dataclass(frozen=True, kw_only=True)
class AuthenticatorRequired(_Asked):
    """The first code of an authenticator app, which is given `secret` before: the pool lets nobody in without one."""

    secret: str = field(repr=False)


Challenge: TypeAlias = NewPasswordRequired | CodeRequired | AuthenticatorRequired


def authenticator_uri(secret: str, account: str) -> str:
    """Write a secret as the address that authenticator apps open.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    return f"otpauth://totp/{ISSUER}:{quote(account, safe='')}?{urlencode({'secret': secret, 'issuer': ISSUER})}"


def in_groups(secret: str) -> str:
    """Write a secret in groups of four, to be typed; apps overlook the spaces."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
