"""A second factor in the console: its code is asked for, an app is set up, and what goes wrong is said.

The emulator asks nobody to set an app up at the first sign-in: the answer that does is put in its place, and the calls
that follow are its own.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from darkroom import Client

from laptop.users import User
from tests.authenticator import code, second_factor, set_up, wrong_code
from tests.browser.axe import violations
from tests.browser.conftest import SIGNING_IN_MS, Site, fill_in, sign_in
from tests.browser.guard import NETWORK, Guard

expect = pytest.importorskip("playwright.sync_api").expect
CODE = "Code of the authenticator app"
FIRST_CODE = "Code that the app shows"


@pytest.fixture(autouse=True)
def provoked(guard: Guard) -> None:
    """Calls that are refused belong to these tests."""
    guard.allow(NETWORK)


@pytest.fixture
def secret(site: Site, client: Client) -> Iterator[str]:
    """What the user's app was given: the pool asks the user for a code."""
    with second_factor(site.deployed):
        yield set_up(client)


def answering(page: Any, action: str, status: int, document: dict[str, Any], *, within: str = "") -> None:
    """Have a call of the user pool answered so."""

    def answer(route: Any) -> None:
        asked = route.request.headers["x-amz-target"].endswith(f".{action}") and within in route.request.post_data
        route.fulfill(status=status, body=json.dumps(document)) if asked else route.fallback()

    page.route("**/sign-in", answer)


def send(page: Any, label: str, given: str) -> None:
    """Type into a form, and send it by the keyboard."""
    page.get_by_label(label).fill(given)
    page.get_by_label(label).press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_is_asked_for_until_it_is_right(
    new_page: Callable[..., Any], site: Site, user: User, secret: str, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(site.url)
    fill_in(page, user)
    field = page.get_by_label(CODE)
    expect(field).to_be_focused()
    assert (field.get_attribute("inputmode"), field.get_attribute("autocomplete")) == ("numeric", "one-time-code")
    assert violations(page) == []

    send(page, CODE, wrong_code(secret))
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    expect(field).to_be_focused()
    send(page, CODE, code(secret))
    expect(page.get_by_role("banner").get_by_text(user.name)).to_be_visible(timeout=SIGNING_IN_MS)


def test_sign_in_that_took_too_long_begins_again_with_the_password(
    new_page: Callable[..., Any], site: Site, user: User, secret: str
) -> None:
    page = new_page()
    page.goto(site.url)
    over = {"__type": "NotAuthorizedException", "message": "Invalid session for the user, session is expired."}
    answering(page, "RespondToAuthChallenge", 400, over)
    fill_in(page, user)
    send(page, CODE, code(secret))

    expect(page.get_by_role("alert")).to_contain_text("Begin again, with the password")
    expect(page.get_by_label("Password")).to_be_visible()
    page.unroute("**/sign-in")
    fill_in(page, user)
    page.get_by_role("button", name="Begin again").click()
    expect(page.get_by_label("Email address")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_app_is_set_up_at_the_first_sign_in_with_the_key_that_is_shown(
    new_page: Callable[..., Any], site: Site, user: User, scheme: str
) -> None:
    page = new_page(color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"])
    page.goto(site.url)
    asked = {"ChallengeName": "MFA_SETUP", "Session": "s" * 44, "ChallengeParameters": {"USER_ID_FOR_SRP": user.name}}
    answering(page, "InitiateAuth", 200, asked, within="USER_PASSWORD_AUTH")
    fill_in(page, user)
    expect(page.get_by_label(FIRST_CODE)).to_be_focused()
    assert violations(page) == []
    shown = page.locator("code").inner_text()
    secret = shown.replace(" ", "")
    assert {len(group) for group in shown.split(" ")} == {4}
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    address = page.get_by_role("link", name="Open in an app on this device").get_attribute("href")
    assert address.startswith("otpauth://totp/Darkroom:")
    assert f"secret={secret}&" in address

    send(page, FIRST_CODE, wrong_code(secret))
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    send(page, FIRST_CODE, code(secret))
    expect(page.get_by_role("banner").get_by_text(user.name)).to_be_visible(timeout=SIGNING_IN_MS)


def test_new_password_is_followed_by_what_is_asked_for_next(
    new_page: Callable[..., Any], site: Site, user: User
) -> None:
    page = new_page()
    page.goto(site.url)
    whom = {"ChallengeParameters": {"USER_ID_FOR_SRP": user.name}}
    first = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "a" * 44, **whom}
    answering(page, "InitiateAuth", 200, first)
    second = {"ChallengeName": "MFA_SETUP", "Session": "b" * 44, **whom}
    answering(page, "RespondToAuthChallenge", 200, second, within="NEW_PASSWORD_REQUIRED")
    fill_in(page, user)
    expect(page.get_by_label("New password")).to_be_focused()
    send(page, "New password", "Another-password-1")
    expect(page.get_by_label(FIRST_CODE)).to_be_focused()
    send(page, FIRST_CODE, code(page.locator("code").inner_text().replace(" ", "")))
    expect(page.get_by_role("banner").get_by_text(user.name)).to_be_visible(timeout=SIGNING_IN_MS)


def test_sign_in_that_has_ended_goes_on_after_the_code(
    new_page: Callable[..., Any], site: Site, user: User, client: Client
) -> None:
    page = new_page()
    sign_in(page, site, user)
    with second_factor(site.deployed):
        secret = set_up(client)
        page.route("**/api/**", lambda route: route.fulfill(status=401, body="{}"))
        over = {"__type": "NotAuthorizedException", "message": "Revoked"}
        answering(page, "InitiateAuth", 400, over, within="REFRESH_TOKEN_AUTH")
        page.evaluate("location.hash = '#/jobs/no-such-job'")
        dialog = page.get_by_role("dialog", name="Your sign-in has ended")
        expect(dialog).to_be_visible(timeout=SIGNING_IN_MS)
        page.unroute("**/api/**")
        send(dialog, "Password", user.password)
        expect(dialog.get_by_label(CODE)).to_be_focused()
        assert violations(page) == []
        send(dialog, CODE, code(secret))
        expect(dialog).to_have_count(0, timeout=SIGNING_IN_MS)
        expect(page.get_by_text("None of your jobs has this id")).to_be_visible(timeout=SIGNING_IN_MS)
