"""Where words go: data to stdout, talk to stderr. Interprets no markup in what it prints."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from io import TextIOWrapper
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from darkroom.cli.exit_codes import ExitCode, of_error
from darkroom.cli.plain_text import plain
from darkroom.errors import DarkroomError, ProblemError

WIDTH_WITHOUT_TERMINAL = 160
_LONGEST_MESSAGE = 2000


class Terminal:
    """The two streams of a command. `json` is whether stdout is for a program."""

    def __init__(self) -> None:
        self.json = False
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    @property
    def can_redraw(self) -> bool:
        """Whether stderr is a screen on which what was drawn can be drawn over."""
        return self.err.is_terminal and not self.err.is_dumb_terminal and self.err.file.isatty()

    def busy(self, message: str) -> AbstractContextManager[object]:
        """Show on a screen, for the length of the block, that something takes a while."""
        return self.err.status(Text(plain(message))) if self.can_redraw else nullcontext()

    def say(self, message: str, style: str = "") -> None:
        """Talk to the person, on stderr."""
        self.err.print(Text(plain(message, _LONGEST_MESSAGE), style=style), soft_wrap=True)

    def show(self, renderable: RenderableType) -> None:
        """Print data for people on stdout; into a file or a pipe without the spaces that fill a screen."""
        if self.out.is_terminal:
            self.out.print(renderable)
            return
        with self.out.capture() as captured:
            self.out.print(renderable)
        lines = (line.rstrip() for line in captured.get().splitlines())
        print(*lines, sep="\n", file=self.out.file, flush=True)

    def show_line(self, line: str | Text) -> None:
        """Print one line of data for people on stdout, never wrapped."""
        self.out.print(line if isinstance(line, Text) else Text(line), soft_wrap=True)

    def emit(self, document: Mapping[str, Any]) -> None:
        """Print one line of JSON on stdout. All of it is ASCII, so that no text can act on a terminal."""
        print(json.dumps(document), file=self.out.file, flush=True)

    def tell(self, document: Mapping[str, Any], words: str) -> None:
        """Say what was done: to the person, and to a program if there is one."""
        if self.json:
            self.emit(document)
        self.say(words)

    def fail(self, error: DarkroomError, about: str | None = None) -> ExitCode:
        """Say what went wrong and return the exit code for it."""
        self.say(f"{about}: {error}" if about else str(error), style="red")
        return of_error(error)

    def fail_job(self, error: DarkroomError, job_id: str) -> ExitCode:
        """Say what went wrong with one job of several, to a program as well, and return the exit code for it."""
        if self.json:
            self.emit({"jobId": job_id, "error": error_document(error)})
        return self.fail(error, about=job_id)


def error_document(error: DarkroomError) -> dict[str, Any]:
    """Describe an error for a program."""
    members: dict[str, Any] = {
        "kind": type(error).__name__.removesuffix("Error"),
        "message": str(error),
        "exitCode": int(of_error(error)),
    }
    if isinstance(error, ProblemError) and error.problem.document:
        members["problem"] = dict(error.problem.document)
    return members


def _console(stream: TextIO) -> Console:
    if isinstance(stream, TextIOWrapper):
        # What the stream's encoding does not have is shown as an escape; a report is not lost for one character of it.
        stream.reconfigure(errors="backslashreplace")
    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() or columns.isdecimal() else WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
