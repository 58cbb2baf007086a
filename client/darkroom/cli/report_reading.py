"""Reading a report for people: what it says, as text that is safe to show, whatever shape it has. Lays nothing out.

Every string here is cleaned by `plain`. What is missing, or not what it should be, is left out.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rich.filesize import decimal

from darkroom.cli.plain_text import plain
from darkroom.models import Job, StageStatus

NO_CODES = "none found"
LOCATION_IS_TOLD = "The file says where it was taken; the pictures made from it do not."
LOCATION_IS_NOT_TOLD = "not in the file"
CHANNELS = ("luma", "red", "green", "blue")
LOWEST_GOOD_SCORE, LOWEST_FAIR_SCORE = 70, 40

_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LONGEST_SUMMARY = 1000
_LONGEST_CODE = 2000
_MOST_LINES = 60
"""Of an analysis that this client knows nothing about, or of a list."""
_DEEPEST = 4
_MOST_BINS = 256
_LARGEST_NUMBER = 1e15

Fact = tuple[str, str]
"""A name, and what there is to say under it."""
Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one side of the image was judged."""

    name: str
    verdict: str
    advice: str
    score: float | None
    """Of 100."""

    @property
    def in_words(self) -> str:
        """Write the score: `54 of 100`; nothing when there is none."""
        return "" if self.score is None else f"{self.score:g} of 100"


@dataclass(frozen=True, kw_only=True)
class Colour:
    """One colour of the palette."""

    value: str
    """As the report writes it: `#5e6753`."""
    name: str
    share: float | None
    """Of the image, 0 to 1."""
    text_colour: str | None
    """In which text is read best on it; None unless it is a colour."""
    contrast: float | None

    @property
    def is_colour(self) -> bool:
        """Whether the value is a colour, and nothing else."""
        return bool(_HEX_COLOUR.fullmatch(self.value))


@dataclass(frozen=True, kw_only=True)
class Code:
    """One QR or bar code."""

    format: str
    lines: tuple[str, ...]
    """What it says."""
    is_cut: bool
    place: str
    """Where it is, in words; empty when the report does not say."""

    @property
    def text(self) -> str:
        """What it says, on one line."""
        return r"\n".join(self.lines)


