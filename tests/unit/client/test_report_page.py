import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from darkroom.cli.markup import element, together
from darkroom.cli.report_page import report_page
from darkroom.models import Job, queued_job

PREVIEW = b"\xff\xd8\xff a preview"
CSS = Path(__file__).parents[3] / "client" / "darkroom" / "cli" / "report_page.css"
HOSTILE = "\"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>&amp;\x1b[2J\u202e\x00\ud800"
VOID = {"meta", "img", "br", "rect", "polyline"}


class Page(HTMLParser):
    """What a browser would see: elements, attributes, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: dict[str, Any], job: Job | None = None) -> Page:
    page = Page(report_page(report, job or queued_job("job-1", 1.7e9), PREVIEW))
    assert page.open == []
    return page


def everywhere(value: Any) -> Any:
    """The same report with hostile text in the place of every text and at the end of every name that is not known."""
    if isinstance(value, dict):
        return {**{name: everywhere(item) for name, item in value.items()}, f"new{HOSTILE}": HOSTILE}
    if isinstance(value, list):
        return [everywhere(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.fixture
def full_report(real_report: dict[str, Any]) -> dict[str, Any]:
    code = {"format": "QR Code", "text": "one\ntwo", "truncated": True, "orientation": 90,
            "position": [[1, 2], [11, 2], [11, 12], [1, 12]]}  # fmt: skip
    real_report["analyses"]["codes"] = {"codes": [code], "found": 3}
    real_report["analyses"]["labels"] = {"skipped": True, "reason": "Needs AWS."}
    real_report["analyses"]["sky"] = {"share": 0.4, "clouds": [{"kind": "cirrus"}]}
    real_report["image"]["photo"] = {"camera": "Brownie 2", "exposure": "1/250 s at f/2.8"}
    real_report["image"]["hasLocation"] = True
    return real_report


def test_page_says_all_that_the_report_says(full_report: dict[str, Any]) -> None:
    page = page_of(full_report, queued_job("job-1", 1.7e9, tags={"album": "spring"}))

    for words in (
        *full_report["analyses"]["quality"]["verdicts"],
        full_report["summary"],
        "slightly soft",
        "dark greyish olive green",
        "#1e2306",
        "42.6%",
        "QR Code",
        "one two",
        "(cut)",
        "10 x 10 pixels of the working copy at 1, 2, turned by 90°",
        "and 2 more",
        "The file says where it was taken",
        "Brownie 2",
        "1/250 s at f/2.8",
        "c3ca9d9d8aa4e86a",
        "clouds 1 kind",
        "Needs AWS.",
        "spring",
    ):
        assert words in page.text


def test_page_has_its_verdicts_first(full_report: dict[str, Any]) -> None:
    page = page_of(full_report)
    tags = [name for name, _ in page.elements]

    assert tags.index("li") < tags.index("img") < tags.index("svg")


def test_page_refers_to_nothing_but_itself(full_report: dict[str, Any]) -> None:
    page = page_of(everywhere(full_report))

    assert not {"script", "link", "iframe", "object", "embed", "base", "form", "a"} & {
        name for name, _ in page.elements
    }
    for _, attributes in page.elements:
        assert not {"href", "srcset", "action", "style", "xlink:href"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    assert [image["src"] for image in page.all("img")] == [
        f"data:image/jpeg;base64,{base64.b64encode(PREVIEW).decode()}"
    ]
    assert "url(" not in CSS.read_text()
    assert "@import" not in CSS.read_text()


def test_page_policy_allows_its_own_style_and_nothing_else(full_report: dict[str, Any]) -> None:
    html = report_page(full_report, queued_job("job-1", 1.7e9), PREVIEW)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [meta["content"] for meta in Page(html).all("meta") if "Content-Security-Policy" in meta.values()]

    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_page_of_a_hostile_report_shows_it_as_text(full_report: dict[str, Any]) -> None:
    harmless, hostile = page_of(full_report), page_of(everywhere(full_report))

    assert {name for name, _ in hostile.elements} <= {name for name, _ in harmless.elements}
    assert "<script>alert(1)</script>" in hostile.text
    assert r"\x1b[2J\u202e\x00\ud800" in hostile.text
    html = report_page(everywhere(full_report), queued_job("job-1", 1.7e9), PREVIEW)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)


def test_page_colour_that_is_none_paints_nothing() -> None:
    colours = [{"hex": 'red" onload="x', "textColour": "url(http://evil.example)"}, {"hex": "#aa3311"}]
    page = page_of({"analyses": {"palette": {"colours": colours}}})

    assert [rect["fill"] for rect in page.all("rect")] == ["#aa3311"]


def test_page_can_be_read_aloud_and_on_a_phone(full_report: dict[str, Any]) -> None:
    page = page_of(full_report)

    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert len(page.all("h1")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in page.all("svg"))
    assert all(cell.get("scope") in {"row", "col"} for cell in page.all("th"))


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"image": None, "analyses": [], "summary": None},
        {"analyses": {"palette": None, "quality": "good", "codes": {"codes": "none"}, "labels": {"cat": 0.9}}},
        {"analyses": {"palette": {"histogram": {"luma": [0.0] * 16, "red": "x"}, "mean": 7}, "quality": {"x": {}}}},
        {"analyses": {"palette": {"histogram": {"luma": [0.5, float("nan")], "red": [0.5, 0.5]}}}},
        {"analyses": {"codes": {"codes": [{}, {"position": [[1], "x"]}], "found": 1e300}}},
        {"image": {"bytes": -1, "frames": float("inf"), "width": 10**30, "height": [], "dpi": [], "exif": [1]}},
    ],
)
def test_page_of_a_report_of_any_shape_is_written(report: dict[str, Any]) -> None:
    assert "Image report" in page_of(report).text


def test_page_of_long_text_cuts_it(full_report: dict[str, Any]) -> None:
    full_report["image"]["photo"]["camera"] = "x" * 100_000
    full_report["analyses"]["sky"] = {"list": list(range(100_000)), "deep": {str(i): i for i in range(10_000)}}

    assert len(report_page(full_report, queued_job("job-1", 1.7e9), PREVIEW)) < 40_000


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    light = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("behind", ["back", "panel"])
def test_page_text_has_the_contrast_of_wcag_aa(scheme: str, behind: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS.read_text(), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", blocks[scheme == "dark"]))
    for name in ("text", "faint", "good", "fair", "poor"):
        low, high = sorted((luminance(colours[name]), luminance(colours[behind])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


def test_element_escapes_what_is_no_element() -> None:
    assert element("p", "a<b", element("br"), title='"<') == '<p title="&quot;&lt;">a&lt;b<br/></p>'
    assert together("<", element("b", "x")) == "&lt;<b>x</b>"
    assert element("p", "<b>" + element("b", "x")) == "<p>&lt;b&gt;&lt;b&gt;x&lt;/b&gt;</p>"


def test_page_of_a_real_report_has_its_parts(real_report: dict[str, Any]) -> None:
    page = page_of(real_report)

    assert [len(page.all(tag)) for tag in ("section", "svg", "polyline", "table")] == [8, 8, 3, 6]
    assert real_report["summary"] in page.text


def test_page_of_regions_shows_their_heat_map(full_report: dict[str, Any]) -> None:
    png = b"\x89PNG\r\n\x1a\n a map"
    regions = {"measured": True, "columns": 8, "rows": 6, "sharpest": {"sharpness": 3, "box": [0, 0, 10, 10]}}
    full_report["analyses"]["regions"] = regions
    page = Page(report_page(full_report, queued_job("job-1", 1.7e9), PREVIEW, png))

    preview, heat_map = page.all("img")
    assert heat_map["src"] == f"data:image/png;base64,{base64.b64encode(png).decode()}"
    assert heat_map["alt"]
    assert preview["src"] != heat_map["src"]
    assert "Regions Sharpness, tile by tile: dark is soft, light is sharp. tiles 8 x 6" in page.text


def test_page_of_regions_that_were_not_measured_shows_no_heat_map(full_report: dict[str, Any]) -> None:
    full_report["analyses"]["regions"] = {"measured": False, "reason": "It takes too much memory."}
    page = page_of(full_report)

    assert len(page.all("img")) == 1
    assert "Regions It takes too much memory." in page.text
