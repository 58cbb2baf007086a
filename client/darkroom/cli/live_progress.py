"""The live display: a panel for each job, side by side, with a bar for each stage; one line each when they are many."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from darkroom.cli.items import Item
from darkroom.cli.plain_text import plain
from darkroom.models import StageEntry, StageStatus

PANEL_WIDTH = 44
_PANEL_FRAME_LINES = 4
_STAGES_AT_LEAST = 6
_BAR_WIDTH = 18
_REFRESHES_PER_SECOND = 8

STATUS_STYLES = {
    "succeeded": "green",
    "failed": "red",
    "trouble": "red",
    "cancelled": "yellow",
    "cancelling": "yellow",
    "running": "cyan",
}
_MARKS = {
    StageStatus.PENDING: ("·", "dim"),
    StageStatus.RUNNING: ("▸", "cyan"),
    StageStatus.DONE: ("✓", "green"),
    StageStatus.SKIPPED: ("-", "dim"),
    StageStatus.FAILED: ("✗", "red"),
    StageStatus.STOPPED: ("■", "yellow"),
    StageStatus.OTHER: ("?", "dim"),
}


class LiveProgress:
    """Redraws the items as they stand, several times a second; leaves nothing on the screen at its end."""

    def __init__(self, console: Console, items: Sequence[Item]) -> None:
        self._console = console
        self._items = items
        self._live = Live(
            console=console,
            get_renderable=self.picture,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
        )

    def changed(self, item: Item) -> None:
        """Leave it to the next redraw."""

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wipe the drawing away."""
        self._live.stop()

    def picture(self) -> RenderableType:
        """Draw panels when they fit on the screen, lines otherwise."""
        across = max(1, self._console.width // PANEL_WIDTH)
        stages = max([_STAGES_AT_LEAST, *(len(item.job.timeline) for item in self._items if item.job)])
        needed = -(-len(self._items) // across) * (stages + _PANEL_FRAME_LINES)
        if needed > self._console.height - 1:
            return self._lines()
        return Columns([_panel(item, min(PANEL_WIDTH, self._console.width)) for item in self._items])

    def _lines(self) -> RenderableType:
        room = max(1, self._console.height - 3)
        moving = [item for item in self._items if not item.settled.is_set()]
        table = Table.grid(padding=(0, 1))
        for item in moving[:room]:
            table.add_row(_label(item, 30), _bar(item.percent), _state(item))
        hidden = len(moving) - room
        ended = len(self._items) - len(moving)
        rest = f"{ended} ended" + (f", {hidden} more on their way" if hidden > 0 else "")
        return Group(table, Text(rest, style="dim"))


def _panel(item: Item, width: int) -> Panel:
    table = Table.grid(padding=(0, 1))
    table.add_row("", Text(item.word, style=STATUS_STYLES.get(item.word, "")), _bar(item.percent), _percent(item))
    for entry in item.job.timeline if item.job else ():
        mark, style = _MARKS[entry.status]
        table.add_row(Text(mark, style=style), Text(plain(entry.stage, 14), style=style), *_stage_cells(entry))
    return Panel(table, title=_label(item, width - 8), title_align="left", width=width)


def _stage_cells(entry: StageEntry) -> tuple[RenderableType, RenderableType]:
    if entry.status is StageStatus.RUNNING:
        return _bar(entry.progress), Text(f"try {entry.tries}" if entry.tries > 1 else "", style="dim")
    if entry.started_at and entry.finished_at and entry.status is not StageStatus.SKIPPED:
        seconds = (entry.finished_at - entry.started_at).total_seconds()
        return Text(f"{seconds:.1f} s", style="dim"), Text("")
    return Text(entry.status.value.lower() if entry.status is StageStatus.SKIPPED else "", style="dim"), Text("")


def _bar(percent: int) -> ProgressBar:
    return ProgressBar(total=100, completed=percent, width=_BAR_WIDTH)


def _percent(item: Item) -> Text:
    return Text(f"{item.percent:>3} %")


def _state(item: Item) -> Text:
    return Text(f"{item.percent:>3} % {item.word}", style=STATUS_STYLES.get(item.word, ""))


def _label(item: Item, width: int) -> Text:
    label = Text(plain(item.label), no_wrap=True)
    label.truncate(max(8, width), overflow="ellipsis")
    return label
