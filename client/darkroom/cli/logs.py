"""`darkroom logs`: what a deployment's logs say about a job, from the call that submitted it to its report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.log_view import log_line
from darkroom.cli.moments import moment, read_moment
from darkroom.cli.operator_desk import OperatorDesk
from darkroom.cli.options import Json, ProfileName
from darkroom.errors import InvalidArgumentError, LogsNotFoundError
from darkroom.job_ids import checked, made_at
from darkroom.job_logs import JobLogs, Search
from darkroom.log_lines import Level, LogLine, has_ended

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""An id tells when it was made, by the clock of whoever made it."""
USUALLY: Final = timedelta(days=1)
LATE: Final = timedelta(minutes=2)
"""A line may show as late as this after it was written, and others of its time before it."""
FOLLOWING_SECONDS: Final = 2.0
ROUNDS_AFTER_THE_END: Final = 5

Job = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job.", show_default=False)]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="From this time: 2026-11-01T08:00, or 12h, 7d ago. Otherwise from when the id was made, or for a day.",
    ),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Until this time.")]
AtLeast = Annotated[str, typer.Option("--level", metavar="LEVEL", help="At least DEBUG, INFO, WARNING or ERROR.")]
Owner = Annotated[
    str | None, typer.Option("--owner", metavar="ID", help="Of this owner's job, where several have this id.")
]
Follow = Annotated[bool, typer.Option("--follow", help="Go on with what comes, until the job has ended.")]
Stack = Annotated[str | None, typer.Option("--stack", metavar="NAME", help="The stack; the profile's when left out.")]


def logs(
    context: typer.Context,
    *,
    job: Job,
    since: Since = None,
    until: Until = None,
    level: AtLeast = Level.INFO.name,
    owner: Owner = None,
    follow: Follow = False,
    stack: Stack = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """For operators: show what the logs say about a job, in order. Needs credentials of the AWS account."""
    desk = Desk.of(context, json=json)
    least = _level(level)
    if follow and until is not None:
        raise InvalidArgumentError("--follow goes on until the job has ended; leave --until out.")
    present = desk.surroundings.now()
    wanted = Search(
        job_id=checked(job),
        since=read_moment(since, present) or _beginning(job, present),
        until=read_moment(until, present),
        owner=owner,
    )
    found = OperatorDesk(desk, profile, stack=stack).logs()
    try:
        lines = _following(desk, found, wanted) if follow else _once(desk, found, wanted)
        for line in lines:
            if line.level < least:
                continue
            if desk.terminal.json:
                desk.terminal.emit(line.document())
            else:
                desk.terminal.show_line(log_line(line))
    except KeyboardInterrupt as stopped:
        raise typer.Exit(ExitCode.DETACHED) from stopped


def _once(desk: Desk, found: JobLogs, wanted: Search) -> list[LogLine]:
    with desk.terminal.busy("Searching the logs"):
        lines = found.search(wanted)
    if not lines:
        raise LogsNotFoundError(
            f"No line since {moment(wanted.since)} is about {wanted.job_id}. It may be older (--since 7d), not taken "
            "off the queue yet, of another stack, or its lines may have expired."
        )
    return lines


def _following(desk: Desk, found: JobLogs, wanted: Search) -> Iterator[LogLine]:
    """Yield each line once, as it comes, until the job has ended and what is late has had time to show."""
    told: dict[tuple[str, datetime, str], LogLine] = {}
    rounds_left = ROUNDS_AFTER_THE_END
    while rounds_left:
        for line in found.search(wanted):
            known = (line.source, line.at, line.text)
            if known not in told:
                told[known] = line
                yield line
        rounds_left = rounds_left - 1 if has_ended(told.values()) else ROUNDS_AFTER_THE_END
        desk.surroundings.sleep(FOLLOWING_SECONDS)
        if told:
            latest = max(line.at for line in told.values())
            wanted = replace(wanted, since=max(wanted.since, latest - LATE))


def _beginning(job_id: str, present: float) -> datetime:
    """Choose where to begin: many ids tell when they were made."""
    made = made_at(job_id)
    if made is None or made > present:
        return datetime.fromtimestamp(present, UTC) - USUALLY
    return datetime.fromtimestamp(made, UTC) - CLOCKS_DIFFER


def _level(name: str) -> Level:
    if name.upper() not in Level.__members__:
        raise InvalidArgumentError(f"{name!r} is no level; they are {', '.join(Level.__members__)}.")
    return Level[name.upper()]
