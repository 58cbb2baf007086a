"""The arithmetic of the bench: medians, ratios, what counts as met, and the shape of its file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laptop.bench.goals import Finding, document, median_ratio, percentile, ratios

POSITIVE = st.floats(min_value=0.01, max_value=1e6)


def finding(**changed: Any) -> Finding:
    return Finding(**{"goal": 1, "name": "n", "value": 2.0, "limit": 2.2, "unit": "decodes"} | changed)


def test_median_ratio_is_taken_inside_the_rounds() -> None:
    # The machine was ten times as slow in the second round. The ratio of the medians would be 5.5 or so.
    assert median_ratio([2, 20, 2], [1, 10, 1]) == 2


def test_ratios_of_a_unit_that_took_no_time_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="Measure more of it"):
        ratios([1.0], [0.0])


def test_ratios_of_unequal_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@given(st.lists(POSITIVE, min_size=1, max_size=30), POSITIVE)
def test_median_ratio_does_not_change_with_the_speed_of_the_machine(values: list[float], speed: float) -> None:
    units = [1.0] * len(values)
    slower = median_ratio([value * speed for value in values], [unit * speed for unit in units])
    assert slower == pytest.approx(median_ratio(values, units))


@given(st.lists(POSITIVE, min_size=1, max_size=50), st.floats(min_value=0.01, max_value=1.0))
def test_percentile_is_the_smallest_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_percentile_of_hundred_values_is_the_ninety_fifth() -> None:
    assert percentile(list(range(1, 101)), 0.95) == 95


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("value", "limit", "verdict"),
    [(2.2, 2.2, "met"), (2.204, 2.2, "met"), (2.206, 2.2, "missed"), (0, 0, "met"), (1, 0, "missed"), (9, None, "")],
)
def test_verdict_is_of_the_number_that_is_printed(value: float, limit: float | None, verdict: str) -> None:
    assert finding(value=value, limit=limit).verdict == verdict


def test_line_shows_name_value_limit_verdict_and_peer() -> None:
    line = finding(name="all stages", peer="naive 50.0").line()
    assert line.split() == ["met", "all", "stages", "2.00", "<=", "2.2", "decodes", "naive", "50.0"]


def test_document_counts_verdicts_and_is_json() -> None:
    findings = [finding(), finding(value=3.0), finding(limit=None)]
    written = json.loads(json.dumps(document(findings, {"machine": {"cores": 2}})))
    assert (written["schemaVersion"], written["met"], written["missed"]) == (1, 1, 1)
    assert written["machine"] == {"cores": 2}
    assert [entry["verdict"] for entry in written["findings"]] == ["met", "missed", None]
    assert written["findings"][0].keys() == {"goal", "name", "value", "limit", "unit", "peer", "verdict"}
