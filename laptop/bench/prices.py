"""What follows from AWS's prices for the shape of the state machine. The prices are in `lambdas.jobs.prices`."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.jobs.prices import AS_OF, REGION, Charge, gb_seconds, usd, write_units

__all__ = ["AS_OF", "REGION", "Skipping", "of_job", "of_requests", "skipping"]


@dataclass(frozen=True, kw_only=True)
class Skipping:
    """Two ways not to do what a job has not asked for: in USD for each job and branch."""

    refused_invocation: float
    choice: float

    @property
    def break_even(self) -> float:
        """Share of jobs that ask for a branch, below which a Choice state before it is cheaper.

        A Choice is entered by every job. One that does not ask for the branch saves the Task's transition by it, which
        pays for the Choice, and the invocation; one that does ask pays for the Choice on top.
        """
        return self.refused_invocation / (self.choice + self.refused_invocation)


def skipping(*, memory_mb: int, milliseconds: float, row_kb: float) -> Skipping:
    """Compare a Choice with an invocation that asks the row, is refused and returns. Rows are billed by whole KB."""
    invocation = (
        usd(Charge.INVOCATIONS, 1)
        + usd(Charge.GB_SECONDS, gb_seconds(memory_mb, milliseconds))
        + usd(Charge.TABLE_WRITES, write_units(row_kb * 1024))
    )
    return Skipping(refused_invocation=invocation, choice=usd(Charge.TRANSITIONS, 1))


def of_job(*, transitions: int, functions: int, requests: Mapping[str, int], row_kb: float) -> float:
    """What a job costs in USD but for its functions' time: one call, and its message sent, taken and deleted."""
    return (
        usd(Charge.API_REQUESTS, 1)
        + usd(Charge.FAIR_QUEUE_REQUESTS, 3)
        + usd(Charge.TRANSITIONS, transitions)
        + usd(Charge.INVOCATIONS, functions)
        + of_requests(requests, row_kb=row_kb)
    )


def of_requests(requests: Mapping[str, int], *, row_kb: float) -> float:
    """What requests to DynamoDB and S3 cost, in USD: `S3.PutObject` and the like, as they are counted."""
    units = write_units(row_kb * 1024)
    prices = {
        "S3.GetObject": usd(Charge.OBJECT_READS, 1),
        "S3.PutObject": usd(Charge.OBJECT_WRITES, 1),
        "DynamoDB.UpdateItem": usd(Charge.TABLE_WRITES, units),
        "DynamoDB.PutItem": usd(Charge.TABLE_WRITES, units),
    }
    return sum(prices.get(name, 0.0) * count for name, count in requests.items())
