"""What is done with dead letters: redrive their jobs, or discard them. Asks before, and says what came of it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.exit_codes import ExitCode, worst
from darkroom.cli.letter_reading import read_letters, tell_missing
from darkroom.cli.letter_round import Ending, Pace, counted, exit_code, go_round, show_endings, summary
from darkroom.cli.letter_view import by_class
from darkroom.dead_letters import DeadLetter, Kind
from darkroom.errors import AwsFailureError
from darkroom.letter_filters import LetterFilter
from darkroom.letter_queue import LetterQueue
from darkroom.redriving import Outcome, RedriveFunction


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that is done with letters, one after the other."""

    verb: str
    act: Callable[[DeadLetter], Ending]
    obstacle: Callable[[DeadLetter], str | None]
    """Why it is not done with a letter; None when it is."""
    afterword: str | None = None


def redriving(queue: LetterQueue, function: RedriveFunction, pace: Pace, *, force: bool) -> Deed:
    """Redrive the letters' jobs; with `force` also where the letter says that it cannot help."""

    def act(letter: DeadLetter) -> Ending:
        pace.wait()
        return _redrive_one(queue, function, letter)

    return Deed(verb="redrive", act=act, obstacle=lambda letter: _why_not_redriven(letter, force=force))


def discarding(queue: LetterQueue) -> Deed:
    """Delete the letters."""

    def act(letter: DeadLetter) -> Ending:
        queue.delete(letter)
        return Ending(letter=letter, outcome="DISCARDED")

    return Deed(
        verb="discard",
        act=act,
        obstacle=lambda _: None,
        afterword="The jobs stay FAILED; an owner can still redrive one: darkroom redrive JOB",
    )


def do(
    desk: Desk, queue: LetterQueue, deed: Deed, wanted: LetterFilter, *, limit: int | None, dry_run: bool, yes: bool
) -> ExitCode:
    """Do it with all letters that are wanted, and say what came of it, however it ends."""
    letters = read_letters(desk, queue, wanted, limit, counts=lambda letter: deed.obstacle(letter) is None)
    codes = tell_missing(desk.terminal, wanted, letters)
    if not letters:
        desk.terminal.say("No dead letters that fit; nothing was done.")
        return worst(codes)
    chosen = [letter for letter in letters if deed.obstacle(letter) is None]
    endings = _skipped(letters, deed, named=bool(wanted.names))
    if dry_run:
        outcome = f"WOULD_{deed.verb.upper()}"
        endings += [Ending(letter=letter, outcome=outcome, detail=by_class([letter])) for letter in chosen]
    elif chosen and not yes and not _confirmed(deed.verb, chosen):
        desk.terminal.say("Nothing was done.")
        return ExitCode.JOB_FAILED
    try:
        if not dry_run:
            go_round(chosen, deed.act, endings, desk.terminal)
    finally:
        show_endings(desk.terminal, endings)
        desk.terminal.say(f"{summary(endings)}{' A dry run: nothing was changed.' if dry_run else ''}")
    if deed.afterword and chosen and not dry_run:
        desk.terminal.say(deed.afterword, style="dim")
    return worst([*codes, exit_code(endings)])


def _skipped(letters: Sequence[DeadLetter], deed: Deed, *, named: bool) -> list[Ending]:
    """Say why it is not done with some. That is trouble where jobs are `named`: somebody counts on it."""
    return [
        Ending(letter=letter, outcome="SKIPPED", detail=reason, is_trouble=named)
        for letter in letters
        if (reason := deed.obstacle(letter))
    ]


def _redrive_one(queue: LetterQueue, function: RedriveFunction, letter: DeadLetter) -> Ending:
    """Redrive the job, then delete the letter: an end in between leaves a letter too many, never one too few."""
    answer = function.redrive(letter)
    ending = Ending(
        letter=letter,
        outcome=answer.outcome.value,
        detail=answer.detail,
        status=answer.status,
        attempt=answer.attempt,
        is_trouble=not answer.outcome.ends_the_letter,
    )
    if answer.outcome is Outcome.NOT_FOUND:
        put_away = f"The job's record has expired; `darkroom dlq discard {letter.name}` puts the letter away."
        return replace(ending, detail=put_away)
    if ending.is_trouble:
        return ending
    try:
        queue.delete(letter)
    except AwsFailureError as error:
        left = f"{answer.detail} Its letter is still there ({error}); redriving it again puts it away."
        return replace(ending, detail=left, is_trouble=True)
    return ending


def _why_not_redriven(letter: DeadLetter, *, force: bool) -> str | None:
    if letter.kind is Kind.RAW:
        return "It is no dead letter, so nobody knows its job: `dlq show` shows it, `dlq discard` deletes it."
    if not letter.names_an_attempt:
        return "It does not say whose job it is about; it can only be discarded."
    if letter.redrive_can_help is False and not force:
        return "A new attempt cannot help. Discard it, or try all the same with --force."
    return None


def _confirmed(verb: str, letters: Sequence[DeadLetter]) -> bool:
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on; --yes goes ahead, --dry-run shows with what.")
    try:
        return typer.confirm(f"{verb.capitalize()} {counted(len(letters))} ({by_class(letters)})?", err=True)
    except typer.Abort as abort:
        raise typer.Exit(ExitCode.DETACHED) from abort
