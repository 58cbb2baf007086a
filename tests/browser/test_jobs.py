"""What people do with jobs in the console."""

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import zxingcpp
from darkroom import Client
from PIL import ExifTags, Image

from laptop import users
from laptop.users import User
from laptop.waiting import wait_for
from laptop.world import World
from tests.browser.conftest import DESKTOP, Site, picture, row, sign_in, until
from tests.browser.dropping import drop
from tests.browser.guard import NETWORK, Guard

expect = pytest.importorskip("playwright.sync_api").expect
SECONDS = 1000
THREE = ("life.jpg", "picos-de-europa.jpg", "seeding.jpg")
CONSOLE_OF_AWS = "https://console.aws.example/executions/"
TYPE_ON = """
() => {
  const replace = history.replaceState;
  history.replaceState = (...asked) => {
    history.replaceState = replace;
    history.replaceState(...asked);
    const box = document.querySelector("input[type=search]");
    box.value += "R";
    box.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => { window.shown = box.value; }, 150);
  };
}
"""
"""Types another letter in the very moment in which the address takes over what was typed before."""
HTML = '<img src=x onerror="window.caught=1"><b>bold</b>'


@pytest.fixture(autouse=True)
def provoked(guard: Guard) -> None:
    """Calls that are refused belong to these tests."""
    guard.allow(NETWORK)


def test_wrong_password_is_told_and_the_right_one_leads_in(
    new_page: Callable[..., Any], site: Site, user: User
) -> None:
    page = new_page()
    page.goto(site.url)
    page.get_by_label("Email address").fill(user.name)
    page.get_by_label("Password").fill("Not-the-password-1")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")

    page.get_by_label("Password").fill(user.password)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Jobs")).to_be_focused()
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_three_photographs_and_a_broken_file_are_watched_to_their_ends(page: Any, photos: Path) -> None:
    page.evaluate("window.unloaded = false")
    files = {name: (photos / name).read_bytes() for name in THREE}
    drop(page, {**files, "broken.jpg": b"no image at all"})

    expect(page.locator(".job progress").first).to_be_visible(timeout=20 * SECONDS)
    until(page, "window.told.some(({ status }) => status === 'RUNNING')")
    picture(page, "console-list-live")
    for name in THREE:
        expect(row(page, name).get_by_text("Succeeded")).to_be_visible(timeout=60 * SECONDS)
    expect(row(page, "broken.jpg").get_by_text("Failed", exact=True)).to_be_visible(timeout=60 * SECONDS)
    expect(row(page, "broken.jpg")).to_contain_text("not an image")

    assert page.evaluate("window.unloaded") is False
    seen = page.evaluate("window.told.filter(({ status }) => status === 'RUNNING').map(({ progress }) => progress)")
    assert len(set(seen)) > 3
    expect(page.locator(".job img")).to_have_count(3)
    picture(page, "console-list")


def test_progress_of_a_stage_is_seen_changing_on_an_open_page(
    page: Any, client: Client, world: World, photos: Path
) -> None:
    with world.held("Report"):
        job_id = client.submit(client.upload(photos / "life.jpg")).job_id
        page.goto(f"{page.url.partition('#')[0]}#/jobs/{job_id}")
        bar = page.get_by_role("progressbar", name="Progress of the job")
        expect(bar).to_be_visible(timeout=20 * SECONDS)
        expect(page.get_by_text("Codes").first).to_be_visible()
        until(page, "document.querySelector('.job-head progress')?.value >= 50", 60)
    expect(page.get_by_role("heading", name="Palette")).to_be_visible(timeout=90 * SECONDS)
    assert page.get_by_role("heading", name="Stages").is_visible()


def test_report_is_shown_as_a_person_would_want_to_see_it(
    new_page: Callable[..., Any], site: Site, user: User, client: Client, photos: Path
) -> None:
    image_id = client.upload(photos / "picos-de-europa.jpg")
    twin = client.submit(image_id, tags={"file": "again.jpg"}).job_id
    list(client.watch(twin))
    job_id = client.submit(
        image_id,
        tags={"file": "picos-de-europa.jpg"},
        analyses=["palette", "quality", "fingerprint", "codes", "regions"],
    ).job_id
    list(client.watch(job_id))
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme, viewport={**DESKTOP, "height": 1000})
        sign_in(page, site, user, f"#/jobs/{job_id}")
        preview = page.get_by_role("img", name=re.compile("^Preview"))
        expect(preview).to_be_visible(timeout=30 * SECONDS)
        until(page, "document.querySelector('.preview img').naturalWidth > 500")
        for heading in ("Palette", "Tones", "Codes", "Photograph", "Fingerprint", "Sharpness by region", "Stages"):
            expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        expect(page.locator(".plot canvas")).to_be_visible()
        expect(page.get_by_text("The same picture in other jobs")).to_be_visible()
        expect(page.get_by_role("img", name=re.compile("Map of sharpness"))).to_be_visible()
        picture(page, f"console-job-{scheme}")


