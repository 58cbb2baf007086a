"""Where a request to the console's origin goes: as `stacks/console_edge/request.js` says it for an account.

One table of cases, `tests/console_routes.py`, is held against both.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from stacks.console_site import FRONT_PAGE, Route

_DOTS: Final = re.compile(r"(^|[/\\])(\.|%2e){1,2}($|[/\\])", re.IGNORECASE)
"""A part of a path that leads elsewhere: nobody who means well sends one, for browsers resolve them before."""
_LOOKING: Final = ("GET", "HEAD")


@dataclass(frozen=True)
class To:
    """Pass it on, or serve the file: `path` is what is asked for there."""

    route: Route | None
    """None is a file of the page."""
    path: str


@dataclass(frozen=True)
class Refused:
    """Answer it here. `allowed` are the methods that the path has."""

    status: HTTPStatus
    allowed: tuple[str, ...] = ()


_NOT_FOUND: Final = Refused(HTTPStatus.NOT_FOUND)


def find(method: str, path: str, files: Collection[str]) -> To | Refused:
    """Decide by the method and the path, as it was sent and without its query."""
    if _DOTS.search(path):
        return _NOT_FOUND
    for route, (allowed, place) in _ROUTES.items():
        rest = path.removeprefix(route)
        if rest != path and (found := place(rest)) is not None:
            return To(route, found) if not allowed or method in allowed else _refused(allowed)
    name = FRONT_PAGE if path == "/" else path
    if name not in files:
        return _NOT_FOUND
    return To(None, name) if method in _LOOKING else _refused(_LOOKING)


def _refused(allowed: tuple[str, ...]) -> Refused:
    return Refused(HTTPStatus.METHOD_NOT_ALLOWED, allowed)


def _below(rest: str) -> str | None:
    return rest if rest.startswith("/") else None


def _exactly(rest: str) -> str | None:
    return "/" if rest == "" else None


_ROUTES: Final[dict[Route, tuple[tuple[str, ...], Callable[[str], str | None]]]] = {
    Route.API: ((), _below),
    Route.LIVE: (("GET",), _exactly),
    Route.SIGN_IN: (("POST",), _exactly),
    Route.FILES: (("GET", "HEAD", "POST"), _below),
}
"""By route: the methods that it has, any when none is named, and the path behind it."""
