"""docs/operations.md lists every metric that the functions write, with its unit and its dimensions."""

import re

from lambdas.jobs.measures import METRICS
from laptop.places import ROOT

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)


def test_operations_list_every_metric_and_no_other() -> None:
    text = (ROOT / "docs" / "operations.md").read_text().partition("## Metrics\n")[2].partition("\n## ")[0]
    listed = {name: (unit, dimensions) for name, unit, dimensions in ROW.findall(text)}

    assert listed == {name.value: (metric.unit.value, _in_words(metric.dimensions)) for name, metric in METRICS.items()}


def _in_words(sets: tuple[tuple[str, ...], ...]) -> str:
    return "; ".join(", ".join(f"`{name}`" for name in names) or "none" for names in sets)
