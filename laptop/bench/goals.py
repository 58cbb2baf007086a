"""A goal, what was measured against it, and the arithmetic of both. Must not measure anything itself.

Ratios are taken inside one round, between two things that were measured one after the other, and the median is taken
over the rounds: a machine that others use too is as slow for the one as for the other.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

SCHEMA_VERSION: Final = 1
MET: Final = "met"
MISSED: Final = "missed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the bench: what was measured, at most how much it may be, and beside what."""

    goal: int
    """Number of the goal; the groups of the report."""
    name: str
    value: float
    limit: float | None
    """None for what is only told."""
    unit: str
    peer: str = ""
    """What was measured beside it in the same run, in words, with its number."""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where there is no limit."""
        if self.limit is None:
            return ""
        # What is printed is what is judged: 2.204 is shown as 2.20, and is within 2.2.
        return MET if round(self.value, 2) <= self.limit else MISSED

    def line(self) -> str:
        """Lay it out for a terminal."""
        limit = "" if self.limit is None else f"<= {self.limit:g}"
        line = f"  {self.verdict:7} {self.name:52} {self.value:9.2f} {limit:8} {self.unit:14} {self.peer}"
        return line.rstrip()

    def document(self) -> dict[str, Any]:
        """Lay it out for the JSON file."""
        return {**asdict(self), "value": round(self.value, 4), "verdict": self.verdict or None}


def ratios(values: Sequence[float], units: Sequence[float]) -> list[float]:
    """Divide each round's value by the same round's unit. Raises ValueError when a unit is not positive."""
    if min(units, default=0.0) <= 0:
        raise ValueError("A unit took no time at all: the clock is too coarse for it. Measure more of it in a round.")
    return [value / unit for value, unit in zip(values, units, strict=True)]


def median_ratio(values: Sequence[float], units: Sequence[float]) -> float:
    """The median of the rounds' ratios: never the ratio of two medians, which may come from different rounds."""
    return median(ratios(values, units))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed: nearest rank."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def document(findings: Sequence[Finding], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a whole run out for the JSON file; `facts` are the machine, the times and the series of the plots."""
    judged = [finding.verdict for finding in findings if finding.verdict]
    return {
        "schemaVersion": SCHEMA_VERSION,
        "met": judged.count(MET),
        "missed": judged.count(MISSED),
        "findings": [finding.document() for finding in findings],
        **facts,
    }
