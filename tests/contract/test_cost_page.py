"""docs/cost.md: every number in its tables is computed from the prices, the counts and the last run of the bench."""

import re

import pytest

from lambdas.adapters.metering import LAST_WRITE_MS
from lambdas.handlers import costing
from lambdas.jobs.cost import PARTS
from lambdas.jobs.prices import PRICES, Charge
from lambdas.stages.catalogue import ORDINARY
from laptop.bench import cost_page, designs, transitions

TEXT = cost_page.PAGE.read_text()


def test_page_is_what_would_be_written_now() -> None:
    assert cost_page.written(TEXT) == TEXT


def test_rows_of_the_bill_are_counts_times_prices_and_add_up() -> None:
    # Read back from the page, so that a mistake in writing it shows.
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) \|$", TEXT, re.MULTILINE)
    sums = re.search(r"^\| \*\*all\*\* \| \| \*\*([\d.]+)\*\* \| \| \*\*([\d.]+)\*\* \|$", TEXT, re.MULTILINE)
    assert rows
    assert sums
    for name, ours, our_usd, theirs, their_usd in rows:
        for count, usd in ((ours, our_usd), (theirs, their_usd)):
            priced = float(count.replace(",", "")) * PRICES[Charge(name)].usd
            assert float(usd) == pytest.approx(priced, abs=1e-4)
    for column, whole in ((2, sums[1]), (4, sums[2])):
        assert sum(float(row[column]) for row in rows) == pytest.approx(float(whole), abs=2e-3)


def test_arithmetic_in_words_is_that_of_the_code() -> None:
    entered = len(transitions.when_all_goes_well(transitions.definition()))
    assert f"Darkroom enters {entered}, naive 5 x {len(ORDINARY)} + 1 + 3 = {designs.NAIVE_TRANSITIONS}" in TEXT
    assert designs.DARKROOM[Charge.TRANSITIONS] == entered
    writes = 2 + designs.STAGES * (2 + designs.PROGRESS_WRITES)
    assert f"2 + {designs.STAGES} x (2 + {designs.PROGRESS_WRITES}) = {writes} times at {designs.ROW_KB:g} KB" in TEXT
    assert f"{designs.GB_OF_A_PROCESSOR:.2f} GB-seconds" in TEXT
    assert f"{designs.WAITING_MS} ms a stage" in TEXT


def test_estimates_in_words_are_those_of_the_code() -> None:
    for words in (
        f"{costing.ACCEPTING_MS} ms for accepting",
        f"{costing.PUBLISHING_MS} ms for telling",
        f"{costing.AT_ONCE_MS} ms for a stage that has nothing to do",
        f"{LAST_WRITE_MS} ms for a try's last write",
    ):
        assert words in TEXT


def test_every_part_and_every_charge_is_explained() -> None:
    for name in (*PARTS, *Charge):
        assert f"`{name}`" in TEXT
