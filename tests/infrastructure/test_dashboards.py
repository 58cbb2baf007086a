"""What dashboards draw and alarms look at is measured by somebody: by AWS, or by the functions."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from stacks.metrics import NAMESPACE
from tests.infrastructure.aws_metrics import METRICS
from tests.infrastructure.templates import Resources, text_of
from tests.infrastructure.test_alarms import ALARM, STACK_NAME

Metric = tuple[str, str, frozenset[str]]
"""Namespace, name, and the names of its dimensions."""


@pytest.fixture
def bodies(prod: Resources) -> dict[str, Any]:
    """What each dashboard holds, by its name."""
    return {
        dashboard["DashboardName"]: json.loads(text_of(dashboard["DashboardBody"]))
        for dashboard in prod.of_type("AWS::CloudWatch::Dashboard").values()
    }


def drawn(body: dict[str, Any]) -> Iterator[tuple[str, Metric]]:
    """Every metric of a dashboard, with the title of its widget."""
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            names = [part for part in metric if isinstance(part, str)]
            if names:  # an expression names none
                yield widget["properties"]["title"], (names[0], names[1], frozenset(names[2::2]))


def looked_at(template: Resources) -> Iterator[tuple[str, Metric]]:
    """Every metric of an alarm, with the alarm's name."""
    for alarm in template.of_type(ALARM).values():
        metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
        for metric in metrics or [alarm]:
            dimensions = frozenset(dimension["Name"] for dimension in metric.get("Dimensions", []))
            yield alarm["AlarmName"], (metric["Namespace"], metric["MetricName"], dimensions)


def unmeasured(found: Iterator[tuple[str, Metric]]) -> list[tuple[str, Metric]]:
    return [
        (where, (namespace, name, dimensions))
        for where, (namespace, name, dimensions) in found
        if dimensions not in METRICS[namespace].get(name, set())
    ]


def test_there_are_two_dashboards(bodies: dict[str, Any]) -> None:
    assert bodies.keys() == {f"{STACK_NAME}-owner", f"{STACK_NAME}-on-call"}


def test_everything_drawn_is_measured(bodies: dict[str, Any]) -> None:
    for body in bodies.values():
        assert len(list(drawn(body))) > 10
        assert unmeasured(drawn(body)) == []


def test_everything_that_alarms_look_at_is_measured(prod: Resources) -> None:
    assert unmeasured(looked_at(prod)) == []


def test_what_nobody_measures_is_noticed() -> None:
    body = {"widgets": [{"properties": {"title": "T", "metrics": [["AWS/SQS", "Age", "QueueName", "q"]]}}]}
    assert unmeasured(drawn(body)) == [("T", ("AWS/SQS", "Age", frozenset({"QueueName"})))]


def test_every_metric_that_an_alarm_looks_at_is_drawn_for_who_is_on_call(
    bodies: dict[str, Any], prod: Resources
) -> None:
    on_call = {(space, name) for _, (space, name, _) in drawn(bodies[f"{STACK_NAME}-on-call"])}
    owners = {(space, name) for _, (space, name, _) in drawn(bodies[f"{STACK_NAME}-owner"])}
    assert {(space, name) for _, (space, name, _) in looked_at(prod)} - on_call - owners == set()


def test_every_metric_of_our_own_is_drawn_somewhere(bodies: dict[str, Any]) -> None:
    names = {name for body in bodies.values() for _, (space, name, _) in drawn(body) if space == NAMESPACE}
    assert METRICS[NAMESPACE].keys() - names == set()


def test_every_alarm_is_on_both_dashboards(bodies: dict[str, Any], prod: Resources) -> None:
    alarms = {*prod.of_type(ALARM), *prod.of_type("AWS::CloudWatch::CompositeAlarm")}
    for body in bodies.values():
        shown = {arn.partition(".")[0] for widget in body["widgets"] for arn in widget["properties"].get("alarms", [])}
        assert shown == alarms


def test_every_expression_names_what_it_takes(bodies: dict[str, Any]) -> None:
    for body in bodies.values():
        for widget in body["widgets"]:
            options = [metric[-1] for metric in widget["properties"].get("metrics", []) if isinstance(metric[-1], dict)]
            ids = {option["id"] for option in options if "id" in option}
            for option in options:
                used = set(re.findall(r"\b[a-z]\w*\b", option.get("expression", "")))
                assert used <= ids
