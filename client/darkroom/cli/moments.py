"""Times and ages, as people write and read them: local time, and the short durations that options are given in."""

from datetime import UTC, datetime, timedelta

from darkroom.errors import InvalidArgumentError
from darkroom.letter_filters import duration

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


def read_moment(text: str | None, present: float) -> datetime | None:
    """Read a time as it was typed: a date or time of RFC 3339, UTC if it does not say, or how long ago.

    Raises InvalidArgumentError.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.fromtimestamp(present, UTC) - duration(text)
        except InvalidArgumentError as error:
            raise InvalidArgumentError(
                f"{text!r} is no time. Write a date such as 2026-11-01, or how long ago, such as 12h or 7d."
            ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
