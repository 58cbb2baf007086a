"""Going round several dead letters and doing the same with each; trouble with one keeps no other from its turn."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from darkroom.cli.exit_codes import ExitCode
from darkroom.cli.plain_text import plain
from darkroom.cli.terminal import Terminal
from darkroom.dead_letters import SHORT_ID, DeadLetter
from darkroom.errors import AwsFailureError
from darkroom.surroundings import Surroundings

_PLAIN_STEPS = 10
"""Without a screen to redraw, progress is so many lines."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What was done with a letter."""

    letter: DeadLetter
    outcome: str
    detail: str = ""
    status: str | None = None
    attempt: int | None = None
    """At which its job is now."""
    is_trouble: bool = False
    """Whether a person has to look at it again."""

    def document(self) -> dict[str, Any]:
        """Lay it out for a program."""
        members = {
            **self.letter.heading(),
            "outcome": self.outcome,
            "detail": self.detail or None,
            "status": self.status,
            "newAttempt": self.attempt,
        }
        return {name: value for name, value in members.items() if value is not None}

    def line(self) -> Text:
        """Say it to a person."""
        whose = f" of {plain(self.letter.owner[:SHORT_ID])}" if self.letter.owner else ""
        line = Text(plain(self.letter.name)).append(whose, style="dim").append(": ")
        line.append(_words(self.outcome), style="red" if self.is_trouble else "")
        return line.append(f": {plain(self.detail, 1000)}" if self.detail else "")


class Pace:
    """Keeps calls apart, so that there are at most so many in a second."""

    def __init__(self, surroundings: Surroundings, per_second: float) -> None:
        self._surroundings = surroundings
        self._gap = 1 / per_second
        self._next = surroundings.now()

    def wait(self) -> None:
        """Sleep until it is time for the next."""
        self._surroundings.sleep(max(0.0, self._next - self._surroundings.now()))
        self._next = max(self._next, self._surroundings.now()) + self._gap


def go_round(
    letters: Sequence[DeadLetter], act: Callable[[DeadLetter], Ending], endings: list[Ending], terminal: Terminal
) -> None:
    """Act on each letter and add how it ended to `endings`, which is right at any moment, that of a Ctrl-C included.

    Raises AwsSetupError and AwsUnreachableError: the next letter would fare no better.
    """
    with _progress(terminal, len(letters)) as step:
        for letter in letters:
            try:
                endings.append(act(letter))
            except AwsFailureError as error:
                endings.append(Ending(letter=letter, outcome="FAILED", detail=str(error), is_trouble=True))
            step()


def show_endings(terminal: Terminal, endings: Iterable[Ending]) -> None:
    """Print how each letter ended."""
    for ending in endings:
        if terminal.json:
            terminal.emit(ending.document())
        else:
            terminal.show_line(ending.line())


def summary(endings: Sequence[Ending]) -> str:
    """Count the endings in a sentence."""
    counts = Counter(_words(ending.outcome) for ending in endings)
    return f"{counted(len(endings))}: {', '.join(f'{number} {words}' for words, number in counts.items())}."


def exit_code(endings: Iterable[Ending]) -> ExitCode:
    """Choose the exit code that they ask for."""
    return ExitCode.JOB_FAILED if any(ending.is_trouble for ending in endings) else ExitCode.SUCCEEDED


def counted(number: int) -> str:
    """Write a number of letters."""
    return f"{number} dead letter{'' if number == 1 else 's'}"


def _words(outcome: str) -> str:
    return plain(outcome).lower().replace("_", " ")


@contextmanager
def _progress(terminal: Terminal, total: int) -> Iterator[Callable[[], None]]:
    """Show on stderr how far it is; what is yielded is called after each step."""
    if not terminal.can_redraw:
        yield _plain_steps(terminal, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.err, transient=True) as bar:
        task = bar.add_task("Dead letters", total=total)
        yield lambda: bar.advance(task)


def _plain_steps(terminal: Terminal, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done * _PLAIN_STEPS // total > (done - 1) * _PLAIN_STEPS // total:
            terminal.say(f"{done} of {counted(total)}")

    return step
