"""A real browser on the running laptop stack. Every page is guarded: see `guard.py`.

The stack is started as for the emulator's tests, by the same fixtures, and the console is served as by `make up`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdas.config import OPERATORS
from laptop import front, ports, users
from laptop.deployment import Deployment
from laptop.places import HOME, Home
from laptop.users import User
from tests.browser import chromium
from tests.browser.guard import Guard
from tests.emulator.conftest import client, deployed, home, no_account, stranger, world

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["client", "deployed", "home", "no_account", "stranger", "world"]

OPERATOR = User("operator@darkroom.example")
PICTURES = HOME / "browser"
"""Of the pages of tests that have failed."""
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
    deployed.client("cognito-idp").admin_add_user_to_group(
        UserPoolId=deployed.outputs["UserPoolId"], Username=OPERATOR.name, GroupName=OPERATORS
    )
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
def page(new_context: Callable[..., "BrowserContext"]) -> "Page":
    """A page that has loaded nothing yet."""
    return new_context().new_page()


@pytest.fixture
def sign_in(new_context: Callable[..., "BrowserContext"]) -> Callable[..., "Page"]:
    """Open the console in a profile of its own, and sign in there as people do."""

    def open_as(user: User, **options: Any) -> "Page":
        page = new_context(**options).new_page()
        page.goto("/")
        fill_in(page, user)
        page.get_by_role("button", name="Sign out").wait_for()
        return page

    return open_as


@pytest.fixture
def signed_in(sign_in: Callable[..., "Page"]) -> "Page":
    """The console of the demo user."""
    return sign_in(users.DEMO)


@pytest.fixture
def of_another(sign_in: Callable[..., "Page"]) -> "Page":
    """The console of somebody else."""
    return sign_in(users.GUEST)


@pytest.fixture
def of_an_operator(sign_in: Callable[..., "Page"]) -> "Page":
    """The console of an operator."""
    return sign_in(OPERATOR)


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
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        name = re.sub(r"\W+", "-", request.node.name)[:100]
        page.screenshot(path=Path(PICTURES) / f"{name}-{number}.png", full_page=True)