def test_job_says_that_its_file_tells_where_it_was_taken_and_where_its_execution_is(
    new_page: Callable[..., Any], site: Site, user: User, client: Client
) -> None:
    job_id = client.submit(client.upload(with_location(), "image/jpeg")).job_id
    job = list(client.watch(job_id))[-1]
    page = new_page()
    page.route("**/config.json", with_address_of_executions)
    sign_in(page, site, user, f"#/jobs/{job_id}")

    expect(page.get_by_text("The file says where it was taken.")).to_be_visible()
    link = page.get_by_role("link", name="Execution in AWS")
    expect(link).to_have_attribute("href", f"{CONSOLE_OF_AWS}{quote(job.execution or '', safe='')}")


def with_location() -> bytes:
    """A photograph whose EXIF has coordinates."""
    exif, image = Image.Exif(), BytesIO()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (43.0, 11.0, 0.0), 3: "W", 4: (4.0, 50.0, 0.0)})
    Image.new("RGB", (800, 600), "white").save(image, "JPEG", exif=exif)
    return image.getvalue()


def with_address_of_executions(route: Any) -> None:
    """Tell the page what it is told in an account; an emulator's executions have no page to look at."""
    document = route.fetch().json() | {"executionUrl": CONSOLE_OF_AWS + "{executionArn}"}
    route.fulfill(json=document)


def test_every_try_of_a_stage_is_told(page: Any, client: Client) -> None:
    job_id = client.submit("nothing-uploaded").job_id
    list(client.watch(job_id))
    client.redrive(job_id)
    list(client.watch(job_id))
    page.goto(f"{page.url.partition('#')[0]}#/jobs/{job_id}")

    tries = page.get_by_role("list", name="Tries").get_by_role("listitem")
    expect(tries).to_have_count(2)
    expect(tries.first).to_contain_text(re.compile("^Attempt 1, try 1: .*ImageNotFound"))
    expect(tries.last).to_contain_text(re.compile("^Attempt 2, try 1: .*ImageNotFound"))


def test_cancel_ends_a_running_job(page: Any, client: Client, world: World, photos: Path) -> None:
    with world.held("Palette"):
        job_id = client.submit(client.upload(photos / "life.jpg"), tags={"file": "unwanted.jpg"}).job_id
        row(page, "unwanted.jpg").get_by_role("link").click(timeout=30 * SECONDS)
        expect(page.locator(".status").get_by_text("Running", exact=True)).to_be_visible(timeout=30 * SECONDS)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text(re.compile("^Cancell(ing|ed)$"))).to_be_visible()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=90 * SECONDS)
    assert client.get(job_id).status == "CANCELLED"
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_failed_job_says_why_and_is_redriven(page: Any, client: Client) -> None:
    job_id = client.submit("nothing-uploaded", tags={"file": "lost.jpg"}).job_id
    row(page, "lost.jpg").get_by_text("Failed", exact=True).click(timeout=60 * SECONDS)

    wrong = page.get_by_role("alert")
    expect(wrong).to_contain_text("What went wrong")
    expect(wrong).to_contain_text("ImageNotFound in inspect")
    expect(wrong).to_contain_text("Drop the file again")
    picture(page, "console-failed")
    page.get_by_role("button", name="Try again").click()

    expect(page.locator(".job-head")).to_contain_text("attempt 2", timeout=60 * SECONDS)
    assert client.get(job_id).attempt == 2
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible(timeout=60 * SECONDS)


def test_delete_asks_first_and_leads_to_the_list(page: Any, client: Client) -> None:
    job_id = client.submit("nothing-uploaded", tags={"file": "gone.jpg"}).job_id
    row(page, "gone.jpg").get_by_text("Failed", exact=True).click(timeout=60 * SECONDS)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this job?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Delete")).to_be_focused()

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()

    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    expect(row(page, "gone.jpg")).to_have_count(0)
    assert job_id not in {job.job_id for job in client.jobs()}


def test_another_user_sees_nothing(page: Any, client: Client, site: Site, new_page: Callable[..., Any]) -> None:
    job_id = client.submit("nothing-uploaded", tags={"file": "mine.jpg"}).job_id
    expect(row(page, "mine.jpg")).to_be_visible(timeout=30 * SECONDS)
    stranger = User("stranger@darkroom.example")
    users.create(site.deployed, stranger)
    other = new_page()
    sign_in(other, site, stranger, f"#/jobs/{job_id}")

    expect(other.get_by_text("None of your jobs has this id")).to_be_visible()
    other.get_by_role("link", name="Show your jobs").click()
    expect(other.get_by_text("No jobs yet")).to_be_visible()
    assert list(client.watch(job_id))[-1].status == "FAILED"
    client.redrive(job_id)
    assert list(client.watch(job_id))[-1].attempt == 2
    assert other.evaluate("window.told") == []


