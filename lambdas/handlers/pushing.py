"""Telling watchers of events. What does not reach them, they find in the log of events when they ask next."""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from lambdas import config
from lambdas.adapters.push_channel import ConnectionGoneError, PushChannel, in_frames
from lambdas.adapters.watchers import Watcher, Watchers
from lambdas.handlers.logs import logger

PATIENCE_SECONDS: Final = 5.0
"""For one batch of the stream: the next one waits behind it."""

Event = Mapping[str, Any]


def push(told: Iterable[tuple[str, Event]]) -> None:
    """Tell each owner's watchers of that owner's events, in their order, once they are in the log. Never raises."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for owner, entries in groupby(sorted(told, key=lambda entry: entry[0]), key=lambda entry: entry[0]):
        try:
            _push_to_owner(owner, [event for _, event in entries], deadline)
        except Exception:  # noqa: BLE001 - bus, log and other owners do not wait for somebody's watchers
            logger.exception("Watchers were not told")


def _push_to_owner(owner: str, events: Sequence[Event], deadline: float) -> None:
    watchers = Watchers(config.text(config.Variable.WATCHER_TABLE))
    channel = PushChannel(config.text(config.Variable.PUSH_URL))
    for watcher in watchers.of(owner):
        if time.monotonic() > deadline:
            logger.warning("The time to tell watchers is over")
            return
        try:
            _push_to(channel, watcher, events)
        except ConnectionGoneError:
            watchers.remove(owner, watcher.connection_id)


def _push_to(channel: PushChannel, watcher: Watcher, events: Sequence[Event]) -> None:
    for frame in in_frames([event for event in events if watcher.wants(event["subject"])]):
        channel.send(watcher.connection_id, {"type": "events", "events": frame})
