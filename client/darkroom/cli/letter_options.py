"""The options of the operators' dead-letter commands, and the filter that they make."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from darkroom.errors import InvalidArgumentError
from darkroom.letter_filters import LetterFilter, duration

Letter = Annotated[
    str, typer.Argument(metavar="JOB", help="Id of a job, or of a message without one.", show_default=False)
]
Letters = Annotated[
    list[str] | None,
    typer.Argument(metavar="JOB", help="Ids of jobs, or of messages without one.", show_default=False),
]
Classes = Annotated[list[str] | None, typer.Option("--class", metavar="CLASS", help="Only of this error; repeatable.")]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="TIME", help="Only what failed longer ago: 90s, 30m, 2h, 3d.")
]
NewerThan = Annotated[str | None, typer.Option("--newer-than", metavar="TIME", help="Only what failed since then.")]
Owner = Annotated[str | None, typer.Option("--owner", metavar="ID", help="Only of this owner; the beginning will do.")]
Stage = Annotated[str | None, typer.Option("--stage", metavar="NAME", help="Only what failed in this stage.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="At most this many.")]
Everything = Annotated[bool, typer.Option("--all", help="Mean all letters, where nothing narrows them down.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
QueueUrl = Annotated[
    str | None, typer.Option("--queue-url", metavar="URL", help="The queue; that of the profile when left out.")
]
Function = Annotated[
    str | None, typer.Option("--function", metavar="NAME", help="The function; that of the profile when left out.")
]


def letter_filter(
    *,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    older_than: str | None = None,
    newer_than: str | None = None,
    owner: str | None = None,
    stage: str | None = None,
) -> LetterFilter:
    """Make the filter of the options as they were typed. Raises InvalidArgumentError."""
    if owner == "":  # a script's variable that was never set; every owner's id begins with it
        raise InvalidArgumentError("The --owner given is empty.")
    return LetterFilter(
        names=tuple(dict.fromkeys(names or ())),
        classes=tuple(classes or ()),
        older_than=_duration(older_than),
        newer_than=_duration(newer_than),
        owner=owner,
        stage=stage,
    )


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else duration(text)
