import io
import json
from typing import Any

import pytest
from darkroom.cli.report_view import report_view
from darkroom.models import Job
from rich.console import Console

from tests.unit.client.fake_darkroom import FakeJob

KNOWN = {
    "summary": "A JPEG.",
    "image": {
        "format": "JPEG", "width": 400, "height": 300, "megapixels": 0.12, "bytes": 2500, "mode": "RGB", "bitDepth": 8,
        "frames": 12, "animated": True, "hasAlpha": True, "hasLocation": True, "sha256": "abc",
        "photo": {"camera": "Kodak Brownie", "lens": "50 mm", "exposure": "1/250 s at f/2.8",
                  "takenAt": "2024-05-01T12:30:00"},
        "exif": {"make": "Kodak", "software": "GIMP"},
    },
    "analyses": {
        "quality": {
            "verdicts": ["Blurred: hold the camera still."],
            "sharpness": {"score": 12, "verdict": "blurred", "advice": "Hold the camera still."},
            "exposure": {"score": 45, "verdict": "dark", "advice": "Brightening would show more."},
            "contrast": {"score": 99, "verdict": "good", "advice": "Well apart."},
            "noise": None,
            "clipping": {"highlights": 0.04, "shadows": 0.0},
        },
        "palette": {
            "colours": [{"hex": "#5e6753", "name": "greyish olive green", "share": 0.28}],
            "mean": {"hex": "#62675a", "name": "grey"},
            "histogram": {"luma": [0.0, 0.25, 0.5, 0.001]},
        },
        "codes": {
            "codes": [{"format": "QR Code", "text": "a\nb", "orientation": 0,
                       "positionInOriginal": [[10, 20], [110, 22], [108, 120], [12, 118]]}],
            "found": 2,
        },
        "fingerprint": {"pHash": "d6715b84d2364793"},
        "labels": {"skipped": True, "reason": "Labels need AWS."},
        "sky": {"share": 0.4, "kinds": ["cirrus", "fog"], "parts": [{"x": 1}]},
    },
}  # fmt: skip

SHOWN = """\
  Blurred: hold the camera still.
  A JPEG.

  Quality      sharpness: blurred (12 of 100)
               exposure: dark (45 of 100)
                 Brightening would show more.
               contrast: good (99 of 100)
               noise: could not be measured
               clipped: 4.0% pure white, 0.0% pure black
  Image        file: JPEG, 400 x 300 pixels (0.12 megapixels), 2.5 kB, 12 frames, of which the first was looked at
               colour: RGB, 8 bits a channel, with transparency
  Photo        camera: Kodak Brownie
               lens: 50 mm
               exposure: 1/250 s at f/2.8
               taken: 2024-05-01 12:30:00 by the clock of the camera
               software: GIMP
  Location     The file says where it was taken; the pictures made from it do not.
  Palette      #5e6753  28.0%  greyish olive green
               #62675a  grey on average
  Histogram    luma  dark   ▄▄██▁▁ light
  Codes        QR Code, 100 x 100 pixels at 10, 20: a\\nb
               and 1 more
  Fingerprint  pHash: d6715b84d2364793
               SHA-256 of the file: abc
  Sky          share: 0.4
               kinds: cirrus, fog
               parts 1 x: 1
  Not made     labels: Labels need AWS.
               codes: not asked for
"""


class Screen(io.StringIO):
    encoding = "utf-8"


def drawn(report: dict[str, Any], job: Job | None = None, **options: Any) -> str:
    settings = {"width": 130, "color_system": None, "markup": False, "highlight": False, "emoji": False, **options}
    console = Console(file=Screen(), force_terminal=True, legacy_windows=False, **settings)
    console.print(report_view(report, console, job))
    return console.file.getvalue()  # type: ignore[attr-defined]


