import io
from datetime import timedelta
from typing import Any

import pytest
from darkroom.cli.items import Item
from darkroom.cli.job_view import job_view
from darkroom.cli.live_progress import LiveProgress
from darkroom.cli.moments import age
from darkroom.cli.progress import PlainProgress, SilentProgress, choose_progress
from darkroom.cli.report_view import report_view
from darkroom.cli.terminal import Terminal
from darkroom.models import Job
from rich.console import Console

from tests.unit.client.fake_darkroom import REPORT, FakeJob


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(height: int = 40, **options: Any) -> Console:
    settings = {"width": 100, "force_terminal": True, "markup": False, "color_system": "truecolor", **options}
    return Console(file=Screen(), height=height, legacy_windows=False, **settings)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def items(number: int, age: float = 1.2) -> list[Item]:
    job = Job.parse(FakeJob("job-1", {"imageId": "i"}, submitted_at=0.0).document(age))
    return [Item(label=f"photo-{index}.jpg", job_id=f"job-{index}", job=job) for index in range(number)]


def test_report_view_in_colour_has_swatches() -> None:
    console = screen()
    console.print(report_view(REPORT, console))

    assert "\x1b[48;2;170;51;17m" in text_of(console)


def test_report_view_with_no_color_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = screen()
    console.print(report_view(REPORT, console))

    assert "#aa3311" in text_of(console)
    assert "48;2" not in text_of(console)


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"image": None, "analyses": [], "summary": None},
        {"analyses": {"palette": None, "quality": "good", "codes": {"codes": "none"}, "labels": {"cat": 0.9}}},
        {"analyses": {"palette": {"colours": [{"hex": "red;\x1b[2J"}, 3], "mean": 7}, "quality": {"sharpness": {}}}},
        {"analyses": {"codes": {"codes": [{}], "found": 60}, "quality": {"noise": {"verdict": "low"}}}},
    ],
)
def test_report_view_of_any_shape_is_shown(report: dict[str, Any]) -> None:
    console = screen(color_system=None)
    console.print(report_view(report, console))

    assert "\x1b" not in text_of(console)


def test_report_view_of_an_analysis_it_does_not_know_shows_its_members() -> None:
    console = screen(color_system=None)
    console.print(report_view({"analyses": {"animals": {"cat": 0.9}}}, console))

    assert "Animals" in text_of(console)
    assert "cat: 0.9" in text_of(console)


def test_job_view_names_tries_and_error_of_a_stage() -> None:
    document = FakeJob("job-1", {"imageId": "i"}, 0.0, end="FAILED").document(10)
    document["timeline"][0] |= {"status": "FAILED", "tries": 3, "error": {"class": "X", "message": "[b]oops\x1b"}}
    console = screen(color_system=None)
    console.print(job_view(Job.parse(document)))

    assert "3 tries" in text_of(console)
    assert r"[b]oops\x1b (X)" in text_of(console)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d")],
)
def test_age_is_in_the_largest_unit_of_which_there_are_two(seconds: int, shown: str) -> None:
    assert age(timedelta(seconds=seconds)) == shown


def test_live_progress_of_a_few_jobs_draws_panels_side_by_side() -> None:
    console = screen(color_system=None)
    console.print(LiveProgress(console, items(2)).picture())
    lines = text_of(console).splitlines()

    assert "photo-0.jpg" in lines[0]
    assert "photo-1.jpg" in lines[0]
    assert "palette" in text_of(console)
    assert "1.0 s" in text_of(console)


def test_live_progress_of_many_jobs_draws_lines_and_counts_the_rest() -> None:
    console = screen(height=10, color_system=None)
    many = items(30)
    many[0].settled.set()
    console.print(LiveProgress(console, many).picture())

    assert len(text_of(console).splitlines()) <= 10
    assert "1 ended, 22 more on their way" in text_of(console)


def test_live_progress_when_entered_draws_and_wipes() -> None:
    console = screen()
    with LiveProgress(console, items(1)) as progress:
        progress.changed(items(1)[0])

    assert "photo-0.jpg" in text_of(console)
    assert "\x1b[2K" in text_of(console)


def test_choose_progress_goes_by_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    assert type(choose_progress(terminal, [], silent=True)) is SilentProgress
    assert type(choose_progress(terminal, [], silent=False)) is PlainProgress

    terminal.err = screen()
    assert type(choose_progress(terminal, [], silent=False)) is LiveProgress
    monkeypatch.setenv("TERM", "dumb")
    assert type(choose_progress(terminal, [], silent=False)) is PlainProgress


def test_plain_progress_says_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress(Terminal())
    (item,) = items(1)
    for _ in range(3):
        progress.changed(item)

    assert capsys.readouterr().err == "photo-0.jpg: running 33 % (palette)\n"
