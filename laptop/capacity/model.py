"""Which limit is met first: a job's demand against every quota. Arithmetic only; the simulation shows what follows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from laptop.capacity.demand import Demand
from laptop.capacity.quotas import Limit, Quota


@dataclass(frozen=True)
class Load:
    """How a rate of jobs stands to one limit."""

    quota: Quota
    used: float
    """What the rate takes of it: in a second, or at once by Little's law."""

    @property
    def share(self) -> float:
        """1 is all of it."""
        return self.used / self.quota.value

    def most(self, rate: float) -> float:
        """Jobs a second at which it is met."""
        return math.inf if self.used == 0 else rate / self.share


def loads(demand: Demand, quotas: Sequence[Quota], rate: float) -> list[Load]:
    """Set a rate of jobs a second against each limit, the one that is met first in front.

    What is limited at once is taken for as long as a job needs it, so the rate times that time is used (Little, 1961).
    """
    if rate <= 0:
        raise ValueError(f"{rate:g} jobs a second are none. Give RATE= a positive number, such as 10 or 1000000/day.")
    found = [Load(quota, rate * demand.of[quota.limit]) for quota in quotas]
    return sorted(found, key=lambda load: -load.share)


def highest_rate(demand: Demand, quotas: Sequence[Quota]) -> tuple[Quota, float]:
    """The limit that is met first, whatever the rate, and the jobs a second that it allows."""
    first = loads(demand, quotas, 1.0)[0]
    return first.quota, first.most(1.0)


def drain_seconds(demand: Demand, quotas: Sequence[Quota], burst: int, rate: float) -> float:
    """Tell how long a burst of accepted jobs takes to be started, on top of a rate; infinite when it never is.

    Until then the queue keeps them. Only what is behind the queue counts: the gateway is in front of it.
    """
    front = {Limit.GATEWAY, Limit.SUBMISSIONS}
    behind = [quota for quota in quotas if quota.limit not in front]
    _, highest = highest_rate(demand, behind)
    saved = min((quota.burst / demand.of[quota.limit] for quota in behind if quota.burst), default=0.0)
    spare = highest - rate
    if spare <= 0:
        return math.inf
    return max(0.0, burst - saved) / spare
