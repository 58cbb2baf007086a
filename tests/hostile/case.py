"""What one file of the corpus is: its kind, its name, what has to become of it, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

MARK = "secret-7f3a"
"""Stands in every piece of metadata that must not leave a file; it may not be found in any artefact."""


class Expected(StrEnum):
    """What has to become of a file."""

    REPORT = "report"
    REFUSAL = "refusal"
    EITHER = "either"
    """Damage may hit what matters or what does not; whichever it is, it is one of the two."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file. It is made when it is needed: together they would not fit into memory."""

    kind: str
    name: str
    expected: Expected
    make: Callable[[], bytes]

    @property
    def file_name(self) -> str:
        """Unique in the corpus. The ending says nothing on purpose: nobody may trust it."""
        return f"{self.kind}--{self.name}.bin"


def report(kind: str, name: str, make: Callable[[], bytes]) -> Case:
    """A file that has to end in a report."""
    return Case(kind=kind, name=name, expected=Expected.REPORT, make=make)


def refusal(kind: str, name: str, make: Callable[[], bytes]) -> Case:
    """A file that has to be refused."""
    return Case(kind=kind, name=name, expected=Expected.REFUSAL, make=make)


def either(kind: str, name: str, make: Callable[[], bytes]) -> Case:
    """A file that may end in a report or be refused."""
    return Case(kind=kind, name=name, expected=Expected.EITHER, make=make)
