"""The console in a real browser: Chromium, headless, on an emulator of its own with the stack deployed to it.

Every page is guarded: see `guard.py`.
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
from laptop.places import HOME, Home
from laptop.users import User
from laptop.world import World
from tests.browser import chromium
from tests.browser.guard import Guard
from tests.emulator.conftest import no_account, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

__all__ = ["no_account"]

PICTURES = Path(os.environ["PICTURES"]) if os.environ.get("PICTURES") else None
"""Where pictures for the README are written to: `PICTURES=docs/pictures make test-browser` draws them again."""
OF_FAILURES = HOME / "browser"
"""Pictures of the pages of tests that have failed."""
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
SIGNING_IN_MS = 90_000
"""Behind the jobs of other tests, the emulator takes its time."""
PATIENCE_MS = 30_000
RECORDER = """
  window.told = [];
  document.addEventListener("darkroom:event", ({ detail }) => {
    window.told.push({ ...detail.data, type: detail.type, time: detail.time, at: Date.now() });
  });
"""
"""Notes every event that the page tells, with the moment."""
_failed = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Site:
    """The console of one deployment."""

    url: str
    deployed: Deployment


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    """Chromium, as the operating system has it."""
    chromium.need_driver()
    path = chromium.find()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=list(chromium.ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def site(browser: "Browser", no_account: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Darkroom, freshly deployed, with its console served. Nothing is started where there is no browser to see it."""
    home = Home(tmp_path_factory.mktemp("browser"))
    with running(home) as deployed:
        served = front.bring_up(home, deployed, port=ports.free())
        try:
            yield Site(served.url, deployed)
        finally:
            front.stop(home)


@pytest.fixture(scope="package")
def world(site: Site) -> World:
    """What is behind the API."""
    return World(site.deployed)


@pytest.fixture
def guard(site: Site) -> Iterator[Guard]:
    """See to it that nothing goes by unseen."""
    guard = Guard(site.url)
    yield guard
    assert guard.take() == []


@pytest.fixture
def new_page(browser: "Browser", guard: Guard, request: pytest.FixtureRequest) -> Iterator[Callable[..., "Page"]]:
    """Make pages, each of a browser that knows nothing; none of them may complain about its policy or itself."""
    with ExitStack() as afterwards:

        def make(**options: Any) -> "Page":
            context = browser.new_context(
                **{"viewport": DESKTOP, "reduced_motion": "reduce", "locale": "en-GB", **options}
            )
            afterwards.callback(context.close)
            afterwards.callback(_picture_if_failed, context, request)
            context.set_default_timeout(PATIENCE_MS)
            context.add_init_script(RECORDER)
            guard.watch(context)
            return context.new_page()

        yield make


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
    pool = site.deployed.client("cognito-idp")
    pool.admin_add_user_to_group(
        UserPoolId=site.deployed.outputs["UserPoolId"], Username=user.name, GroupName=OPERATORS
    )
    return user


@pytest.fixture
def page(new_page: Callable[..., "Page"], site: Site, user: User) -> "Page":
    """The console, signed in."""
    opened = new_page()
    sign_in(opened, site, user)
    return opened


def sign_in(page: "Page", site: Site, user: User, fragment: str = "") -> None:
    """Open the console at an address and sign in."""
    page.goto(f"{site.url}/{fragment}")
    fill_in(page, user)
    banner, refused = page.get_by_role("banner"), page.locator(".sign-in").get_by_role("alert")
    banner.or_(refused).first.wait_for(timeout=SIGNING_IN_MS)
    assert banner.is_visible(), f"{user.name} was not let in: {refused.first.inner_text()}"


def fill_in(page: "Page", user: User) -> None:
    """Fill in the form for signing in, and send it."""
    page.get_by_label("Email address").fill(user.name)
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Sign in").click()


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


def picture(page: "Page", name: str, *, full_page: bool = False) -> None:
    """Take a picture for the README, if it is wanted."""
    if PICTURES:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=full_page)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let fixtures know whether the test has failed, or what it stands on: signing in is part of that."""
    report: Any = yield
    if call.when in {"setup", "call"}:
        item.stash[_failed] = report.failed
    return report


def _picture_if_failed(context: "BrowserContext", request: pytest.FixtureRequest) -> None:
    if not request.node.stash.get(_failed, False):
        return
    OF_FAILURES.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        name = re.sub(r"\W+", "-", request.node.name)[:100]
        page.screenshot(path=OF_FAILURES / f"{name}-{number}.png", full_page=True)
