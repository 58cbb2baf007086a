"""What this process has asked of AWS that is billed by the request. One invocation at a time runs in it."""

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lambdas.jobs.cost import Spent
from lambdas.jobs.prices import write_units

_LOADED: Final = time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
_START_TIME: Final = 19
"""Place of a process's start, in ticks since the machine's, behind its name in /proc/self/stat."""
LAST_WRITE_MS: Final = 10
"""What a try cannot tell of itself, since it has told by then: its last write, and its answer."""
_FIELDS: Final = ("table_writes", "object_writes", "object_reads", "recognitions")


class Meter:
    """Counts since `start`. The first start of a process includes its initialisation, which is billed too."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._is_first = True
        self._began = time.monotonic()
        self.row_bytes = 0
        """Of the row as it was last written or refused."""

    def start(self) -> None:
        """Begin with an invocation."""
        self._counts.clear()
        self.row_bytes = 0
        self._began = time.monotonic() - (_initialisation_ms() / 1000 if self._is_first else 0)
        self._is_first = False

    def note(self, what: str, count: int = 1) -> None:
        """Count a request; `what` is one of the fields of Spent."""
        self._counts[what] += count

    def note_row(self, item: Mapping[str, Any]) -> None:
        """Count a write of this row, or one that the row has refused."""
        self.row_bytes = item_bytes(item)
        self.note("table_writes", write_units(self.row_bytes))

    @property
    def elapsed_ms(self) -> int:
        """Time of the invocation so far, with what is still to come of it."""
        return round((time.monotonic() - self._began) * 1000) + LAST_WRITE_MS

    def spent(self, *, writing_bytes: int) -> Spent:
        """Tell what the invocation has taken, and will have with a last write that adds so many bytes to the row."""
        counts = {name: self._counts[name] for name in _FIELDS}
        counts["table_writes"] += write_units(self.row_bytes + writing_bytes)
        return Spent(told=1, milliseconds=self.elapsed_ms, **counts)


def _initialisation_ms() -> float:
    """Time from the start of this process until this module was there, in milliseconds; 0 outside of Lambda.

    To the hundredth of a second, as Linux keeps it; a handler's module is imported at once after this one.
    """
    if "AWS_LAMBDA_RUNTIME_API" not in os.environ:
        return 0.0
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_START_TIME])
    except OSError:  # no Linux: a laptop of another kind
        return 0.0
    return max(0.0, (_LOADED - started / os.sysconf("SC_CLK_TCK")) * 1000)


def item_bytes(item: Mapping[str, Any]) -> int:
    """Tell the size of an item as DynamoDB bills it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html: names and texts in
    UTF-8; a number a byte for two digits, and one; one for a truth value or nothing; three for a list or map, and one
    more for each of its members.
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    if kind == "S":
        return len(inner.encode())
    if kind == "N":
        return (len(inner.lstrip("-")) + 1) // 2 + 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in inner.items())
    if kind == "L":
        return 3 + sum(1 + _value_bytes(one) for one in inner)
    return 1


meter: Final = Meter()
