"""What the console's origin serves, and under which headers: the same in an account and on a laptop.

One origin holds the page and, below `Route`, everything that the page talks to: so the policy can forbid the rest of
the world. Plain data; must not import the CDK, for the laptop's front reads it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final


class Route(StrEnum):
    """What is passed on instead of being a file of the page."""

    API = "/api"
    LIVE = "/live"
    SIGN_IN = "/sign-in"
    FILES = "/files"


FRONT_PAGE: Final = "/index.html"
NOT_FOUND_PAGE: Final = "/404.html"
CONFIG: Final = "/config.json"
EXECUTION: Final = "{executionArn}"
"""In the address of an execution: where the page puts the job's `execution`, its name, which ends the ARN."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
"""What is served, by suffix; other files of the folder, such as checksums and licences, are not."""

CACHE_CONTROL: Final = "no-cache"
"""Of the page's files: kept by the browser, and asked about each time. Their names do not change with their content."""

_PAGE_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # `data:` and `blob:` for previews of what is about to be uploaded.
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    # Text never becomes HTML, script or a script's address, not by mistake either: browsers that know of it refuse.
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
_DATA_POLICY: Final = {"default-src": "'none'", "frame-ancestors": "'none'", "sandbox": ""}
"""Of what is not ours: whatever an uploaded file turns out to be, it can run nothing on our origin."""

_EVERYWHERE: Final = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def _policy(directives: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}".rstrip() for name, value in directives.items())


PAGE_HEADERS: Final[Mapping[str, str]] = {"Content-Security-Policy": _policy(_PAGE_POLICY), **_EVERYWHERE}
DATA_HEADERS: Final[Mapping[str, str]] = {"Content-Security-Policy": _policy(_DATA_POLICY), **_EVERYWHERE}
"""Of everything below a route."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the page has to know of the deployment that it belongs to. Nothing of it is secret."""

    stage: str
    region: str
    user_pool_client_id: str
    execution_url: str | None
    """Where a person looks at an execution, with `EXECUTION` in it."""

    def document(self) -> dict[str, Any]:
        """What is at `CONFIG`."""
        return {
            "api": Route.API.value,
            "signIn": Route.SIGN_IN.value,
            "live": Route.LIVE.value,
            "files": Route.FILES.value,
            "userPoolClientId": self.user_pool_client_id,
            "region": self.region,
            "stage": self.stage,
            "executionUrl": self.execution_url,
        }


def files_in(folder: Path) -> dict[str, Path]:
    """Every file that is served, by its path at the origin. What is not in here is not there, however it is written."""
    return {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in MEDIA_TYPES and not any(part.startswith(".") for part in path.parts[-2:])
    }
