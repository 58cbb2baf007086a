"""Writes metrics: as lines of the log in CloudWatch's embedded metric format, which makes metrics of them by itself.

The specification: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Powertools writes the same; to import it costs more than all that is written here.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from lambdas.handlers.logs import logger
from lambdas.jobs.measures import METRICS, NAMESPACE, Measure, Name

MOST_VALUES: Final = 100
"""That one line may have of one metric."""
Dimensions = tuple[tuple[str, str], ...]


def count(measures: Iterable[Measure]) -> None:
    """Write measures down; those that share their dimensions share a line."""
    for line in _lines(measures):
        logger.info("Metrics", extra=line)


def count_one(name: Name, value: float = 1, **dimensions: str) -> None:
    """Write one measure down."""
    count([Measure(name=name, value=value, dimensions=dimensions)])


def _lines(measures: Iterable[Measure]) -> Iterator[dict[str, Any]]:
    grouped: dict[tuple[Dimensions, tuple[tuple[str, ...], ...]], dict[Name, list[float]]] = defaultdict(dict)
    for measure in measures:
        shared = (tuple(sorted(measure.dimensions.items())), METRICS[measure.name].dimensions)
        grouped[shared].setdefault(measure.name, []).append(measure.value)
    for (dimensions, sets), values in grouped.items():
        for start in range(0, max(map(len, values.values())), MOST_VALUES):
            some = {name: found[start : start + MOST_VALUES] for name, found in values.items() if found[start:]}
            yield _line(dict(dimensions), sets, some)


def _line(
    dimensions: dict[str, str], sets: tuple[tuple[str, ...], ...], values: dict[Name, list[float]]
) -> dict[str, Any]:
    told = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names) for names in sets],
        "Metrics": [{"Name": name.value, "Unit": METRICS[name].unit.value} for name in values],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]}
    return {"_aws": about, **dimensions, **{name.value: found for name, found in values.items()}}
