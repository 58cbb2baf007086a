"""Times and ages, for people: local time, and the same short durations that options are given in."""

from datetime import datetime, timedelta

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_TWO_OF_A_UNIT = 2


def moment(time: datetime) -> str:
    """Write a time as the clock on the wall shows it."""
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def age(duration: timedelta) -> str:
    """Write how long ago something was, in the largest unit of which there are two: 90m, 36h, 5d."""
    seconds = max(0, int(duration.total_seconds()))
    letter, length = next((unit for unit in _UNITS if seconds >= _TWO_OF_A_UNIT * unit[1]), _UNITS[-1])
    return f"{seconds // length}{letter}"
