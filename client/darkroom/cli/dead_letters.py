"""`darkroom dlq list`, `show`, `redrive` and `discard`: what operators do with jobs that need a person.

The only commands that speak to AWS itself, with the operator's own credentials.
"""

from typing import Annotated

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.exit_codes import worst
from darkroom.cli.letter_deeds import discarding, do, redriving
from darkroom.cli.letter_options import (
    Classes,
    DryRun,
    Everything,
    Function,
    Letter,
    Letters,
    Limit,
    NewerThan,
    OlderThan,
    Owner,
    QueueUrl,
    Stage,
    letter_filter,
)
from darkroom.cli.letter_reading import present, read_letters, stopped_by_ctrl_c, tell_missing
from darkroom.cli.letter_round import Pace, counted
from darkroom.cli.letter_view import by_class, letter_lines, letter_table
from darkroom.cli.operator_desk import OperatorDesk
from darkroom.cli.options import Json, ProfileName, Yes
from darkroom.letter_filters import LetterFilter

Rate = Annotated[float, typer.Option("--rate", min=0.01, max=100, metavar="N", help="At most so many in a second.")]
Force = Annotated[bool, typer.Option("--force", help="Redrive even where a new attempt cannot help.")]


def list_letters(
    context: typer.Context,
    *,
    error_class: Classes = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    owner: Owner = None,
    stage: Stage = None,
    limit: Limit = None,
    queue_url: QueueUrl = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """List dead letters, the oldest first. They stay in the queue."""
    desk = Desk.of(context, json=json)
    wanted = letter_filter(classes=error_class, older_than=older_than, newer_than=newer_than, owner=owner, stage=stage)
    operator = OperatorDesk(desk, profile, queue_url=queue_url)
    with stopped_by_ctrl_c(desk.terminal), operator.queue() as queue:
        letters = read_letters(desk, queue, wanted, limit)
    if desk.terminal.json:
        for letter in letters:
            desk.terminal.emit(letter.to_document())
    elif letters:
        desk.terminal.show(letter_table(letters, present(desk)))
        desk.terminal.say(f"{counted(len(letters))}: {by_class(letters)}.", style="dim")
    else:
        desk.terminal.say("No dead letters." if wanted.is_everything else "No dead letters that fit.")


def show(
    context: typer.Context,
    *,
    job: Letter,
    owner: Owner = None,
    queue_url: QueueUrl = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Show all that a dead letter says. It stays in the queue."""
    desk = Desk.of(context, json=json)
    wanted = letter_filter(names=[job], owner=owner)
    operator = OperatorDesk(desk, profile, queue_url=queue_url)
    with stopped_by_ctrl_c(desk.terminal), operator.queue() as queue:
        letters = read_letters(desk, queue, wanted)
    for letter in letters:
        if desk.terminal.json:
            desk.terminal.emit(letter.to_document())
            continue
        for line in letter_lines(letter, present(desk), console=operator.places.endpoint_url is None):
            desk.terminal.show_line(line)
    raise typer.Exit(worst(tell_missing(desk.terminal, wanted, letters)))


def redrive(
    context: typer.Context,
    *,
    jobs: Letters = None,
    everything: Everything = False,
    error_class: Classes = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    owner: Owner = None,
    stage: Stage = None,
    limit: Limit = None,
    force: Force = False,
    rate: Rate = 5.0,
    dry_run: DryRun = False,
    yes: Yes = False,
    queue_url: QueueUrl = None,
    function: Function = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Have the jobs of dead letters worked on again, from where they failed; their letters are deleted then."""
    desk = Desk.of(context, json=json)
    wanted = letter_filter(
        names=jobs, classes=error_class, older_than=older_than, newer_than=newer_than, owner=owner, stage=stage
    )
    _check_narrow(wanted, everything=everything)
    operator = OperatorDesk(desk, profile, queue_url=queue_url, function=function)
    redriver = operator.function()
    with stopped_by_ctrl_c(desk.terminal), operator.queue() as queue:
        deed = redriving(queue, redriver, Pace(desk.surroundings, rate), force=force)
        code = do(desk, queue, deed, wanted, limit=limit, dry_run=dry_run, yes=yes)
    raise typer.Exit(code)


def discard(
    context: typer.Context,
    *,
    jobs: Letters = None,
    everything: Everything = False,
    error_class: Classes = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    owner: Owner = None,
    stage: Stage = None,
    limit: Limit = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    queue_url: QueueUrl = None,
    profile: ProfileName = None,
    json: Json = False,
) -> None:
    """Delete dead letters. Their jobs stay FAILED, and can still be redriven by their owners."""
    desk = Desk.of(context, json=json)
    wanted = letter_filter(
        names=jobs, classes=error_class, older_than=older_than, newer_than=newer_than, owner=owner, stage=stage
    )
    _check_narrow(wanted, everything=everything)
    operator = OperatorDesk(desk, profile, queue_url=queue_url)
    with stopped_by_ctrl_c(desk.terminal), operator.queue() as queue:
        code = do(desk, queue, discarding(queue), wanted, limit=limit, dry_run=dry_run, yes=yes)
    raise typer.Exit(code)


def _check_narrow(wanted: LetterFilter, *, everything: bool) -> None:
    if wanted.is_everything and not everything:
        raise typer.BadParameter("name jobs, narrow it down by an option such as --class, or say --all.")