@dataclass(frozen=True, kw_only=True)
class ReadReport:
    """What a report says, part by part; a part that it does not have is empty."""

    summary: str = ""
    verdicts: tuple[str, ...] = ()
    """What to do about the image, the most important first."""
    scores: tuple[Score, ...] = ()
    quality: tuple[Fact, ...] = ()
    """What else there is to say of its quality."""
    image: tuple[Fact, ...] = ()
    photo: tuple[Fact, ...] = ()
    """What took the picture, how, and when."""
    has_location: bool | None = None
    """None when the report does not say."""
    colours: tuple[Colour, ...] = ()
    mean: Colour | None = None
    histogram: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Shares of pixels, dark to light, by channel."""
    codes: tuple[Code, ...] | None = None
    """None when they were not looked for."""
    more_codes: int = 0
    marks: tuple[Fact, ...] = ()
    """By which the picture is found again."""
    others: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    """What was found by analyses that are newer than this client, or in a shape that it does not know."""
    skipped: tuple[Fact, ...] = ()
    """Which analyses were not made, and why."""

    def is_said(self, advice: str) -> bool:
        """Whether one of the verdicts gives this advice already, behind a word of its own."""
        return any(advice[1:] in verdict for verdict in self.verdicts)


def read_report(report: Object, job: Job | None = None) -> ReadReport:
    """Read a report; `job`, if given, tells which analyses were not made."""
    image, analyses = _object(report, "image"), _object(report, "analyses")
    known = {name: result for name, result in analyses.items() if isinstance(result, dict) and not _is_skipped(result)}
    palette, quality, codes = (known.get(name, {}) for name in ("palette", "quality", "codes"))
    return ReadReport(
        summary=_text(report.get("summary"), _LONGEST_SUMMARY),
        verdicts=tuple(_texts(quality.get("verdicts"))),
        scores=tuple(_scores(quality)),
        quality=tuple(_of_quality(quality)),
        image=tuple(_of_image(image)),
        photo=tuple(_of_photo(image)),
        has_location=image["hasLocation"] if isinstance(image.get("hasLocation"), bool) else None,
        colours=tuple(_colour(colour) for colour in _objects(palette, "colours")),
        mean=_colour(_object(palette, "mean")) if _object(palette, "mean") else None,
        histogram=_histogram(_object(palette, "histogram")),
        codes=_codes(codes) if "codes" in known else None,
        more_codes=_more_codes(codes),
        marks=tuple(_marks(known.get("fingerprint", {}), image)),
        others=_others(analyses),
        skipped=tuple(_skipped(analyses, job)),
    )


def _scores(quality: Object) -> Iterator[Score]:
    for name, judged in quality.items():
        if isinstance(judged, dict) and "verdict" in judged:
            yield Score(
                name=plain(name),
                verdict=plain(judged["verdict"]),
                advice=_text(judged.get("advice")),
                score=_number(judged.get("score")),
            )


def _of_quality(quality: Object) -> Iterator[Fact]:
    if "noise" in quality and quality["noise"] is None:
        yield "noise", "could not be measured"
    clipping = _object(quality, "clipping")
    tones = (("pure white", _share(clipping.get("highlights"))), ("pure black", _share(clipping.get("shadows"))))
    yield from _known(("clipped", ", ".join(f"{share:.1%} {tone}" for tone, share in tones if share is not None)))


def _of_image(image: Object) -> Iterator[Fact]:
    yield from _known(
        ("file", _joined(_text(image.get("format")), _size(image), _bytes(image), _frames(image))),
        ("colour", _joined(_text(image.get("mode")), _bits(image), _alpha(image), _text(image.get("iccProfile")))),
        ("saved", "progressively" if image.get("progressive") is True else ""),
        ("print", _print_size(image)),
    )


def _size(image: Object) -> str:
    if "width" not in image or "height" not in image:
        return ""
    megapixels = _number(image.get("megapixels"))
    size = f"{plain(image['width'], 20)} x {plain(image['height'], 20)} pixels"
    return size if megapixels is None else f"{size} ({megapixels:g} megapixels)"


def _bytes(image: Object) -> str:
    size = _number(image.get("bytes"))
    return decimal(int(size)) if size is not None and size >= 0 else ""


def _frames(image: Object) -> str:
    frames = _number(image.get("frames"))
    if frames is None or frames <= 1:
        return ""
    return f"{frames:g} {'frames' if image.get('animated') else 'pages'}, of which the first was looked at"


def _bits(image: Object) -> str:
    bits = _number(image.get("bitDepth"))
    return "" if bits is None else f"{bits:g} bits a channel"


def _alpha(image: Object) -> str:
    return "with transparency" if image.get("hasAlpha") is True else ""


def _print_size(image: Object) -> str:
    dpi = image.get("dpi")
    across = _number(dpi[0]) if isinstance(dpi, list) and dpi else None
    return "" if across is None else f"{across:g} dots per inch"


def _of_photo(image: Object) -> Iterator[Fact]:
    """Tell what took the picture: in words, where the report has them, else from the fields of the EXIF data."""
    photo, exif = _object(image, "photo"), _object(image, "exif")
    yield from _known(
        ("camera", _text(photo.get("camera")) or " ".join(_texts([exif.get("make"), exif.get("model")]))),
        ("lens", _text(photo.get("lens") or exif.get("lens"))),
        ("exposure", _text(photo.get("exposure"))),
        ("taken", _moment(photo.get("takenAt") or exif.get("takenAt"))),
        ("software", _text(exif.get("software"))),
    )


def _moment(value: object) -> str:
    """Write a camera's time: of its own clock, unless it says how far that was from UTC."""
    text = _text(value, 40)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.isoformat(sep=' ', timespec='seconds')}{'' if time.tzinfo else ' by the clock of the camera'}"