def without_padding(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"


def job_that_skipped(stage: str, *asked: str) -> Job:
    document = FakeJob("job-1", {"imageId": "i", "analyses": list(asked)}, submitted_at=0.0).document(10)
    document["timeline"].append({"stage": stage, "status": "SKIPPED", "progress": 0, "tries": 0})
    return Job.parse(document)


def test_known_report_is_shown_in_these_lines() -> None:
    report = json.loads(json.dumps(KNOWN))
    codes = report["analyses"].pop("codes")
    without_codes = without_padding(drawn(report, job_that_skipped("codes", "palette")))
    report["analyses"]["codes"] = codes
    with_codes = without_padding(drawn(report))
    sought = SHOWN.splitlines()
    code_lines = sought[20:22]

    assert with_codes.splitlines() == sought[:-1]
    assert without_codes.splitlines() == [line for line in sought if line not in code_lines]


def test_real_report_is_shown_in_these_lines(real_report: dict[str, Any], real_report_shown: str) -> None:
    assert without_padding(drawn(real_report)) == real_report_shown


@pytest.mark.parametrize(
    ("system", "has_swatches"), [("truecolor", True), ("256", True), ("standard", False), (None, False)]
)
def test_swatches_are_shown_where_their_colours_are_true(system: str | None, has_swatches: bool) -> None:
    shown = drawn(KNOWN, color_system=system)

    assert "#5e6753" in shown
    # Rich keeps the codes of a style from the first terminal that it was written to, so only the kind is looked at.
    assert ("\x1b[48;" in shown) is has_swatches
    assert has_swatches or "\x1b[4" not in shown


def test_no_color_leaves_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = drawn(KNOWN, color_system="truecolor")

    assert all(colour not in shown for colour in ("[3", "[4", ";3", ";4"))


def test_analysis_that_was_asked_for_and_skipped_is_not_called_unasked() -> None:
    assert "codes: skipped" in drawn({}, job_that_skipped("codes", "codes"))


def test_analysis_that_says_only_that_it_was_skipped_is_among_them() -> None:
    report = {"analyses": {"labels": {"skipped": "needs AWS"}, "codes": {"skipped": True}}}

    assert "Not made  labels: needs AWS" in drawn(report)
    assert "codes: skipped" in drawn(report)
    assert "none found" not in drawn(report)


def test_histogram_in_ascii_is_drawn_with_what_there_is() -> None:
    class Ascii(Screen):
        encoding = "ascii"

    console = Console(file=Ascii(), width=100, markup=False)
    console.print(report_view({"analyses": KNOWN["analyses"]}, console))  # type: ignore[index]

    assert console.file.getvalue().isascii()  # type: ignore[attr-defined]
    assert "luma  dark   ==##.. light" in console.file.getvalue()  # type: ignore[attr-defined]


def test_hostile_text_is_shown_harmlessly() -> None:
    report = json.loads(json.dumps(KNOWN))
    report["summary"] = "\x1b[2J\u202egnp"
    report["analyses"]["quality"]["verdicts"] = ["\x9b31m"]
    report["analyses"]["palette"]["colours"][0]["name"] = "\x07[red]"
    report["analyses"]["sky"] = {"\x1b]0;x": {"\x1b": ["\u2066"]}}
    shown = drawn(report)

    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\u2066"} & set(shown)
    assert r"\x1b[2J\u202egnp" in shown
    assert r"\x07[red]" in shown


def test_time_with_an_offset_is_told_with_it() -> None:
    report = {"image": {"exif": {"takenAt": "2024-05-01T12:30:00+02:00", "make": "A", "model": "B"}}}

    assert "taken: 2024-05-01 12:30:00+02:00" in drawn(report)
    assert "camera: A B" in drawn(report)
    assert "taken: yesterday" in drawn({"image": {"exif": {"takenAt": "yesterday"}}})


@pytest.mark.parametrize(
    ("name", "result", "line"),
    [
        ("regions", {"measured": False, "reason": "The image is too small."}, "The image is too small."),
        (
            "regions",
            {"measured": True, "columns": 8, "rows": 6, "sharpest": {"sharpness": 9.5, "box": [10, 20, 110, 70]}},
            "sharpest: sharpness 9.5, 100 x 50 pixels at 10, 20",
        ),
        ("labels", {"labels": [{"name": "Tree", "confidence": 98.5}, {"name": "Bird"}]}, "labels: Tree (98.5 %), Bird"),
        ("labels", {"labels": []}, "labels: none"),
    ],
)
def test_regions_and_labels_are_told_in_words(name: str, result: dict[str, Any], line: str) -> None:
    assert line in drawn({"analyses": {name: result}})
