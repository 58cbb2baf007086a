"""Tokens that people try: made here, by another pool, or by the right pool some time ago."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from laptop.deployment import Deployment
from laptop.users import User


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token."""
    header, claims, _ = token.split(".")
    return _decoded(header), _decoded(claims)


def unsigned(token: str) -> str:
    """The same claims, under a header that says that no signature is needed."""
    header, claims = parts(token)
    return f"{_text({**header, 'alg': 'none'})}.{_text(claims)}."


def signed_by_another_key(token: str) -> str:
    """The same header and claims, well signed, by a key of our own."""
    header, claims = parts(token)
    signed = f"{_text(header)}.{_text(claims)}"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"{signed}.{_encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def altered(token: str, **claims: Any) -> str:
    """Other claims under the signature of the token's own."""
    header, _, signature = token.split(".")
    return f"{header}.{_text({**parts(token)[1], **claims})}.{signature}"


def expired(deployment: Deployment, user: User) -> str:
    """A token that the pool itself has given, and whose time is over."""
    token = _issued(deployment, deployment.outputs["UserPoolId"], user, seconds=1)
    while time.time() <= parts(token)[1]["exp"]:
        time.sleep(0.1)
    return token


def of_another_pool(deployment: Deployment, user: User) -> str:
    """A good token of somebody with the same name, from a pool that is not ours."""
    cognito = deployment.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="somebody-elses")["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=pool, Username=user.name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=user.name, Password=user.password, Permanent=True)
    return _issued(deployment, pool, user, seconds=3600)


def _issued(deployment: Deployment, pool: str, user: User, *, seconds: int) -> str:
    """Sign in at a client whose access tokens last this long: on AWS, five minutes at least; here, less."""
    cognito = deployment.client("cognito-idp")
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=f"{seconds} seconds",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AccessTokenValidity=seconds,
        TokenValidityUnits={"AccessToken": "seconds"},
    )["UserPoolClient"]["ClientId"]
    answer = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.name, "PASSWORD": user.password},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])


def _decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _text(document: dict[str, Any]) -> str:
    return _encoded(json.dumps(document).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