def _colour(colour: Object) -> Colour:
    text_colour = _text(colour.get("textColour"), 20)
    return Colour(
        value=_text(colour.get("hex"), 20) or "?",
        name=_text(colour.get("name"), 60),
        share=_share(colour.get("share")),
        text_colour=text_colour if _HEX_COLOUR.fullmatch(text_colour) else None,
        contrast=_number(colour.get("contrast")),
    )


def _histogram(histogram: Object) -> dict[str, tuple[float, ...]]:
    """Take the channels that are shares from one end to the other."""
    channels = {}
    for name in CHANNELS:
        values = histogram.get(name)
        shares = [_share(value) for value in values] if isinstance(values, list) else []
        good = tuple(share for share in shares if share is not None)
        if 1 < len(good) == len(shares) <= _MOST_BINS:
            channels[name] = good
    return channels


def _codes(codes: Object) -> tuple[Code, ...]:
    return tuple(
        Code(
            format=_text(code.get("format"), 40) or "code",
            lines=tuple(plain(line, _LONGEST_CODE) for line in str(code.get("text", ""))[:_LONGEST_CODE].split("\n")),
            is_cut=bool(code.get("truncated")),
            place=_place(code),
        )
        for code in _objects(codes, "codes")
    )


def _more_codes(codes: Object) -> int:
    found = _number(codes.get("found"))
    return max(0, int(found) - len(list(_objects(codes, "codes")))) if found is not None else 0


def _place(code: Object) -> str:
    """Say where a code is by the rectangle around its corners, in pixels of the image as it is displayed."""
    for name, of in (("positionInOriginal", ""), ("position", " of the working copy")):
        corners = code.get(name)
        points = [_point(corner) for corner in corners] if isinstance(corners, list) and corners else [None]
        good = [point for point in points if point is not None]
        if len(good) == len(points):
            left, top = (min(values) for values in zip(*good, strict=True))
            right, bottom = (max(values) for values in zip(*good, strict=True))
            return f"{_rectangle(left, top, right, bottom, of)}{_turned(code)}"
    return ""


def _rectangle(left: float, top: float, right: float, bottom: float, of: str = "") -> str:
    return f"{right - left:g} x {bottom - top:g} pixels{of} at {left:g}, {top:g}"


def _point(corner: object) -> tuple[float, float] | None:
    if not isinstance(corner, list) or len(corner) != 2:  # noqa: PLR2004 - x and y
        return None
    across, down = (_number(value) for value in corner)
    return None if across is None or down is None else (across, down)


def _turned(code: Object) -> str:
    degrees = _number(code.get("orientation"))
    return f", turned by {degrees:g}°" if degrees else ""


def _marks(fingerprint: Object, image: Object) -> Iterator[Fact]:
    yield from ((plain(name, 40), _text(value, 100)) for name, value in fingerprint.items())
    yield from _known(("SHA-256 of the file", _text(image.get("sha256"), 100)))


_READ_ABOVE = {"palette", "quality", "fingerprint", "codes"}


def _others(analyses: Object) -> dict[str, tuple[Fact, ...]]:
    return {
        plain(name, 60): tuple(_IN_WORDS.get(name, _facts)(result) if isinstance(result, dict) else _facts(result))
        for name, result in list(analyses.items())[:_MOST_LINES]
        if not _is_skipped(result) and not (name in _READ_ABOVE and isinstance(result, dict))
    }


def _regions(regions: Object) -> Iterator[Fact]:
    if not regions.get("measured"):
        yield "", _text(regions.get("reason")) or "not measured"
        return
    yield from _known(("tiles", _tiles(regions)), *((name, _tile(regions, name)) for name in ("sharpest", "softest")))


def _tiles(regions: Object) -> str:
    columns, rows = _number(regions.get("columns")), _number(regions.get("rows"))
    return "" if columns is None or rows is None else f"{columns:g} x {rows:g}"


