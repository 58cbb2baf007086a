"""The console for everybody: readers of screens, users of the keyboard, phones, dark rooms; and for operators."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from darkroom import Client

from laptop.users import User
from laptop.waiting import wait_for
from laptop.world import World
from tests.browser.axe import violations
from tests.browser.conftest import PHONE, Site, picture, row, sign_in
from tests.browser.guard import NETWORK, Guard

expect = pytest.importorskip("playwright.sync_api").expect
SECONDS = 1000


@pytest.fixture(autouse=True)
def provoked(guard: Guard) -> None:
    """Calls that are refused belong to these tests."""
    guard.allow(NETWORK)


@pytest.fixture
def two_jobs(client: Client, photos: Path) -> tuple[str, str]:
    """Ids of a job that has succeeded and of one that has failed."""
    image_id = client.upload(photos / "seeding.jpg")
    done = client.submit(image_id, analyses=["palette", "quality", "fingerprint", "codes", "regions"]).job_id
    failed = client.submit("nothing-uploaded", tags={"file": "lost.jpg"}).job_id
    assert [list(client.watch(job_id))[-1].status for job_id in (done, failed)] == ["SUCCEEDED", "FAILED"]
    return done, failed


def views(page: Any, site: Site, two_jobs: tuple[str, str]) -> Iterator[str]:
    """Go through every view of the console, one after the other, each loaded and at rest."""
    base = f"{site.url}/"
    done, failed = two_jobs
    page.goto(f"{base}#/jobs?search=nothing-like-it")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    yield "nothing found"
    page.goto(f"{base}#/jobs")
    expect(page.locator(".job")).to_have_count(2)
    page.locator("summary", has_text="What to find out").click()
    yield "list"
    page.goto(f"{base}#/jobs/{done}")
    expect(page.locator(".plot canvas")).to_be_visible(timeout=30 * SECONDS)
    for summary in page.locator("summary").all():
        summary.click()
    yield "report"
    page.goto(f"{base}#/jobs/{failed}")
    expect(page.get_by_text("What went wrong")).to_be_visible()
    yield "failed job"
    page.get_by_role("button", name="Delete").click()
    yield "question"
    page.keyboard.press("Escape")
    page.goto(f"{base}#/jobs/no-such-job")
    expect(page.get_by_text("None of your jobs has this id")).to_be_visible(timeout=30 * SECONDS)
    yield "no such job"
    page.goto(f"{base}#/operations")
    expect(page.get_by_role("heading", name="Dead letters").last).to_be_visible(timeout=30 * SECONDS)
    expect(page.get_by_text("ImageNotFound").first).to_be_visible(timeout=30 * SECONDS)
    yield "operations"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_any_view(
    new_page: Callable[..., Any], site: Site, operator: User, two_jobs: tuple[str, str], scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(site.url)
    page.get_by_label("Password").wait_for()
    found = {"sign-in": violations(page)}
    sign_in(page, site, operator)
    found |= {view: violations(page) for view in views(page, site, two_jobs)}
    assert {view: faults for view, faults in found.items() if faults} == {}
    assert len(found) == 8


def test_axe_finds_no_violation_before_there_are_jobs(page: Any) -> None:
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    assert violations(page) == []


def test_nothing_is_wider_than_a_phone(
    new_page: Callable[..., Any], site: Site, operator: User, two_jobs: tuple[str, str]
) -> None:
    page = new_page(viewport=PHONE)
    sign_in(page, site, operator)
    for view in views(page, site, two_jobs):
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view
        if view in ("list", "report"):
            picture(page, f"console-phone-{view}")


def test_console_is_used_by_keyboard_alone(page: Any, client: Client) -> None:
    list(client.watch(client.submit("nothing-uploaded", tags={"file": "lost.jpg"}).job_id))
    expect(row(page, "lost.jpg").get_by_text("Failed", exact=True)).to_be_visible(timeout=30 * SECONDS)
    page.evaluate("document.activeElement.blur()")
    press_until_focused(page, "Tab", "a.skip")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    press_until_focused(page, "Tab", "a.job-link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="lost.jpg")).to_be_focused()
    press_until_focused(page, "Tab", "button:text('Delete')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def press_until_focused(page: Any, key: str, selector: str, most: int = 40) -> None:
    """Press a key until something has the focus, as somebody does who cannot point at it."""
    wanted = page.locator(selector).first
    for _ in range(most):
        page.keyboard.press(key)
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{selector} is not reached by {key}")


def test_operator_sees_the_queues_and_redrives_dead_letters(
    new_page: Callable[..., Any], site: Site, operator: User, client: Client, world: World
) -> None:
    job_ids = [client.submit("nothing-uploaded", tags={"file": f"lost-{number}.jpg"}).job_id for number in range(3)]
    for job_id in job_ids:
        list(client.watch(job_id))
    assert wait_for(lambda: all(world.dead_letters(job_id) for job_id in job_ids), 30)
    page = new_page()
    sign_in(page, site, operator)
    page.get_by_role("link", name="Operations").click()
    letters = page.locator(".letter")
    one = letters.filter(has_text=job_ids[0])
    expect(one).to_contain_text("ImageNotFound in inspect", timeout=30 * SECONDS)
    expect(page.get_by_role("region", name="Job queue")).to_contain_text("0")
    expect(page.locator(".plot canvas")).to_be_visible(timeout=30 * SECONDS)
    picture(page, "console-operations")

    one.get_by_role("button", name=re.compile("^Redrive")).click()
    expect(page.get_by_text("1 job redriven.").first).to_be_visible(timeout=30 * SECONDS)
    assert client.get(job_ids[0]).attempt == 2

    page.get_by_role("button", name="Redrive all").click()
    page.get_by_role("button", name="Redrive them").click()
    assert wait_for(lambda: all(client.get(job_id).attempt >= 2 for job_id in job_ids), 40)


def test_everybody_else_is_told_that_operations_are_for_operators(page: Any) -> None:
    expect(page.get_by_role("link", name="Operations")).to_have_count(0)
    page.evaluate("location.hash = '#/operations'")
    expect(page.get_by_text("For operators only")).to_be_visible()
