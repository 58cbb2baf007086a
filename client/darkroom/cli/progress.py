"""Progress without a live display: in lines, for logs and pipes, or not at all. Writes to stderr only."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from darkroom.cli.batch import Progress
from darkroom.cli.items import Item
from darkroom.cli.live_progress import LiveProgress
from darkroom.cli.terminal import Terminal
from darkroom.models import StageStatus


class SilentProgress:
    """Shows nothing."""

    def changed(self, item: Item) -> None:
        """Take no note."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""


class PlainProgress(SilentProgress):
    """Writes a line when an item reaches another status or stage."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._said: dict[str, str] = {}
        self._lock = threading.Lock()

    def changed(self, item: Item) -> None:
        """Write the line, unless it is the one before but for the percent."""
        stands = " ".join([item.word, *running_stages(item)])
        key = item.job_id if item.path is None and item.job_id else item.label
        with self._lock:
            if self._said.get(key) == stands:
                return
            self._said[key] = stands
            self._terminal.say(self._line(item))

    @staticmethod
    def _line(item: Item) -> str:
        percent = f" {item.percent} %" if item.job else ""
        stages = ", ".join(running_stages(item))
        return f"{item.label}: {item.word}{percent}{f' ({stages})' if stages else ''}"


def running_stages(item: Item) -> list[str]:
    """Name the stages that are at work."""
    timeline = item.job.timeline if item.job else ()
    return [entry.stage for entry in timeline if entry.status is StageStatus.RUNNING]


def choose_progress(terminal: Terminal, items: Sequence[Item], *, silent: bool) -> Progress:
    """Choose the display that suits the terminal."""
    if silent:
        return SilentProgress()
    if terminal.can_redraw:
        return LiveProgress(terminal.err, items)
    return PlainProgress(terminal)
