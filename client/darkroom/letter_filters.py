"""Which dead letters are meant: by job, class, age, owner and stage, all of which have to fit."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from darkroom.dead_letters import DeadLetter
from darkroom.errors import InvalidArgumentError

_DURATION = re.compile(r"(\d{1,5})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, kw_only=True)
class LetterFilter:
    """What is asked of a letter. What is None, or empty, is not asked."""

    names: tuple[str, ...] = ()
    """Ids of jobs, or the beginnings of the ids of messages without a job."""
    classes: tuple[str, ...] = ()
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    owner: str | None = None
    """An owner's id, or its beginning, which is what lists show."""
    stage: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing at all is asked."""
        return self == LetterFilter()

    def wants(self, letter: DeadLetter, now: datetime) -> bool:
        """Tell whether a letter is meant."""
        return (
            (not self.names or any(letter.answers_to(name) for name in self.names))
            and (not self.classes or letter.error_class in self.classes)
            and (self.owner is None or (letter.owner or "").startswith(self.owner))
            and (self.stage is None or letter.stage == self.stage)
            and self._has_the_age(letter.since, now)
        )

    def _has_the_age(self, since: datetime | None, now: datetime) -> bool:
        if self.older_than is None and self.newer_than is None:
            return True
        if since is None:
            return False
        age = now - since
        return (self.older_than is None or age >= self.older_than) and (
            self.newer_than is None or age <= self.newer_than
        )


def duration(text: str) -> timedelta:
    """Read a duration such as 90s, 30m, 2h or 3d. Raises InvalidArgumentError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidArgumentError(f"{text!r} is no duration; one looks like 90s, 30m, 2h or 3d.")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})
