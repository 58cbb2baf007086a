"""The console's origin, seen by a browser: it has all that the page needs, and lets nothing else in or out."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from laptop.users import User
from tests.browser.conftest import Site, fill_in
from tests.browser.guard import Guard

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST_LOAD_BYTES = 150_000
SIGN_IN = """
async ({ username, password }) => {
  const config = await (await fetch("/config.json")).json();
  const answer = await fetch(config.signIn, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({
      ClientId: config.userPoolClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: username, PASSWORD: password },
    }),
  });
  return (await answer.json()).AuthenticationResult.AccessToken;
}
"""
UPLOAD = """
async ({ token, photo }) => {
  const asked = await fetch("/api/uploads", {
    method: "POST",
    headers: { Authorization: token, "Content-Type": "application/json" },
    body: JSON.stringify({ contentType: "image/jpeg" }),
  });
  const { imageId, url, fields } = await asked.json();
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
  form.append("file", new Blob([bytes], { type: "image/jpeg" }));
  const sent = await fetch("/files" + new URL(url).pathname, { method: "POST", body: form });
  return { imageId, status: sent.status, key: fields.key };
}
"""
WATCH = """
async ({ token, imageId }) => {
  const headers = { Authorization: token, "Content-Type": "application/json" };
  const { ticket } = await (await fetch("/api/tickets", { method: "POST", headers })).json();
  const socket = new WebSocket(`/live?ticket=${encodeURIComponent(ticket)}`);
  const seen = [];
  let jobId = null;
  return await new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error("the line was lost"));
    socket.onopen = () => socket.send(JSON.stringify({ action: "subscribe", all: true }));
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "subscribed") {
        const body = JSON.stringify({ imageId, analyses: ["palette"] });
        ({ jobId } = await (await fetch("/api/jobs", { method: "POST", headers, body })).json());
      }
      for (const event of message.events ?? []) seen.push(event.data.status);
      if (seen.at(-1) === "SUCCEEDED") {
        socket.close();
        resolve({ jobId, seen });
      }
    };
  });
}
"""
DRAW_AGAIN = """
async () => {
  location.hash = "#/operations";
  await new Promise((drawn) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(drawn)), 100));
}
"""
"""Another address behind the # has the whole page drawn again, as its first moments do."""
FETCH_PREVIEW = """
async ({ token, jobId }) => {
  const answer = await fetch(`/api/jobs/${jobId}/result?artefact=preview`, { headers: { Authorization: token } });
  const picture = await createImageBitmap(await answer.blob());
  const policy = answer.headers.get("Content-Security-Policy");
  return { url: answer.url, status: answer.status, policy, width: picture.width };
}
"""


@pytest.fixture
def blank(new_page: Callable[..., "Page"]) -> "Page":
    """A page that has loaded nothing yet."""
    return new_page()


def test_first_load_stays_below_its_budget(blank: "Page", site: Site, record_property: Any) -> None:
    transferred = _count_bytes(blank)
    blank.goto(site.url, wait_until="networkidle")
    blank.get_by_role("button", name="Sign in").wait_for()
    record_property("first_load_bytes", sum(transferred))
    print(f"\nfirst load: {sum(transferred)} bytes in {len(transferred)} answers")

    assert sum(transferred) < FIRST_LOAD_BYTES


def test_signing_in_by_the_form_opens_the_console(page: "Page", user: User) -> None:
    assert page.get_by_role("banner").get_by_text(user.name).is_visible()


def test_wrong_password_is_refused_and_the_form_stays(blank: "Page", site: Site, user: User, guard: Guard) -> None:
    guard.allow("400 .*/sign-in")
    blank.goto(site.url)
    fill_in(blank, User(user.name, "wrong"))
    blank.get_by_role("alert").first.wait_for()

    assert blank.get_by_role("button", name="Sign in").is_visible()


def test_what_was_typed_stays_when_the_page_draws_itself_again(blank: "Page", site: Site) -> None:
    blank.goto(site.url)
    blank.get_by_label("Email address").fill("somebody@darkroom.example")
    blank.get_by_label("Password").fill("a-secret")
    blank.evaluate(DRAW_AGAIN)

    assert blank.get_by_label("Email address").input_value() == "somebody@darkroom.example"
    assert blank.get_by_label("Password").input_value() == "a-secret"


def test_page_uploads_watches_and_fetches_without_leaving_its_origin(
    blank: "Page", site: Site, user: User, photos: Path
) -> None:
    blank.goto(site.url)
    token = blank.evaluate(SIGN_IN, {"username": user.name, "password": user.password})
    photo = base64.b64encode((photos / "freespace.jpg").read_bytes()).decode()

    uploaded = blank.evaluate(UPLOAD, {"token": token, "photo": photo})
    watched = blank.evaluate(WATCH, {"token": token, "imageId": uploaded["imageId"]})
    fetched = blank.evaluate(FETCH_PREVIEW, {"token": token, "jobId": watched["jobId"]})

    assert uploaded["status"] == 204
    assert watched["seen"][0] == "QUEUED"
    assert watched["seen"][-1] == "SUCCEEDED"
    assert fetched["url"].startswith(f"{site.url}/files/")
    assert fetched["status"] == 200
    assert fetched["width"] > 0
    assert "sandbox" in fetched["policy"]


def test_unknown_address_shows_the_page_for_it(blank: "Page", site: Site, guard: Guard) -> None:
    guard.allow("404 .*/nowhere/to/be/found")
    answer = blank.goto(f"{site.url}/nowhere/to/be/found")

    assert answer is not None
    assert answer.status == 404
    assert blank.get_by_role("heading", name="There is nothing here").is_visible()
    blank.get_by_role("link", name="Go to your jobs").click()
    blank.get_by_role("button", name="Sign in").wait_for()


def test_page_of_another_origin_cannot_frame_the_console(blank: "Page", guard: Guard, site: Site) -> None:
    guard.allow(r"frame-ancestors|ERR_BLOCKED_BY_RESPONSE|X-Frame-Options|chrome-error")
    blank.set_content(f'<iframe src="{site.url}/"></iframe>')
    blank.wait_for_timeout(500)

    assert blank.frames[-1].get_by_role("button", name="Sign in").count() == 0


@pytest.mark.parametrize(
    ("attempt", "found"),
    [
        ("fetch('https://darkroom.example/').catch(() => 0)", "connect-src"),
        ("new Image().src = 'https://darkroom.example/pixel.png'", "img-src"),
        ("document.body.append(Object.assign(document.createElement('style'), { textContent: 'p {}' }))", "style-src"),
        ("import('https://darkroom.example/script.js').catch(() => 0)", "script-src"),
        ("try { document.body.innerHTML = '<p>text</p>' } catch {}", "require-trusted-types-for"),
        ("setTimeout(() => { throw new Error('uncaught') })", "uncaught"),
        ("console.error('said aloud')", "said aloud"),
    ],
)
def test_guard_sees_what_must_not_happen(blank: "Page", guard: Guard, site: Site, attempt: str, found: str) -> None:
    blank.goto(site.url, wait_until="networkidle")
    assert guard.take() == []

    blank.evaluate(f"() => {{ {attempt} }}")
    blank.wait_for_timeout(300)

    assert any(found in what for what in guard.take())


def _count_bytes(page: "Page") -> list[int]:
    """Note how many bytes came over the line with each answer, headers included, as the browser counts them."""
    transferred: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: transferred.append(int(event["encodedDataLength"])))
    return transferred
