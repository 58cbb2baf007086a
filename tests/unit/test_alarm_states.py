"""The evaluation of alarms by which tests drive them: CloudWatch's rules, on numbers that are made up."""

from typing import Any

import pytest

from tests.alarm_states import Datum, composite_state, state

AGE: dict[str, Any] = {
    "Namespace": "AWS/SQS",
    "MetricName": "Age",
    "Statistic": "Maximum",
    "Period": 60,
    "Threshold": 300,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "TreatMissingData": "notBreaching",
}


def ages(*values: float | None) -> list[Datum]:
    """One a minute; None for none."""
    return [
        Datum(metric="AWS/SQS/Age", value=value, at=60 * minute + 1)
        for minute, value in enumerate(values)
        if value is not None
    ]


def math(expression: str, **statistics: str) -> dict[str, Any]:
    queries = [
        {
            "Id": name,
            "MetricStat": {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": statistic},
        }
        for name, statistic in statistics.items()
    ]
    return {
        **{key: AGE[key] for key in ("ComparisonOperator", "TreatMissingData")},
        "Metrics": [*queries, {"Id": "e", "Expression": expression}],
        "Threshold": 1,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((299, 299, 299), "OK"),
        ((300, 299, 299), "OK"),
        ((300, 299, 300), "ALARM"),
        ((None, 300, 300), "ALARM"),
        ((None, None, 300), "OK"),
        ((None, None, None), "OK"),
    ],
)
def test_state_counts_the_periods_over_the_threshold(values: tuple[float | None, ...], expected: str) -> None:
    assert state(AGE, ages(*values), now=180) == expected


def test_state_looks_at_the_last_periods_only() -> None:
    assert state(AGE, ages(300, 300, 0, 0, 0), now=300) == "OK"


@pytest.mark.parametrize(
    ("missing", "before", "expected"),
    [("breaching", "OK", "ALARM"), ("ignore", "OK", "OK"), ("ignore", "ALARM", "ALARM")],
)
def test_state_without_data_is_what_the_alarm_says(missing: str, before: str, expected: str) -> None:
    assert state({**AGE, "TreatMissingData": missing}, [], now=180, before=before) == expected


@pytest.mark.parametrize(
    ("expression", "calls", "errors", "expected"),
    [
        ("IF(calls >= 10, 100 * errors / calls, 0)", 10, 1, "ALARM"),
        ("IF(calls >= 10, 100 * errors / calls, 0)", 9, 9, "OK"),
        ("IF(calls >= 10 AND errors < 1, 1, 0)", 10, 0, "ALARM"),
        ("IF(calls >= 10 AND errors < 1, 1, 0)", 10, 1, "OK"),
        ("calls - errors", 2, 1, "ALARM"),
    ],
)
def test_state_of_an_expression(expression: str, calls: float, errors: float, expected: str) -> None:
    measured = [Datum(metric="N/calls", value=calls, at=1), Datum(metric="N/errors", value=errors, at=1)]
    assert state(math(expression, calls="Sum", errors="Sum"), measured, now=60) == expected


def test_state_of_an_expression_lacks_what_one_of_its_metrics_lacks() -> None:
    alarm = math("calls - errors", calls="Sum", errors="Sum") | {"TreatMissingData": "breaching"}
    assert state(alarm, [Datum(metric="N/calls", value=0, at=1)], now=60) == "ALARM"


def test_expression_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="No expression"):
        state(math("RATE(calls)", calls="Sum"), [Datum(metric="N/calls", value=0, at=1)], now=60)


def test_composite_is_on_when_one_of_its_alarms_is() -> None:
    rule = '(ALARM("one") OR ALARM("two"))'
    assert composite_state(rule, {"one": "OK", "two": "ALARM"}) == "ALARM"
    assert composite_state(rule, {"one": "OK", "two": "OK"}) == "OK"
