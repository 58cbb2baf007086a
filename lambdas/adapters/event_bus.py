"""The event bus: where others hear of jobs without touching this code."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lambdas.adapters.aws_errors import translated
from lambdas.adapters.clients import client
from lambdas.jobs.errors import TransientError

SOURCE: Final = "darkroom"
"""By which rules on the bus pick Darkroom's events."""
BATCH_SIZE: Final = 10
"""PutEvents takes no more at once, nor more than 256 KB; an event has about one."""


def publish(bus_name: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Tell the bus of events, at least once each. Raises TransientError when it did not take all of them."""
    for start in range(0, len(events), BATCH_SIZE):
        _put(bus_name, events[start : start + BATCH_SIZE])


def _put(bus_name: str, events: Sequence[Mapping[str, Any]]) -> None:
    entries = [
        {"EventBusName": bus_name, "Source": SOURCE, "DetailType": event["type"], "Detail": json.dumps(event)}
        for event in events
    ]
    with translated("Publishing the events"):
        answer = client("events").put_events(Entries=entries)
    if answer["FailedEntryCount"]:
        codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
        raise TransientError(f"Publishing the events: the bus did not take {answer['FailedEntryCount']}: {codes}.")
