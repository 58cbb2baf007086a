"""What many jobs have cost together: by day or month, by part of their way, by what AWS charges for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from darkroom.models import ChargedAmount, JobSummary


class Period(StrEnum):
    """What jobs are summed by; of the time at which they were accepted, in UTC."""

    DAY = "day"
    MONTH = "month"

    def of(self, moment: datetime) -> str:
        """Name the period that a moment is in: 2026-11-24, or 2026-11."""
        return moment.astimezone(UTC).strftime("%Y-%m-%d" if self is Period.DAY else "%Y-%m")


@dataclass
class CostSum:
    """A sum. `unpriced` are jobs that have not ended yet, or that ended before Darkroom counted costs."""

    jobs: int = 0
    unpriced: int = 0
    usd: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    usage: dict[str, ChargedAmount] = field(default_factory=dict)
    prices_of: set[str] = field(default_factory=set)
    """When the prices of these jobs were looked up."""

    def add(self, job: JobSummary) -> None:
        """Count a job."""
        self.jobs += 1
        if job.cost is None:
            self.unpriced += 1
            return
        self.usd += job.cost.usd
        self.prices_of.add(f"{job.cost.region}, {job.cost.prices_of}")
        for name, usd in job.cost.parts.items():
            self.parts[name] = self.parts.get(name, 0.0) + usd
        for name, amount in job.cost.usage.items():
            before = self.usage.get(name, ChargedAmount(count=0, usd=0))
            self.usage[name] = ChargedAmount(count=before.count + amount.count, usd=before.usd + amount.usd)

    def document(self) -> dict[str, Any]:
        """Lay it out for a program."""
        return {
            "jobs": self.jobs,
            "unpriced": self.unpriced,
            "usd": round(self.usd, 10),
            "parts": {name: round(usd, 10) for name, usd in _dearest_first(self.parts)},
            "usage": {
                name: {"count": round(amount.count, 10), "usd": round(amount.usd, 10)}
                for name, amount in sorted(self.usage.items(), key=lambda entry: -entry[1].usd)
            },
            "pricesOf": sorted(self.prices_of),
        }


@dataclass(frozen=True)
class Costs:
    """All jobs together, and by period, the oldest first."""

    whole: CostSum
    periods: dict[str, CostSum]


def costs(jobs: Iterable[JobSummary], *, since: datetime | None, until: datetime | None, by: Period) -> Costs:
    """Sum up jobs that were accepted at `since` or later, and before `until`. They come newest first, and no more of
    them are read than it takes."""
    whole = CostSum()
    periods: dict[str, CostSum] = {}
    for job in _between(jobs, since, until):
        whole.add(job)
        periods.setdefault(by.of(job.created_at), CostSum()).add(job)
    return Costs(whole, dict(sorted(periods.items())))


def _between(jobs: Iterable[JobSummary], since: datetime | None, until: datetime | None) -> Iterator[JobSummary]:
    for job in jobs:
        if since is not None and job.created_at < since:
            return
        if until is None or job.created_at < until:
            yield job


def _dearest_first(parts: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(parts.items(), key=lambda entry: -entry[1])
