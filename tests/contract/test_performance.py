"""The page of the last run says what the run has found: it is written from its record, and not by hand."""

import json

from laptop.bench import page
from laptop.bench.__main__ import PARTS, TITLES
from laptop.bench.goals import SCHEMA_VERSION

REPORT = json.loads(page.RECORD.read_text())


def test_page_and_plots_are_those_of_the_record() -> None:
    assert page.tables(REPORT) in page.PAGE.read_text()
    for name, svg in page.plots(REPORT).items():
        assert (page.PAGE.parent / name).read_text() == svg


def test_record_has_every_goal_and_says_on_what_it_was_measured() -> None:
    assert REPORT["schemaVersion"] == SCHEMA_VERSION
    assert {finding["goal"] for finding in REPORT["findings"]} == TITLES.keys()
    assert {"cores", "processor", "python", "pillow", "date"} <= REPORT["machine"].keys()


def test_page_names_every_command_that_it_needs() -> None:
    text = page.PAGE.read_text()
    assert "make bench" in text
    assert "make pages" in text
    assert "--only starts" in text
    assert "starts" in PARTS
