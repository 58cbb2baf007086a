"""What people see of a job that is done: on a terminal, and as a page that they can keep and pass on."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from darkroom import Client
from darkroom.cli import main
from darkroom.models import ArtefactName, JobStatus

ALL = ["palette", "quality", "fingerprint", "codes", "regions", "labels"]
REFERRING = {
    "src",
    "srcset",
    "href",
    "action",
    "data",
    "poster",
    "background",
    "formaction",
    "cite",
    "ping",
    "manifest",
}
"""Attributes by which a page refers to something."""


class Page(HTMLParser):
    """A page's references, policies, styles and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.references: list[str] = []
        self.policies: list[str] = []
        self.styles: list[str] = []
        self.text = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.references += [value for name, value in given.items() if name in REFERRING]
        self.styles += [value for name, value in given.items() if name == "style"]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(given["content"])
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)
            self._in_style = False
        else:
            self.text += f"{data} "


@pytest.fixture(scope="module")
def job(client: Client, photos: Path) -> str:
    """Done, with all that there is; labels need AWS, and are skipped here."""
    job_id = client.submit(client.upload(photos / "seeding.jpg"), analyses=ALL, tags={"trip": "<alps>"}).job_id
    assert list(client.watch(job_id))[-1].status is JobStatus.SUCCEEDED
    return job_id


@pytest.fixture
def run(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, str]]:
    """Run the command as the demo user; return what it has printed and said."""
    monkeypatch.setenv("DARKROOM_PROFILE_FILE", str(client.profile.path))

    def run_command(*arguments: str) -> tuple[str, str]:
        assert main(arguments) == 0
        captured = capsys.readouterr()
        return captured.out, captured.err

    return run_command


@pytest.fixture
def page(run: Callable[..., tuple[str, str]], job: str, tmp_path: Path) -> Page:
    run("result", job, "--html", str(tmp_path / "report.html"))
    return Page((tmp_path / "report.html").read_text(encoding="utf-8"))


def why_labels_are_skipped(client: Client, job: str) -> str:
    (labels,) = [entry for entry in client.get(job).timeline if entry.stage == "labels"]
    assert labels.reason
    return labels.reason


def test_result_tells_verdicts_colours_regions_and_what_was_skipped(
    client: Client, run: Callable[..., tuple[str, str]], job: str
) -> None:
    report = client.result(job)

    out, _ = run("result", job)

    shown = " ".join(out.split())
    assert report["summary"] in shown
    for verdict in report["analyses"]["quality"]["verdicts"]:
        assert verdict in shown
    for colour in report["analyses"]["palette"]["colours"]:
        assert colour["hex"] in shown
    regions = report["analyses"]["regions"]
    assert f"{regions['columns']} x {regions['rows']}" in shown
    assert report["analyses"]["fingerprint"]["pHash"] in shown
    assert why_labels_are_skipped(client, job) in shown


def test_page_refers_to_nothing_outside_of_itself(page: Page) -> None:
    assert page.references
    assert [reference[:40] for reference in page.references if not reference.startswith("data:image/")] == []
    assert not page.tags & {"script", "link", "iframe", "object", "embed", "form", "base", "video", "audio"}
    assert not re.search(r"url\(|@import|https?:", " ".join(page.styles))


def test_page_has_a_policy_that_forbids_all_but_its_own_pictures_and_style(page: Page) -> None:
    (policy,) = page.policies
    (style,) = page.styles
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_page_has_preview_and_heat_map_in_it(client: Client, job: str, page: Page) -> None:
    embedded = [base64.b64decode(reference.partition("base64,")[2]) for reference in page.references]

    assert embedded == [client.artefact(job, name) for name in (ArtefactName.PREVIEW, ArtefactName.HEAT_MAP)]
    assert "Sharpness, tile by tile" in page.text


def test_page_tells_what_was_skipped_and_shows_tags_as_text(client: Client, job: str, page: Page) -> None:
    shown = " ".join(page.text.split())

    assert why_labels_are_skipped(client, job) in shown
    assert "<alps>" in shown
    assert client.result(job)["summary"] in shown
