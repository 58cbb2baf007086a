"""The report of a job as one page that needs nothing else: no network, no script, its pictures inside it.

Text that somebody else wrote gets into it by `element` alone, which escapes it. The page's own policy forbids what is
not on it: pictures but its own, scripts, styles but the one whose hash is told.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from string import Template
from typing import Any

from darkroom.cli.markup import Markup, element, together
from darkroom.cli.moments import moment
from darkroom.cli.plain_text import plain
from darkroom.cli.report_reading import (
    LOCATION_IS_NOT_TOLD,
    LOCATION_IS_TOLD,
    LOWEST_FAIR_SCORE,
    LOWEST_GOOD_SCORE,
    NO_CODES,
    Code,
    Colour,
    Fact,
    ReadReport,
    Score,
    read_report,
)
from darkroom.media_types import media_type
from darkroom.models import Job

_HISTOGRAM_HEIGHT = 100
_BIN_WIDTH = 10


def report_page(report: Mapping[str, Any], job: Job, preview: bytes, heat_map: bytes | None = None) -> str:
    """Write the page. `preview` and `heat_map`, of its regions, are files as the service gives them."""
    read = read_report(report, job)
    style = _resource("css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Template(_resource("html")).substitute(
        title=together(f"Image report {job.job_id}"),
        style=style,
        style_hash=f"sha256-{digest}",
        body="\n".join(part for part in _parts(read, job, preview, heat_map) if part),
    )


def _parts(read: ReadReport, job: Job, preview: bytes, heat_map: bytes | None) -> Iterable[Markup]:
    verdicts = [element("li", _foreign(verdict)) for verdict in read.verdicts]
    yield element("h1", "Image report")
    yield element("ul", *verdicts, class_="verdicts", aria_label="Verdicts") if verdicts else Markup()
    yield element("p", _foreign(read.summary))
    yield element("figure", _picture(preview, f"Preview. {read.summary}"))
    yield _section("Quality", _scores(read), _facts(read.quality))
    yield _section("Palette", _swatches(read))
    yield _section("Histogram", _histogram(read.histogram))
    yield _section("Codes", _codes(read))
    yield _section("Image", _facts(read.image))
    yield _section("Photo", _facts(read.photo), _location(read))
    yield _section("Fingerprint", _facts(read.marks))
    for name, facts in read.others.items():
        yield _section(name.capitalize(), _heat_map(heat_map) if name == "regions" else Markup(), _facts(facts))
    yield _section("Not made", _facts(read.skipped))
    yield _section("Job", _facts(_of_job(job)))


def _section(title: str, *content: Markup) -> Markup:
    """Write a section, unless there is nothing to put into it."""
    return element("section", element("h2", title), *content) if any(content) else Markup()


def _picture(content: bytes, alt: str) -> Markup:
    source = f"data:{media_type(content)};base64,{base64.b64encode(content).decode()}"
    return element("img", src=source, alt=alt.strip())


def _heat_map(content: bytes | None) -> Markup:
    if content is None:
        return Markup()
    alt = "Map of the sharpness; where it is highest and lowest is in the table below."
    caption = element("figcaption", "Sharpness, tile by tile: dark is soft, light is sharp.")
    return element("figure", _picture(content, alt), caption)


def _scores(read: ReadReport) -> Markup:
    rows = [
        element(
            "tr",
            element("th", score.name, scope="row"),
            element("td", element("strong", _foreign(score.verdict), class_=_class_of(score)), " ", score.in_words),
            element("td", _foreign("" if read.is_said(score.advice) else score.advice), class_="faint"),
        )
        for score in read.scores
    ]
    return _table(("what", "verdict", "advice"), rows)


def _class_of(score: Score) -> str | None:
    if score.score is None:
        return None
    return "good" if score.score >= LOWEST_GOOD_SCORE else "fair" if score.score >= LOWEST_FAIR_SCORE else "poor"


def _table(headings: Sequence[str], rows: Sequence[Markup]) -> Markup:
    if not rows:
        return Markup()
    head = element("thead", element("tr", *(element("th", heading, scope="col") for heading in headings)))
    return element("div", element("table", head, element("tbody", *rows)), class_="scroll")


def _facts(facts: Iterable[Fact]) -> Markup:
    rows = [
        element("tr", element("th", _foreign(name), scope="row"), element("td", _foreign(value)))
        for name, value in facts
    ]
    return element("table", element("tbody", *rows)) if rows else Markup()


def _swatches(read: ReadReport) -> Markup:
    items = [element("li", *_swatch(colour)) for colour in read.colours]
    if read.mean:
        items.append(element("li", *_swatch(read.mean), element("span", "on average", class_="faint")))
    return element("ul", *items, class_="swatches") if items else Markup()


def _swatch(colour: Colour) -> Iterable[Markup]:
    """Write a colour with letters on it, so that one sees how they are read, and then in words."""
    if colour.is_colour:
        letters = [element("text", "Aa", x="50%", y="50%", fill=colour.text_colour)] if colour.text_colour else []
        yield element(
            "svg", element("rect", width="100%", height="100%", fill=colour.value), *letters, aria_hidden="true"
        )
    share = "" if colour.share is None else f"{colour.share:.1%}"
    yield element("span", element("strong", _foreign(colour.name or colour.value)), f" {share}")
    contrast = "" if colour.contrast is None else f", contrast {colour.contrast:g} with text"
    yield element("span", _foreign(colour.value), contrast, class_="faint")


def _histogram(histogram: Mapping[str, Sequence[float]]) -> Markup:
    """Draw luma as bars and the colours as lines, to one scale; the same as numbers in a table."""
    highest = max((share for shares in histogram.values() for share in shares), default=0.0)
    if not highest:
        return Markup()
    bins = max(len(shares) for shares in histogram.values())
    drawing = element(
        "svg",
        *_bars(histogram.get("luma", ()), highest),
        *(_line(name, shares, highest) for name, shares in histogram.items() if name != "luma"),
        class_="histogram",
        viewBox=f"0 0 {bins * _BIN_WIDTH} {_HISTOGRAM_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label="How many pixels are how light, from dark to light; the numbers are in the table below.",
    )
    ends = element("div", element("span", "dark"), element("span", "light"), class_="ends faint", aria_hidden="true")
    caption = element("figcaption", "Bars: luma. Lines: red (whole), green (dashed), blue (dotted).")
    return element("figure", drawing, ends, caption, _numbers(histogram, bins))


def _bars(shares: Sequence[float], highest: float) -> Iterable[Markup]:
    for place, share in enumerate(shares):
        height = _HISTOGRAM_HEIGHT * share / highest
        yield element(
            "rect",
            class_="luma",
            x=place * _BIN_WIDTH,
            y=f"{_HISTOGRAM_HEIGHT - height:.1f}",
            width=_BIN_WIDTH,
            height=f"{height:.1f}",
        )


def _line(name: str, shares: Sequence[float], highest: float) -> Markup:
    points = (
        f"{(place + 0.5) * _BIN_WIDTH:g},{_HISTOGRAM_HEIGHT * (1 - share / highest):.1f}"
        for place, share in enumerate(shares)
    )
    return element("polyline", class_=name, points=" ".join(points))


def _numbers(histogram: Mapping[str, Sequence[float]], bins: int) -> Markup:
    rows = [
        element(
            "tr",
            element("th", f"{place + 1} of {bins}", scope="row"),
            *(element("td", f"{shares[place]:.1%}" if place < len(shares) else "") for shares in histogram.values()),
        )
        for place in range(bins)
    ]
    return element("details", element("summary", "As numbers"), _table(("dark to light", *histogram), rows))


def _codes(read: ReadReport) -> Markup:
    if read.codes is None:
        return Markup()
    if not read.codes:
        return element("p", NO_CODES, class_="faint")
    more = element("p", f"and {read.more_codes} more", class_="faint") if read.more_codes else Markup()
    return together(_table(("kind", "says", "where"), [_code(code) for code in read.codes]), more)


def _code(code: Code) -> Markup:
    text = [part for line in code.lines for part in (element("br"), line)][1:]
    cut = element("span", " (cut)", class_="faint") if code.is_cut else ""
    return element(
        "tr",
        element("th", _foreign(code.format), scope="row"),
        element("td", element("bdi", *text), cut),
        element("td", code.place, class_="faint"),
    )


def _location(read: ReadReport) -> Markup:
    if read.has_location is None:
        return Markup()
    text = LOCATION_IS_TOLD if read.has_location else f"Location: {LOCATION_IS_NOT_TOLD}."
    return element("p", text, class_="flag" if read.has_location else "faint")


def _of_job(job: Job) -> Iterable[Fact]:
    yield "id", plain(job.job_id)
    yield "submitted", moment(job.created_at)
    if job.finished_at:
        yield "finished", moment(job.finished_at)
    yield from ((plain(key), plain(value)) for key, value in job.tags.items())


def _foreign(text: str) -> Markup:
    """Set text of unknown language apart, so that its direction is its own."""
    return element("bdi", text) if text else Markup()


def _resource(kind: str) -> str:
    return (resources.files(__package__) / f"report_page.{kind}").read_text(encoding="utf-8")
