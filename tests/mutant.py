"""A line of the code, broken on purpose, and the test that has to notice."""

from dataclasses import dataclass

PROPERTY = "tests/functional/test_job_life.py"
"""Plays every order of events against every write."""


@dataclass(frozen=True)
class Mutant:
    """`test` is what has to fail, and a fault run with the kinds in `chaos`, if any."""

    what: str
    file: str
    line: str
    broken: str
    test: str = PROPERTY
    chaos: str = ""
    threat: int | None = None
    """The row of docs/security.md whose control is taken away."""
