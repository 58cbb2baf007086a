"""What AWS charges: the one table of prices, from which every cost in this repository is computed.

Prices of one region, in USD, without free tiers, savings plans and discounts by volume. Look them up at their sources
before you rely on them. Must not hold a price that nothing is computed from.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

AS_OF: Final = "2026-11"
REGION: Final = "us-east-1"
CURRENCY: Final = "USD"


class Charge(StrEnum):
    """What is counted, by the name that the API gives it."""

    TRANSITIONS = "transitions"
    INVOCATIONS = "invocations"
    GB_SECONDS = "gbSeconds"
    TABLE_WRITES = "tableWrites"
    TABLE_READS = "tableReads"
    OBJECT_WRITES = "objectWrites"
    OBJECT_READS = "objectReads"
    API_REQUESTS = "apiRequests"
    FAIR_QUEUE_REQUESTS = "fairQueueRequests"
    QUEUE_REQUESTS = "queueRequests"
    BUS_EVENTS = "busEvents"
    RECOGNITIONS = "recognitions"


@dataclass(frozen=True, kw_only=True)
class Price:
    """Of one unit, in USD; `per` says what one is, `source` where the price is from."""

    usd: float
    per: str
    source: str


_AWS: Final = "https://aws.amazon.com"

PRICES: Final[Mapping[Charge, Price]] = {
    Charge.TRANSITIONS: Price(
        usd=25e-6,
        per="state entered, of a Standard workflow; each retry counts as one more",
        source=f"{_AWS}/step-functions/pricing/",
    ),
    Charge.INVOCATIONS: Price(usd=0.20e-6, per="invocation", source=f"{_AWS}/lambda/pricing/"),
    Charge.GB_SECONDS: Price(
        usd=13.3334e-6, per="GB of memory for a second, Arm, by the millisecond", source=f"{_AWS}/lambda/pricing/"
    ),
    Charge.TABLE_WRITES: Price(
        usd=0.625e-6,
        per="write unit on demand: a KB of the item, of a refused conditional write and of an index too",
        source=f"{_AWS}/dynamodb/pricing/on-demand/",
    ),
    Charge.TABLE_READS: Price(
        usd=0.125e-6,
        per="read unit on demand: 4 KB, or 8 KB that may be a moment old",
        source=f"{_AWS}/dynamodb/pricing/on-demand/",
    ),
    Charge.OBJECT_WRITES: Price(usd=5e-6, per="PUT, POST or LIST", source=f"{_AWS}/s3/pricing/"),
    Charge.OBJECT_READS: Price(usd=0.4e-6, per="GET", source=f"{_AWS}/s3/pricing/"),
    Charge.API_REQUESTS: Price(usd=3.50e-6, per="call of a REST API", source=f"{_AWS}/api-gateway/pricing/"),
    Charge.FAIR_QUEUE_REQUESTS: Price(
        usd=0.50e-6, per="request about a message with a group: 0.40 and 0.10 a million", source=f"{_AWS}/sqs/pricing/"
    ),
    Charge.QUEUE_REQUESTS: Price(usd=0.40e-6, per="request of a standard queue", source=f"{_AWS}/sqs/pricing/"),
    Charge.BUS_EVENTS: Price(usd=1e-6, per="event of one's own, up to 64 KB", source=f"{_AWS}/eventbridge/pricing/"),
    Charge.RECOGNITIONS: Price(usd=1e-3, per="picture that is looked at", source=f"{_AWS}/rekognition/pricing/"),
}

_BYTES_PER_UNIT: Final = 1024
_READ_UNIT_BYTES: Final = 4 * 1024


def usd(charge: Charge, count: float) -> float:
    """Price so many of something."""
    return PRICES[charge].usd * count


def write_units(row_bytes: float) -> int:
    """Tell how many units a write of a row takes: whole KB, of the row before or after it, whichever is larger."""
    return max(1, math.ceil(row_bytes / _BYTES_PER_UNIT))


def read_units(row_bytes: float) -> int:
    """Tell how many units a read of a row takes that may not be a moment old."""
    return max(1, math.ceil(row_bytes / _READ_UNIT_BYTES))


def gb_seconds(memory_mb: int, milliseconds: float) -> float:
    """Tell what a function's time is billed as: whole milliseconds, of all the memory that it is given."""
    return memory_mb / 1024 * math.ceil(milliseconds) / 1000
