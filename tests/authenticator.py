"""An authenticator app, and a user pool whose users may have one."""

import base64
import hmac
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from darkroom import Client
from darkroom.tokens import TokenFile

from laptop.deployment import Deployment

_SECONDS = 30
_DIGITS = 6


def code(secret: str) -> str:
    """What an app shows now that was given this secret (RFC 6238, as every app does it)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // _SECONDS), "sha1")
    start = digest[-1] & 0xF
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 10**_DIGITS:0{_DIGITS}}"


def wrong_code(secret: str) -> str:
    """Another one."""
    return f"{(int(code(secret)) + 1) % 10**_DIGITS:0{_DIGITS}}"


def set_up(client: Client) -> str:
    """Give a signed-in user an app, so that signing in asks for its code; return what the app was given."""
    tokens = TokenFile(client.profile).load()
    assert tokens is not None
    secret = client.user_pool.new_secret(tokens.access_token)
    client.user_pool.demand_code(tokens.access_token, code(secret))
    return secret


@contextmanager
def second_factor(deployed: Deployment) -> Iterator[None]:
    """Have the pool as with the setting `mfa` at `optional`, for a while; the laptop's is off."""
    pool, pool_id = deployed.client("cognito-idp"), deployed.outputs["UserPoolId"]
    app = {"Enabled": True}
    pool.set_user_pool_mfa_config(UserPoolId=pool_id, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration=app)
    try:
        yield
    finally:
        pool.set_user_pool_mfa_config(UserPoolId=pool_id, MfaConfiguration="OFF")
