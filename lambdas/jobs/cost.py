"""What a job has cost: how much of what, and in which part of its way.

Amounts are added up while the job goes on and priced when it ends, in the write that ends it: a later price changes
nothing about a job that is over.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from lambdas.jobs import prices
from lambdas.jobs.prices import Charge

Usage = Mapping[Charge, float]
"""How much of what."""

ACCEPTING: Final = "accepting"
FLOW: Final = "flow"
ENDING: Final = "ending"
EVENTS: Final = "events"
PARTS: Final = (ACCEPTING, FLOW, ENDING, EVENTS)
"""Parts of a job's way beside its stages: until its execution starts; states that are no stages; what settles it, other
than its last stage; and what tells of its changes."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What the tries of a stage have told of themselves, all together."""

    told: int = 0
    """How many have."""
    milliseconds: int = 0
    table_writes: int = 0
    object_writes: int = 0
    object_reads: int = 0
    recognitions: int = 0

    def plus(self, other: "Spent") -> "Spent":
        """Add another try, or more."""
        mine, theirs = asdict(self), asdict(other)
        return Spent(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one job, all its attempts together. `usage` has a count and USD by what is charged, `parts` USD by part."""

    usage: Mapping[Charge, tuple[float, float]]
    parts: Mapping[str, float]
    region: str = prices.REGION
    prices_of: str = prices.AS_OF
    version: int = field(default=0)
    """The version of the job up to which its changes are paid for."""

    @property
    def usd(self) -> float:
        """All of it."""
        return sum(self.parts.values())

    def text(self) -> str:
        """Write it as the row has it: one string, free of the table's own numbers."""
        return json.dumps(
            {
                "usage": {name: [_rounded(count), _rounded(usd)] for name, (count, usd) in self.usage.items()},
                "parts": {name: _rounded(usd) for name, usd in self.parts.items()},
                "region": self.region,
                "pricesOf": self.prices_of,
                "version": self.version,
            },
            separators=(",", ":"),
        )

    @classmethod
    def read(cls, text: str) -> "Cost":
        """Read what `text` has written."""
        row: Mapping[str, Any] = json.loads(text)
        return cls(
            usage={Charge(name): (count, usd) for name, (count, usd) in row["usage"].items()},
            parts=row["parts"],
            region=row["region"],
            prices_of=row["pricesOf"],
            version=row["version"],
        )


def total(usages: Iterable[Usage]) -> dict[Charge, float]:
    """Add amounts up; what is nothing is left out."""
    summed: dict[Charge, float] = {}
    for usage in usages:
        for charge, count in usage.items():
            summed[charge] = summed.get(charge, 0) + count
    return {charge: count for charge, count in summed.items() if count}


def usd_of(usage: Usage) -> float:
    """Price amounts."""
    return sum(prices.usd(charge, count) for charge, count in usage.items())


def price(parts: Mapping[str, Usage], *, version: int, before: Cost | None = None) -> Cost:
    """Price the parts of a job's way, on top of what it had cost `before`."""
    usage = {charge: (count, prices.usd(charge, count)) for charge, count in total(parts.values()).items()}
    by_part = {name: usd_of(amounts) for name, amounts in parts.items() if total([amounts])}
    if before is not None:
        usage = {charge: _added(usage.get(charge), before.usage.get(charge)) for charge in {**before.usage, **usage}}
        by_part = {name: by_part.get(name, 0) + before.parts.get(name, 0) for name in {**before.parts, **by_part}}
    return Cost(usage=usage, parts=by_part, version=version)


def _added(one: tuple[float, float] | None, other: tuple[float, float] | None) -> tuple[float, float]:
    (count, usd), (more, dearer) = one or (0, 0), other or (0, 0)
    return count + more, usd + dearer


def _rounded(number: float) -> float:
    """Ten places are a ten-thousandth of the price of a transition."""
    return round(number, 10)
