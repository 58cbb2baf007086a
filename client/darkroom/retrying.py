"""Trying again what may work the next time, a bounded number of times. Safe here because every call of Darkroom is
harmless to repeat: the client chooses the ids of jobs, and an upload that nobody uses is deleted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from darkroom.addresses import is_loopback
from darkroom.errors import ConnectionLostError
from darkroom.surroundings import Surroundings

_TOO_MANY_REQUESTS = 429
_FIRST_SERVER_STATUS = 500


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often to try, and how long to wait in between: backoff with full jitter on top of what Retry-After says."""

    tries: int = 5
    first_seconds: float = 0.3
    longest_seconds: float = 8.0
    patience_seconds: float = 60.0
    """A Retry-After beyond this is not waited for: the caller is told instead."""

    def backoff(self, tried: int) -> float:
        """Return the longest wait after `tried` tries; chance picks a part of it."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** (tried - 1))


def worth_retrying(response: httpx.Response) -> bool:
    """Tell whether the same request may be answered better later."""
    return response.status_code == _TOO_MANY_REQUESTS or response.status_code >= _FIRST_SERVER_STATUS


def retry_after(response: httpx.Response, now: float) -> float | None:
    """Read Retry-After in seconds from now, in either of its forms; None when it is missing or makes no sense."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Retrier:
    """Sends requests under a policy."""

    surroundings: Surroundings
    policy: RetryPolicy = RetryPolicy()

    def send(
        self,
        send: Callable[[], httpx.Response],
        again: Callable[[httpx.Response], bool] = worth_retrying,
    ) -> httpx.Response:
        """Call `send` until its answer is not worth another try, or the tries are used up; return the last answer.

        Raises ConnectionLostError when the last try brought none.
        """
        for tried in range(1, self.policy.tries):
            try:
                response = send()
            except httpx.RequestError:
                self._wait(tried, None)
                continue
            asked = retry_after(response, self.surroundings.now())
            if not again(response) or (asked or 0) > self.policy.patience_seconds:
                return response
            self._wait(tried, asked)
        try:
            return send()
        except httpx.RequestError as error:
            raise _lost(error, self.policy.tries) from error

    def _wait(self, tried: int, asked: float | None) -> None:
        chance = self.surroundings.jitter(self.policy.backoff(tried))
        self.surroundings.sleep(chance if asked is None else asked + chance)


def _lost(error: httpx.RequestError, tries: int) -> ConnectionLostError:
    url = error.request.url
    hint = (
        "Is the stack on this machine running? `make up` starts it."
        if is_loopback(url.host)
        else "Check the network, and the addresses in the profile."
    )
    reason = str(error) or type(error).__name__
    return ConnectionLostError(f"{url.host} cannot be reached ({reason}; tried {tries} times). {hint}")