def test_what_one_looks_at_is_kept_in_the_address(
    page: Any, client: Client, site: Site, user: User, new_page: Callable[..., Any]
) -> None:
    for name in ("apple.jpg", "pear.jpg"):
        list(client.watch(client.submit("nothing-uploaded", tags={"file": name}).job_id))
    page.get_by_role("link", name="Failed", exact=True).click()
    page.get_by_role("searchbox").fill("PEAR")
    expect(row(page, "apple.jpg")).to_have_count(0)
    expect(row(page, "pear.jpg")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("#/jobs?status=FAILED&search=PEAR") + "$"))

    other = new_page()
    sign_in(other, site, user, page.url.rpartition("/#")[2].join(["#", ""]))
    expect(row(other, "pear.jpg")).to_be_visible()
    expect(row(other, "apple.jpg")).to_have_count(0)
    other.get_by_role("link", name="Succeeded").click()
    expect(other.get_by_text("Nothing found")).to_be_visible()
    other.go_back()
    expect(row(other, "pear.jpg")).to_be_visible()


def test_search_keeps_what_is_typed_while_the_address_follows(page: Any, client: Client) -> None:
    list(client.watch(client.submit("nothing-uploaded", tags={"file": "pear.jpg"}).job_id))
    expect(row(page, "pear.jpg")).to_be_visible()
    page.evaluate(TYPE_ON)
    page.get_by_role("searchbox").fill("PEA")

    expect(page).to_have_url(re.compile("search=PEAR$"))
    until(page, "window.shown !== undefined")
    assert page.evaluate("window.shown") == "PEAR"
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_more_jobs_than_a_page_are_shown_page_by_page(
    client: Client, site: Site, user: User, new_page: Callable[..., Any]
) -> None:
    for number in range(55):
        client.submit("nothing-uploaded", tags={"file": f"number-{number}.jpg"})
    # Once they are over, nothing is left that could keep the page waiting.
    assert wait_for(lambda: len(list(client.jobs(status="FAILED"))) == 55, 180)
    page = new_page()
    sign_in(page, site, user)
    expect(page.locator(".job-link")).to_have_count(50, timeout=60 * SECONDS)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".job-link")).to_have_count(55, timeout=60 * SECONDS)
    assert page.url.endswith("#/jobs?pages=2")


def test_stored_html_is_text_everywhere(page: Any, client: Client, world: World) -> None:
    image = Image.new("RGB", (700, 700), "white")
    code = zxingcpp.create_barcode(HTML, zxingcpp.BarcodeFormat.QRCode)
    image.paste(Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=8)).convert("RGB"), (20, 20))
    exif = Image.Exif()
    exif[271] = exif[272] = HTML
    content = BytesIO()
    image.save(content, "JPEG", exif=exif)
    drop(page, {f"{HTML}.jpg".replace("/", "_"): content.getvalue()})
    expect(page.locator(".job").get_by_text("Succeeded")).to_be_visible(timeout=60 * SECONDS)
    done = client.submit("nothing-uploaded", tags={HTML: HTML, "file": HTML}).job_id
    list(client.watch(done))

    page.locator(".job").filter(has_text="Succeeded").get_by_role("link").click()
    expect(page.locator(".code-text")).to_have_text(HTML, timeout=30 * SECONDS)
    expect(page.get_by_text(HTML).first).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    assert_nothing_of_it_lives(page)
    page.goto(f"{page.url.partition('#')[0]}#/jobs/{done}")
    expect(page.get_by_role("heading", name=HTML)).to_be_visible()
    expect(page.get_by_text(f"Tag {HTML}")).to_be_visible()
    assert_nothing_of_it_lives(page)
    page.goto(f"{page.url.partition('#')[0]}#/jobs?search={HTML.replace('=', '%3D')}")
    expect(page.locator(".job").first).to_be_visible()
    assert_nothing_of_it_lives(page)


def assert_nothing_of_it_lives(page: Any) -> None:
    """No element was made of the text, and none of its script has run."""
    assert page.locator("b, img[src='x']").count() == 0
    assert page.evaluate("window.caught") is None


def test_raw_json_is_the_job(page: Any, client: Client) -> None:
    job_id = client.submit("nothing-uploaded").job_id
    list(client.watch(job_id))
    page.goto(f"{page.url.partition('#')[0]}#/jobs/{job_id}")
    page.get_by_text("The job, as the API shows it").click(timeout=30 * SECONDS)
    shown = json.loads(page.get_by_role("region", name="The job, as the API shows it").inner_text())
    assert (shown["jobId"], shown["status"]) == (job_id, "FAILED")
