"""Reading the members of a JSON object that somebody else wrote. Says which member is wrong; corrects nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from darkroom.errors import UnexpectedAnswerError

Choice = TypeVar("Choice", bound=StrEnum)
Parsed = TypeVar("Parsed")


class Members:
    """The members of one object, by name and type. Every method raises UnexpectedAnswerError for another type."""

    def __init__(self, document: object, what: str) -> None:
        if not isinstance(document, dict):
            raise UnexpectedAnswerError(f"The answer is no {what}. Does apiUrl in the profile lead to Darkroom?")
        self.all: Mapping[str, Any] = document
        self._what = what

    def text(self, name: str) -> str:
        """Read a string."""
        return self._typed(name, str)

    def optional_text(self, name: str) -> str | None:
        """Read a string that may be missing."""
        return None if self.all.get(name) is None else self.text(name)

    def number(self, name: str) -> int:
        """Read a number, as a whole one."""
        value = self.all.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name)
        return int(value)

    def optional_number(self, name: str) -> int | None:
        """Read a whole number that may be missing."""
        return None if self.all.get(name) is None else self.number(name)

    def flag(self, name: str) -> bool:
        """Read a boolean."""
        return self._typed(name, bool)

    def decimal(self, name: str) -> float:
        """Read a number that need not be whole."""
        value = self.all.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name)
        return float(value)

    def decimals(self, name: str) -> Mapping[str, float]:
        """Read an object of numbers; a missing one is empty."""
        inner = Members(self.object(name), self._what)
        return {key: inner.decimal(key) for key in inner.all}

    def optional_flag(self, name: str) -> bool | None:
        """Read a boolean that may be missing."""
        return None if self.all.get(name) is None else self.flag(name)

    def time(self, name: str) -> datetime:
        """Read an RFC 3339 time."""
        try:
            return datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise self._wrong(name) from error

    def optional_time(self, name: str) -> datetime | None:
        """Read a time that may be missing."""
        return None if self.all.get(name) is None else self.time(name)

    def one_of(self, name: str, choices: type[Choice]) -> Choice:
        """Read one of a few words."""
        try:
            return choices(self.text(name))
        except ValueError as error:
            raise self._wrong(name) from error

    def object(self, name: str) -> Mapping[str, Any]:
        """Read an object; a missing one is empty."""
        return self._typed(name, dict) if name in self.all else {}

    def texts(self, name: str) -> Mapping[str, str]:
        """Read an object of strings; a missing one is empty."""
        return {key: str(value) for key, value in self.object(name).items()}

    def list(self, name: str) -> list[Any]:
        """Read a list; a missing one is empty."""
        return self._typed(name, list) if name in self.all else []

    def optional(self, name: str, parse: Callable[[Any], Parsed]) -> Parsed | None:
        """Read a member that may be missing by a function of its own."""
        value = self.all.get(name)
        return None if value is None else parse(value)

    def _typed(self, name: str, kind: type[Parsed]) -> Parsed:
        value = self.all.get(name)
        if not isinstance(value, kind):
            raise self._wrong(name)
        return value

    def _wrong(self, name: str) -> UnexpectedAnswerError:
        return UnexpectedAnswerError(
            f"The answer's {self._what} has no usable `{name}`. Is apiUrl right, and this client up to date?"
        )
