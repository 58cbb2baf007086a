"""Times as the API and the table write them: RFC 3339 in UTC with milliseconds, so that text order is time order."""

from datetime import UTC, datetime, timedelta


def timestamp(moment: datetime) -> str:
    """Write a moment, for example `2026-03-01T12:00:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """Write the present moment."""
    return timestamp(datetime.now(UTC))


def later(seconds: float, *, than: str | None = None) -> str:
    """Write the moment that is so many seconds after another, or after now."""
    start = datetime.now(UTC) if than is None else datetime.fromisoformat(than)
    return timestamp(start + timedelta(seconds=seconds))


def from_epoch_millis(millis: int) -> str:
    """Write the moment that is this many milliseconds after the epoch, as SQS gives it."""
    return timestamp(datetime.fromtimestamp(millis / 1000, UTC))


def epoch_seconds(written: str) -> int:
    """Turn a written time into whole seconds since the epoch, as the table's time to live wants them."""
    return int(datetime.fromisoformat(written).timestamp())