def _tile(regions: Object, name: str) -> str:
    tile = _object(regions, name)
    sharpness, box = _number(tile.get("sharpness")), tile.get("box")
    return "" if sharpness is None else _joined(f"sharpness {sharpness:g}", _box(box))


def _box(box: object) -> str:
    """Say where a rectangle is: its left, top, right and bottom are pixels of the image as it is displayed."""
    values = [_number(value) for value in box] if isinstance(box, list) else []
    match values:
        case [float() | int() as left, float() | int() as top, float() | int() as right, float() | int() as bottom]:
            return _rectangle(left, top, right, bottom)
        case _:
            return ""


def _labels(labels: Object) -> Iterator[Fact]:
    for name, word in (("labels", "name"), ("text", "text"), ("moderation", "name")):
        found = [_sure(label, word) for label in list(_objects(labels, name))[:_MOST_LINES]]
        yield plain(name), ", ".join(found) or "none"


def _sure(label: Object, word: str) -> str:
    confidence = _number(label.get("confidence"))
    text = _text(label.get(word), 100) or "?"
    return text if confidence is None else f"{text} ({confidence:g} %)"


_IN_WORDS: Final[Mapping[str, Callable[[Object], Iterator[Fact]]]] = {"regions": _regions, "labels": _labels}


def _facts(value: object) -> Iterator[Fact]:
    """Write anything down, a line for each value in it, named by the way to it."""
    for number, (name, text) in enumerate(_lines("", value, _DEEPEST)):
        if number == _MOST_LINES:
            yield "", "and more: see it all with --json"
            return
        yield name, text


def _lines(name: str, value: object, deeper: int) -> Iterator[Fact]:
    if not isinstance(value, dict | list) or not deeper or not _is_nested(value):
        yield name, _in_a_line(value)
        return
    pairs = value.items() if isinstance(value, dict) else ((str(place), item) for place, item in enumerate(value, 1))
    for key, item in pairs:
        yield from _lines(f"{name} {plain(key, 60)}".strip(), item, deeper - 1)


def _is_nested(value: Object | Sequence[Any]) -> bool:
    """Whether it has to be taken apart: a list of plain values is shown as one line, and so is an object in a list."""
    return isinstance(value, dict) or any(isinstance(item, dict | list) for item in value)


def _in_a_line(value: object) -> str:
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return plain(", ".join(str(item) for item in value[:_MOST_LINES]))
    return plain(value)


def _is_skipped(result: object) -> bool:
    return isinstance(result, dict) and bool(result.get("skipped"))


def _skipped(analyses: Object, job: Job | None) -> Iterator[Fact]:
    """Tell what was not made: by the report, which knows why, and by the job, of which it was not asked."""
    for name, result in analyses.items():
        if _is_skipped(result):
            reason = result.get("reason") or (result["skipped"] if isinstance(result["skipped"], str) else "")
            yield plain(name, 60), _text(reason) or "skipped"
    for entry in job.timeline if job else ():
        if entry.status is StageStatus.SKIPPED and entry.stage not in analyses:
            asked = job is not None and entry.stage in job.analyses
            reason = entry.reason or ("skipped" if asked else "not asked for")
            yield plain(entry.stage, 60), plain(reason)


def _known(*facts: Fact) -> Iterator[Fact]:
    return (fact for fact in facts if fact[1])


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _text(value: object, longest: int = 500) -> str:
    return "" if value is None or isinstance(value, dict | list) else plain(value, longest)


def _texts(values: object) -> Iterator[str]:
    return (text for value in values[:_MOST_LINES] if (text := _text(value))) if isinstance(values, list) else iter(())


def _number(value: object) -> float | None:
    """Take a number that can be shown and counted with."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or abs(value) > _LARGEST_NUMBER
        or math.isnan(value)
    ):
        return None
    return value


def _share(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def _object(document: Object, name: str) -> Object:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _objects(document: Object, name: str) -> Iterator[Object]:
    value = document.get(name)
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
