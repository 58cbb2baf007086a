"""Reading dead letters for a command, and what to say of those that are not there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from darkroom.cli.desk import Desk
from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.terminal import Terminal
from darkroom.dead_letters import DeadLetter
from darkroom.errors import LetterNotFoundError
from darkroom.letter_filters import LetterFilter
from darkroom.letter_queue import HELD_SECONDS, LetterQueue


def read_letters(
    desk: Desk,
    queue: LetterQueue,
    wanted: LetterFilter,
    limit: int | None = None,
    counts: Callable[[DeadLetter], bool] = lambda _: True,
) -> list[DeadLetter]:
    """Read the letters that are wanted, as `LetterQueue.read` does, and warn of those that cannot be seen now."""
    now = present(desk)
    with desk.terminal.busy("Looking through the dead letters"):
        hidden = queue.out_of_sight()
        letters = queue.read(lambda letter: wanted.wants(letter, now), limit, counts)
    if hidden:
        desk.terminal.say(
            f"About {hidden} more are out of sight: somebody looks at them, or did a moment ago. "
            f"They show again within {HELD_SECONDS // 60} minutes.",
            style="yellow",
        )
    return letters


def tell_missing(terminal: Terminal, wanted: LetterFilter, letters: Sequence[DeadLetter]) -> list[ExitCode]:
    """Say of each name whose letter was not found that it was not; return the exit codes."""
    missing = [name for name in wanted.names if not any(letter.answers_to(name) for letter in letters)]
    error = LetterNotFoundError("No dead letter in the queue answers to this, and to what else was asked.")
    return [ExitCode.SUCCEEDED, *(terminal.fail_job(error, name) for name in missing)]


def present(desk: Desk) -> datetime:
    """Tell what time it is."""
    return datetime.fromtimestamp(desk.surroundings.now(), UTC)


@contextmanager
def stopped_by_ctrl_c(terminal: Terminal) -> Iterator[None]:
    """End the command in order. A queue that is entered after this has given its letters back by then."""
    try:
        yield
    except KeyboardInterrupt as stop:
        terminal.say("Stopped. What was not dealt with is in the queue as before.", style="yellow")
        raise typer.Exit(ExitCode.DETACHED) from stop
