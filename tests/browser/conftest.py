"""The console in a real browser: Chromium, headless, on an emulator of its own with the stack deployed to it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from darkroom import Client

from laptop import front, ports, users
from laptop.deployment import Deployment
from laptop.places import ROOT, Home
from laptop.users import User
from laptop.world import World
from tests.emulator.conftest import no_account, running

__all__ = ["no_account"]

playwright = pytest.importorskip("playwright.sync_api", reason="`make setup` installs Playwright")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
NO_BROWSER = "A Chromium is needed: `apt install chromium`, or say where one is: CHROMIUM=/path/to/chrome make test"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
PICTURES = Path(os.environ["PICTURES"]) if os.environ.get("PICTURES") else None
"""Where pictures for the README are written to; `make pictures` says docs/pictures."""
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
RECORDER = """
  window.told = [];
  document.addEventListener("darkroom:event", ({ detail }) => {
    window.told.push({ ...detail.data, type: detail.type, time: detail.time, at: Date.now() });
  });
"""
"""Notes every event that the page tells, with the moment."""


@dataclass(frozen=True)
class Site:
    """The console of one deployment."""

    url: str
    deployed: Deployment


@pytest.fixture(scope="package")
def site(no_account: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Darkroom, freshly deployed, with its console served."""
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


@pytest.fixture(scope="package")
def browser() -> Iterator["playwright.Browser"]:
    """Chromium, as the operating system has it."""
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def new_page(browser: "playwright.Browser") -> Iterator[Callable[..., "playwright.Page"]]:
    """Make pages, each of a browser that knows nothing; none of them may complain about its policy or itself."""
    contexts, complaints = [], []

    def make(**options: object) -> "playwright.Page":
        context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.add_init_script(RECORDER)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: "Security Policy" in said.text and complaints.append(said.text))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


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
        UserPoolId=site.deployed.outputs["UserPoolId"], Username=user.name, GroupName="operators"
    )
    return user


@pytest.fixture
def page(new_page: Callable[..., "playwright.Page"], site: Site, user: User) -> "playwright.Page":
    """The console, signed in."""
    opened = new_page()
    sign_in(opened, site, user)
    return opened


def sign_in(page: "playwright.Page", site: Site, user: User, fragment: str = "") -> None:
    """Open the console at an address and sign in."""
    page.goto(f"{site.url}/{fragment}")
    page.get_by_label("Email address").fill(user.name)
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("banner").wait_for()


def row(page: "playwright.Page", name: str) -> "playwright.Locator":
    """The row of a job in the list."""
    return page.get_by_role("list", name="Jobs").get_by_role("listitem").filter(has_text=name)


def until(page: "playwright.Page", expression: str, seconds: float = 30) -> None:
    """Wait until an expression is true; Playwright's own way would need a policy that allows eval."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"It did not come true: {expression}")


def picture(page: "playwright.Page", name: str) -> None:
    """Take a picture for the README, if it is wanted."""
    if PICTURES:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=PICTURES / f"{name}.png")


AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
