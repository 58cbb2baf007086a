"""Calls of AWS: signed, sent, tried again where that helps, and their errors read. Two dialects: JSON, and S3's.

Tried again, after a pause that is cut short at random (full jitter), are answers that say "later", answers of 500 and
more, and no answer at all. A clock that is off is set by the answer's own date.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from lambdas.adapters import wire
from lambdas.adapters.aws_errors import CLOCK_CODES, ClientError, is_transient
from lambdas.adapters.signing import Signer
from lambdas.adapters.wire import Request, Response, UnreachedError

CALLS_IN_ALL: Final = 3
"""The first call and two repeats: within a function's time even when nothing answers, so that it can say so."""
LONGEST_PAUSE_SECONDS: Final = 20.0
_CLOCK_TOLERATED: Final = timedelta(minutes=4)
"""AWS refuses requests that are five minutes off."""


class MissingCredentialsError(RuntimeError):
    """The environment has no credentials: this is no Lambda function, or one without a role."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A service as it is called: its name in signatures, where it answers, and how long it may take."""

    signing_name: str
    url: str
    read_timeout: float

    @property
    def signer(self) -> Signer:
        """Of the credentials that the environment has now. Raises MissingCredentialsError."""
        try:
            return Signer(
                access_key=os.environ["AWS_ACCESS_KEY_ID"],
                secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
                session_token=os.environ.get("AWS_SESSION_TOKEN"),
                service=self.signing_name,
                region=region(),
            )
        except KeyError as error:
            raise MissingCredentialsError(f"The environment variable {error} is not set; functions have it.") from error


class _Clock:
    """The present, as AWS has it."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def set_by(self, response: Response) -> bool:
        """Take over the date of an answer; return False when the clock was right, and something else is wrong."""
        # A clock is hardly ever off, and the package takes half as long to import as Python takes to start.
        from email.utils import parsedate_to_datetime  # noqa: PLC0415

        try:
            theirs = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError):
            return False
        before, self.offset = self.offset, theirs - datetime.now(UTC)
        return abs(self.offset - before) > _CLOCK_TOLERATED


clock: Final = _Clock()


def region() -> str:
    """The region of this function."""
    return os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]


def call(endpoint: Endpoint, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
    """Ask until there is a good answer, three times at most. Raises ClientError or UnreachedError."""
    calls = 0
    while True:
        calls += 1
        try:
            return _call_once(endpoint, method, url, headers, body)
        except (ClientError, UnreachedError) as error:
            if calls == CALLS_IN_ALL or not _is_worth_repeating(error):
                raise
        time.sleep(_chance() * min(LONGEST_PAUSE_SECONDS, 2 ** (calls - 1)))


def _chance() -> float:
    """Draw a number from 0 up to 1. Without `random`, which every start would import for what a repeat needs."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def _call_once(endpoint: Endpoint, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
    signed = endpoint.signer.headers(method, url, headers, body, clock.now())
    response = wire.transmit(
        Request(method=method, url=url, headers=signed, body=body, read_timeout=endpoint.read_timeout)
    )
    if not response.is_good:
        raise _error_in(response)
    return response


def _is_worth_repeating(error: ClientError | UnreachedError) -> bool:
    if isinstance(error, UnreachedError):
        return True
    return is_transient(error) or (error.code in CLOCK_CODES and clock.set_by(error.response))


def _error_in(response: Response) -> ClientError:
    """Read an error: of JSON, `__type` has its name behind a `#`; of S3, `Code` in XML; of a HEAD, only the status."""
    text = response.body.decode(errors="replace")
    if text.startswith("{"):
        answer: dict[str, Any] = json.loads(text)
        # SQS names errors as it did before it spoke JSON, in a header of its own.
        name = response.headers.get("x-amzn-query-error") or str(answer.get("__type", ""))
        code = name.partition(";")[0].rpartition("#")[2]
        return ClientError(code, str(answer.get("message") or answer.get("Message") or ""), response, answer)
    code = _element("Code", text) or _status_code(response.status)
    return ClientError(code, _element("Message", text), response, {})


def _status_code(status: int) -> str:
    return "NotFound" if status == HTTPStatus.NOT_FOUND else str(status)


def _element(name: str, text: str) -> str:
    """Read a part of an error: a name or a sentence, in which nothing but a quotation mark is ever escaped."""
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return found[1].replace("&quot;", '"') if found else ""
