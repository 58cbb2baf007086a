"""What the page does when its connection, or its sign-in, is lost: nothing is lost with it."""

import base64
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from darkroom import Client

from laptop.users import User
from laptop.world import World
from tests.browser.conftest import Site, row, sign_in, until
from tests.browser.dropping import drop
from tests.browser.guard import NETWORK, Guard

expect = pytest.importorskip("playwright.sync_api").expect
SECONDS = 1000
JOBS = 20
FIRST_LOAD_BYTES = 150_000


@pytest.fixture(autouse=True)
def provoked(guard: Guard) -> None:
    """Calls that are refused belong to these tests."""
    guard.allow(NETWORK)


def test_lost_connection_in_the_middle_of_twenty_jobs_loses_and_repeats_nothing(
    page: Any, client: Client, world: World, photos: Path
) -> None:
    photo = (photos / "freespace.jpg").read_bytes()
    drop(page, {f"job-{number}.jpg": photo for number in range(JOBS)})
    for _ in range(2):
        already = page.evaluate("window.told.length")
        until(page, f"window.told.length > {already}", 60)
        for connection in world.connections():
            world.cut(connection)
        expect(page.get_by_role("banner").get_by_text("Live", exact=True)).to_be_visible(timeout=120 * SECONDS)
    page.context.set_offline(True)
    expect(page.get_by_text("Offline")).to_be_visible(timeout=60 * SECONDS)
    page.context.set_offline(False)
    expect(page.locator(".job").get_by_text("Succeeded")).to_have_count(JOBS, timeout=180 * SECONDS)
    expect(page.get_by_role("banner").get_by_text("Live", exact=True)).to_be_visible(timeout=120 * SECONDS)

    # A job is shown as over as soon as that is known; events that push has lost are asked for after a silence (15 s).
    whole = {job.job_id: list(range(1, (client.get(job.job_id).seq or 0) + 1)) for job in client.jobs()}
    assert len(whole) == JOBS
    until(page, f"window.told.length >= {sum(map(len, whole.values()))}", 90)
    told = defaultdict(list)
    for event in page.evaluate("window.told"):
        told[event["jobId"]].append(event["seq"])
    assert told == whole


def test_without_push_the_page_asks_and_tells_all_the_same(
    new_page: Callable[..., Any], site: Site, user: User, client: Client, photos: Path
) -> None:
    page = new_page()
    page.route("**/api/tickets", lambda route: route.fulfill(status=503, body="{}"))
    sign_in(page, site, user)
    drop(page, {"life.jpg": (photos / "life.jpg").read_bytes()})
    expect(row(page, "life.jpg").get_by_text("Succeeded")).to_be_visible(timeout=90 * SECONDS)
    expect(page.get_by_text("Live, a little later")).to_be_visible()
    job = next(iter(client.jobs()))
    assert page.evaluate("window.told.map(({ seq }) => seq)") == list(range(1, client.get(job.job_id).seq + 1))


def test_time_from_a_write_to_the_page_is_reported(
    new_page: Callable[..., Any],
    site: Site,
    user: User,
    photos: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    medians = {}
    for how in ("pushed", "asked for"):
        page = new_page()
        if how != "pushed":
            page.route("**/api/tickets", lambda route: route.fulfill(status=503, body="{}"))
        sign_in(page, site, user)
        for name in ("life.jpg", "seeding.jpg"):
            drop(page, {f"{how} {name}": (photos / name).read_bytes()})
            expect(row(page, f"{how} {name}").get_by_text("Succeeded")).to_be_visible(timeout=90 * SECONDS)
        medians[how] = statistics.median(map(_seconds_on_the_way, page.evaluate("window.told")))
        page.context.close()
    with capsys.disabled():
        words = ", ".join(f"{median:.2f} s when {how}" for how, median in medians.items())
        print(f"\n  From a write of progress to the open page, median: {words}")


def _seconds_on_the_way(event: dict[str, Any]) -> float:
    return float(event["at"] / 1000 - datetime.fromisoformat(event["time"]).timestamp())


def test_expired_sign_in_keeps_what_one_was_doing(
    new_page: Callable[..., Any], site: Site, user: User, photos: Path
) -> None:
    page = new_page()
    sign_in(page, site, user)
    page.locator("summary", has_text="What to find out").click()
    page.get_by_label("Sharpness by region").check()
    expired = {"is": True}

    def refuse(route: Any) -> None:
        body = json.dumps({"type": "/problems/unauthorized", "title": "Not signed in", "status": 401})
        route.fulfill(status=401, content_type="application/problem+json", body=body) if expired[
            "is"
        ] else route.fallback()

    def end(route: Any) -> None:
        if "REFRESH_TOKEN_AUTH" in (route.request.post_data or ""):
            route.fulfill(status=400, body=json.dumps({"__type": "NotAuthorizedException", "message": "Revoked"}))
        else:
            expired["is"] = False
            route.fallback()

    page.route("**/api/**", refuse)
    page.route("**/sign-in", end)
    drop(page, {"life.jpg": (photos / "life.jpg").read_bytes()})
    dialog = page.get_by_role("dialog", name="Your sign-in has ended")
    expect(dialog).to_be_visible(timeout=30 * SECONDS)
    expect(dialog.get_by_label("Email address")).to_have_value(user.name)
    dialog.get_by_label("Password").fill(user.password)
    dialog.get_by_role("button", name="Sign in").click()

    expect(dialog).to_have_count(0)
    expect(row(page, "life.jpg").get_by_text("Succeeded")).to_be_visible(timeout=90 * SECONDS)
    expect(page.get_by_label("Sharpness by region")).to_be_checked()


def test_token_that_has_run_out_is_renewed_without_a_word(new_page: Callable[..., Any], site: Site, user: User) -> None:
    page = new_page()
    renewed: list[str] = []

    def shorten(route: Any) -> None:
        answer = route.fetch()
        document = answer.json()
        if "REFRESH_TOKEN_AUTH" in (route.request.post_data or ""):
            renewed.append("once")
        else:
            document["AuthenticationResult"]["AccessToken"] = _run_out(document["AuthenticationResult"]["AccessToken"])
        route.fulfill(response=answer, body=json.dumps(document))

    page.route("**/sign-in", shorten)
    sign_in(page, site, user)
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    assert renewed == ["once"]


def _run_out(token: str) -> str:
    """Say in a token that it has run out; its signature does not hold any more, but nobody is to look at it."""
    head, middle, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"exp": int(time.time()) - 1}).encode()).decode().rstrip("=")
    return f"{head}.{changed}.{signature}"


def test_first_load_is_small_and_stays_on_the_origin(
    new_page: Callable[..., Any], site: Site, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    received = {"bytes": 0}
    session.on(
        "Network.loadingFinished", lambda told: received.update(bytes=received["bytes"] + told["encodedDataLength"])
    )
    sign_in(page, site, user)
    expect(page.get_by_text("No jobs yet")).to_be_visible()

    assert 0 < received["bytes"] < FIRST_LOAD_BYTES
    assert {url.split("?")[0] for url in asked if not url.startswith(f"{site.url}/")} == set()
    with capsys.disabled():
        print(f"\n  First load, sign-in included: {received['bytes'] / 1000:.0f} kB in {len(asked)} requests")
