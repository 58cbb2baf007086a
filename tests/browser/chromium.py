"""The browser that the tests drive: Debian's Chromium, or another that is there already. None is ever downloaded."""

import os
import shutil
from typing import Final, NoReturn

import pytest

VARIABLE: Final = "CHROMIUM"
REQUIRED: Final = "BROWSER_REQUIRED"
"""Set by CI, where a test in a browser that does not run is a test that fails."""
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = (
    "--disable-gpu",
    "--disable-quic",
    # A browser that calls home is not what these tests are about.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HOW_TO: Final = (
    f"Install it (on Debian and Ubuntu: `sudo apt-get install chromium`), or set {VARIABLE} to a Chromium or Chrome."
)


def find() -> str:
    """Return the path of the browser; skip the test when there is none, or fail it where there has to be one."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        return found or _none(f"{VARIABLE} is {named}, which cannot be run.")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or _none("There is no Chromium on this machine.")


def need_driver() -> None:
    """Skip or fail the test when Playwright is not installed."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        _none("Playwright is not installed: run `make setup`.", how_to="")


def _none(what: str, how_to: str = HOW_TO) -> NoReturn:
    message = f"{what} {how_to}".strip()
    if os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set. {message}")
    pytest.skip(message)
