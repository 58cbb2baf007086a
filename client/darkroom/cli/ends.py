"""How `analyze` and `watch` close: an outcome for each item, what goes on without us, the exit code."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from darkroom.cli.exit_codes import ExitCode, worst
from darkroom.cli.items import Item
from darkroom.cli.job_view import ending, worth_redriving
from darkroom.cli.report_view import report_view
from darkroom.cli.terminal import Terminal
from darkroom.models import Job


def close(terminal: Terminal, items: Sequence[Item], *, finished: bool) -> ExitCode:
    """Print the outcome of each item, in order, and return the exit code.

    `finished` False means that Ctrl-C came first: what has no outcome yet goes on, or was never submitted.
    """
    for item in items:
        if terminal.json and (item.settled.is_set() or item.job_id):
            terminal.emit(item.document())
        elif item.job is not None and item.job.status.is_end:
            _show_end(terminal, item.label, item.job, item.report)
    tell_errors(terminal, items)
    for item in items:
        if not item.settled.is_set() and item.job_id is None:
            terminal.say(f"{item.label}: not submitted.", style="yellow")
    _say_what_goes_on(terminal, items)
    _say_what_a_redrive_can_help(terminal, items)
    return worst(item.exit_code for item in items) if finished else ExitCode.DETACHED


def tell_errors(terminal: Terminal, items: Iterable[Item]) -> None:
    """Say what went wrong with each item, once."""
    for item in items:
        if item.error is not None and not item.told:
            terminal.fail(item.error, about=item.label)
            item.told = True


def _show_end(terminal: Terminal, label: str, job: Job, report: Mapping[str, Any] | None) -> None:
    terminal.show_line(ending(label, job))
    if report is not None:
        terminal.show(report_view(report, terminal.out, job))


def _say_what_goes_on(terminal: Terminal, items: Iterable[Item]) -> None:
    going = [item.job_id for item in items if item.job_id and item.goes_on]
    if going:
        many = f"{len(going)} jobs go on" if len(going) > 1 else "The job goes on"
        terminal.say(f"{many}; see how: darkroom watch {' '.join(going)}")


def _say_what_a_redrive_can_help(terminal: Terminal, items: Iterable[Item]) -> None:
    helped = [item.job.job_id for item in items if item.job and worth_redriving(item.job)]
    if helped:
        terminal.say(f"To try again: darkroom redrive {' '.join(helped)}")
