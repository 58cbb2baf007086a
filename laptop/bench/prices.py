"""What AWS charges, in one place, and what follows from it for the shape of the state machine.

Prices of us-east-1, in USD, without free tiers and discounts, as they were known in November 2026. Look them up before
you rely on them: https://aws.amazon.com/step-functions/pricing/, /lambda/pricing/, /dynamodb/pricing/on-demand/,
/s3/pricing/, /sqs/pricing/ and /api-gateway/pricing/. Must not hold a price that nothing is computed from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

AS_OF: Final = "2026-11"
REGION: Final = "us-east-1"

TRANSITION: Final = 25e-6
"""One state entered, Standard workflow."""
INVOCATION: Final = 0.20e-6
GB_SECOND: Final = 13.3334e-6
"""Arm."""
WRITE_UNIT: Final = 0.625e-6
"""On demand; one for each KB of the item, of a refused conditional write too."""
S3_WRITE: Final = 5e-6
"""PUT, POST, LIST."""
S3_READ: Final = 0.4e-6
QUEUE_REQUEST: Final = 0.40e-6
API_REQUEST: Final = 3.50e-6


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
    invocation = INVOCATION + memory_mb / 1024 * milliseconds / 1000 * GB_SECOND + math.ceil(row_kb) * WRITE_UNIT
    return Skipping(refused_invocation=invocation, choice=TRANSITION)


def of_job(*, transitions: int, functions: int, requests: Mapping[str, int], row_kb: float) -> float:
    """What a job costs in USD but for its functions' time: one call, and its message sent, taken and deleted."""
    return (
        API_REQUEST
        + 3 * QUEUE_REQUEST
        + transitions * TRANSITION
        + functions * INVOCATION
        + of_requests(requests, row_kb=row_kb)
    )


def of_requests(requests: Mapping[str, int], *, row_kb: float) -> float:
    """What requests to DynamoDB and S3 cost, in USD: `S3.PutObject` and the like, as they are counted."""
    prices = {
        "S3.GetObject": S3_READ,
        "S3.PutObject": S3_WRITE,
        "DynamoDB.UpdateItem": math.ceil(row_kb) * WRITE_UNIT,
        "DynamoDB.PutItem": math.ceil(row_kb) * WRITE_UNIT,
    }
    return sum(prices.get(name, 0.0) * count for name, count in requests.items())
