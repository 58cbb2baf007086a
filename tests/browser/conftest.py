"""A real browser on the running laptop stack. Every page is guarded: see `guard.py`.

The stack is started as for the emulator's tests, by the same fixtures, and the console is served as by `make up`.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from darkroom import Client

from lambdas.config import OPERATORS
from laptop import front, ports, users
from laptop.deployment import Deployment
from laptop.places import HOME, ROOT, Home
from laptop.users import User
from tests.browser import chromium
from tests.browser.guard import Guard
from tests.emulator.conftest import deployed, home, no_account, world

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

__all__ = ["deployed", "home", "no_account", "world"]

OPERATOR = User("operator@darkroom.example")
FAILURES = HOME / "browser"
"""Pictures of the pages of tests that have failed."""
PICTURES = Path(os.environ["PICTURES"]) if os.environ.get("PICTURES") else None
"""Where pictures for the README are written to; `make pictures` says docs/pictures."""
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
REFUSED = r"^console error: (Failed to load resource|WebSocket connection)"
"""What Chromium says by itself when a request is refused or a connection is lost."""
RECORDER = """
  window.told = [];
  document.addEventListener("darkroom:event", ({ detail }) => {
    window.told.push({ ...detail.data, type: detail.type, time: detail.time, at: Date.now() });
  });
"""
"""Notes every event that the page tells, with the moment."""
PATIENCE_MS = 15_000
_outcome = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    """Chromium, headless."""
    chromium.need_driver()
    path = chromium.find()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, headless=True, args=list(chromium.ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="package")
def origin(browser: "Browser", deployed: Deployment, home: Home) -> Iterator[str]:
    """Where the console is. Without a browser, nothing is started for it."""
    users.create(deployed, OPERATOR)
    make_operator(deployed, OPERATOR)
    served = front.bring_up(home, deployed, port=ports.free())
    yield served.url
    front.stop(home)


@pytest.fixture
def guard(origin: str) -> Iterator[Guard]:
    """Look after the test that nothing went by unseen."""
    guard = Guard(origin)
    yield guard
    assert guard.take() == []


@pytest.fixture
def new_context(
    browser: "Browser", origin: str, guard: Guard, request: pytest.FixtureRequest
) -> Iterator[Callable[..., "BrowserContext"]]:
    """Make a browser's profile of its own, guarded; options are those of Playwright's `new_context`."""
    with ExitStack() as afterwards:

        def make(**options: Any) -> "BrowserContext":
            context = browser.new_context(**{"base_url": origin, "locale": "en-GB", **options})
            context.set_default_timeout(PATIENCE_MS)
            guard.watch(context)
            afterwards.callback(context.close)
            afterwards.callback(_picture_if_failed, context, request)
            return context

        yield make


@pytest.fixture
def blank_page(new_context: Callable[..., "BrowserContext"]) -> "Page":
    """A page that has loaded nothing yet."""
    return new_context().new_page()


@dataclass(frozen=True)
class Site:
    """The console of one deployment."""

    url: str
    deployed: Deployment


@pytest.fixture
def site(origin: str, deployed: Deployment) -> Site:
    """The console, and what is behind it."""
    return Site(origin, deployed)


@pytest.fixture
def new_page(new_context: Callable[..., "BrowserContext"], guard: Guard) -> Callable[..., "Page"]:
    """Make pages, each of a browser that knows nothing; options are those of Playwright's `new_context`."""
    guard.allow(REFUSED)

    def make(**options: Any) -> "Page":
        page = new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options}).new_page()
        page.add_init_script(RECORDER)
        return page

    return make


_numbers = count(1)


@pytest.fixture
def user(site: Site) -> User:
    """Somebody who has nothing yet."""
    someone = User(f"someone-{next(_numbers)}@darkroom.example")
    users.create(site.deployed, someone)
    return someone


@pytest.fixture
def client(site: Site, user: User, tmp_path: Path) -> Iterator[Client]:
    """The same person at a terminal."""
    with users.sign_in(site.deployed, user, tmp_path / "profile.json") as client:
        yield client


@pytest.fixture
def operator(site: Site, user: User) -> User:
    """The person, made an operator."""
    make_operator(site.deployed, user)
    return user


@pytest.fixture
def page(new_page: Callable[..., "Page"], site: Site, user: User) -> "Page":
    """The console, signed in."""
    opened = new_page()
    sign_in(opened, site, user)
    return opened


def sign_in(page: "Page", site: Site, user: User, fragment: str = "") -> None:
    """Open the console at an address and sign in there as people do."""
    page.goto(f"{site.url}/{fragment}")
    fill_in(page, user)
    page.get_by_role("banner").wait_for()


def make_operator(deployed: Deployment, user: User) -> None:
    """Let somebody do what operators do."""
    deployed.client("cognito-idp").admin_add_user_to_group(
        UserPoolId=deployed.outputs["UserPoolId"], Username=user.name, GroupName=OPERATORS
    )


def row(page: "Page", name: str) -> "Locator":
    """The row of a job in the list."""
    return page.get_by_role("list", name="Jobs").get_by_role("listitem").filter(has_text=name)


def until(page: "Page", expression: str, seconds: float = 30) -> None:
    """Wait until an expression is true; Playwright's own way would need a policy that allows eval."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"It did not come true: {expression}")


def picture(page: "Page", name: str) -> None:
    """Take a picture for the README, if it is wanted."""
    if PICTURES:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=PICTURES / f"{name}.png")


def fill_in(page: "Page", user: User) -> None:
    """Fill in the form for signing in, and send it."""
    page.get_by_label("Email address").fill(user.name)
    page.get_by_label("Password", exact=True).fill(user.password)
    page.get_by_role("button", name="Sign in").click()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let fixtures know whether the test has failed."""
    report: Any = yield
    if call.when == "call":
        item.stash[_outcome] = report.failed
    return report


def _picture_if_failed(context: "BrowserContext", request: pytest.FixtureRequest) -> None:
    if not request.node.stash.get(_outcome, False):
        return
    FAILURES.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        name = re.sub(r"\W+", "-", request.node.name)[:100]
        page.screenshot(path=FAILURES / f"{name}-{number}.png", full_page=True)
