"""What a request asks for, read and checked: the caller, ids, cursors, preferences."""

import base64
import re
import time
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from lambdas import config
from lambdas.adapters import keys
from lambdas.handlers.problems import BadRequestError
from lambdas.jobs.errors import BrokenRule
from lambdas.jobs.likeness import LARGEST_DISTANCE, SAME_PICTURE_BITS
from lambdas.jobs.status import Status
from lambdas.jobs.submission import is_id

MAX_WAIT_SECONDS: Final = 20
"""API Gateway gives up at 29 s, and the answer needs some of that."""
MAX_PAGE: Final = 200
DEFAULT_PAGE: Final = 50
LONGEST_TOKEN_SECONDS: Final = 3600
"""The user pool's tokens last for an hour (stacks/identity.py)."""
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,5})\"?(?=$|[,;\s])", re.IGNORECASE)
_OWNER: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""Of users a UUID, of machines the id of their client."""
_CREATED_KEY: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#([A-Za-z0-9_-]{1,64})")


def owner(event: APIGatewayProxyEvent) -> str:
    """The caller, from the token that the gateway has verified: never from anything that the caller can write."""
    claims: dict[str, Any] = event.request_context.authorizer.claims or {}
    return str(claims["sub"])


def token_end(event: APIGatewayProxyEvent) -> int:
    """When the caller's token expires, in seconds since the epoch.

    API Gateway writes the time as text, `Tue Nov 24 14:00:00 UTC 2026`; the laptop's emulator as the token has it. Of
    another form, it is taken for the latest that it can be.
    """
    claims: dict[str, Any] = event.request_context.authorizer.claims or {}
    text = str(claims.get("exp"))
    if text.isdecimal():
        return int(text)
    try:
        return int(datetime.strptime(text, "%a %b %d %H:%M:%S UTC %Y").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return int(time.time()) + LONGEST_TOKEN_SECONDS


def is_operator(event: APIGatewayProxyEvent) -> bool:
    """Tell whether the caller is in the group of operators, which only an administrator of the pool fills.

    The gateway writes a list of groups as text: `[one two]` or `one,two`.
    """
    claims: dict[str, Any] = event.request_context.authorizer.claims or {}
    return config.OPERATORS in re.split(r"[\s,\[\]]+", str(claims.get("cognito:groups", "")))


def named_owner(text: str) -> str:
    """Check the owner that a caller names. Raises BadRequestError."""
    if not _OWNER.fullmatch(text):
        raise BadRequestError.because([BrokenRule(field="owner", rule="has to be the subject of somebody's token")])
    return text


def job_id(text: str) -> str:
    """Check a job's id. Raises BadRequestError."""
    if not is_id(text):
        raise BadRequestError.because(
            [BrokenRule(field="jobId", rule="has to be 1 to 64 characters of A-Z a-z 0-9 _ -")]
        )
    return text


def status(text: str | None) -> Status | None:
    """Read the filter of a list. Raises BadRequestError."""
    if text is None:
        return None
    if text not in Status.__members__:
        raise BadRequestError.because([BrokenRule(field="status", rule=f"has to be one of {', '.join(Status)}")])
    return Status(text)


def limit(text: str | None) -> int:
    """Read the size of a page. Raises BadRequestError."""
    return _whole_number("limit", text, least=1, most=MAX_PAGE, default=DEFAULT_PAGE)


def max_distance(text: str | None) -> int:
    """Read how many bits fingerprints may be apart. Raises BadRequestError."""
    return _whole_number("maxDistance", text, least=0, most=LARGEST_DISTANCE, default=SAME_PICTURE_BITS)


def _whole_number(field: str, text: str | None, *, least: int, most: int, default: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,3}", text) or not least <= int(text) <= most:
        raise BadRequestError.because(
            [BrokenRule(field=field, rule=f"has to be a whole number from {least} to {most}")]
        )
    return int(text)


def redirect(text: str | None) -> bool:
    """Read whether to lead to a picture, or only to say where it is. Raises BadRequestError."""
    if text not in (None, "true", "false"):
        raise BadRequestError.because([BrokenRule(field="redirect", rule="has to be true or false")])
    return text != "false"


def after_seq(text: str | None) -> int:
    """Read the number of the last event that is known. Raises BadRequestError."""
    if text is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadRequestError.because([BrokenRule(field="afterSeq", rule="has to be a whole number from 0")])
    return int(text)


def attempt(text: str | None) -> int | None:
    """Read the number of an attempt. Raises BadRequestError."""
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise BadRequestError.because([BrokenRule(field="attempt", rule="has to be a whole number from 1 to 9999")])
    return int(text)


def wait_seconds(prefer: str | None) -> int:
    """Read `Prefer: wait=N` (RFC 7240); 0 when there is none. More than the most is taken as the most."""
    found = _WAIT.search(prefer or "")
    return min(int(found.group(1)), MAX_WAIT_SECONDS) if found else 0


def known_etags(if_none_match: str | None) -> set[str]:
    """Read the versions that the caller knows (RFC 9110, 13.1.2); a weak tag is as good as a strong one here."""
    return set(re.findall(r'"[^"]*"', if_none_match or ""))


def write_cursor(last: dict[str, str]) -> str:
    """Make the cursor after a page that ended with this key."""
    return base64.urlsafe_b64encode(last[keys.CREATED_KEY].encode()).decode().rstrip("=")


def read_cursor(text: str | None, caller: str, wanted: Status | None) -> dict[str, str] | None:
    """Read a cursor into the key where the next page begins: always among the caller's own. Raises BadRequestError."""
    if text is None:
        return None
    try:
        created_key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        created_key = ""
    found = _CREATED_KEY.fullmatch(created_key)
    if not found:
        raise BadRequestError.because(
            [BrokenRule(field="cursor", rule="has to be the nextCursor of an earlier page, unchanged")]
        )
    start = {keys.OWNER: caller, keys.CREATED_KEY: created_key, keys.JOB_ID: found.group(1)}
    return start if wanted is None else start | {keys.OWNER_AND_STATUS: keys.owner_and_status(caller, wanted)}
