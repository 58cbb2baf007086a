"""The report of a job on a terminal: the verdicts, then what they rest on. Colours only where they can be right."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from darkroom.cli.plain_text import plain
from darkroom.cli.report_reading import (
    LOCATION_IS_NOT_TOLD,
    LOCATION_IS_TOLD,
    LOWEST_FAIR_SCORE,
    LOWEST_GOOD_SCORE,
    NO_CODES,
    Code,
    Colour,
    Fact,
    ReadReport,
    Score,
    read_report,
)
from darkroom.models import Job

_INDENT = 2
_TRUE_ENOUGH = {"truecolor", "256"}
"""Of the sixteen colours of other terminals, the nearest to a photograph's brown may be a red."""
_BLOCKS, _BLOCKS_IN_ASCII = " ▁▂▃▄▅▆▇█", " .:-=+*%#"
_BIN_COLUMNS = 2

Lines = Iterator[Text]


def report_view(report: Mapping[str, Any], console: Console, job: Job | None = None) -> RenderableType:
    """Lay out a report: its verdicts and its sentence, then one section for each thing that was looked at.

    `job`, if given, tells which analyses were not made.
    """
    read = read_report(report, job)
    coloured = console.color_system is not None and not console.no_color
    blocks = _BLOCKS if console.encoding.lower().startswith("utf") else _BLOCKS_IN_ASCII
    sections: dict[str, Lines] = {
        "Quality": _quality(read),
        "Image": _facts(read.image),
        "Photo": _facts(read.photo),
        "Location": _location(read),
        "Palette": _palette(read, swatches=coloured and console.color_system in _TRUE_ENOUGH),
        "Histogram": _histogram(read.histogram, blocks),
        "Codes": _codes(read),
        "Fingerprint": _facts(read.marks),
        **{name.capitalize(): _facts(facts) for name, facts in read.others.items()},
        "Not made": _facts(read.skipped),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for title, lines in sections.items():
        if told := list(lines):
            table.add_row(Text(title), Text("\n").join(told))
    above = [*(Text(verdict, style="bold") for verdict in read.verdicts), Text(read.summary), Text()]
    return Padding(Group(*above, table, Text()), (0, 0, 0, _INDENT))


def _quality(read: ReadReport) -> Lines:
    for score in read.scores:
        line = Text(f"{score.name}: ").append(score.verdict, style=_style_of(score))
        yield line.append(f" ({score.in_words})" if score.in_words else "")
        is_good = score.score is not None and score.score >= LOWEST_GOOD_SCORE
        if score.advice and not is_good and not read.is_said(score.advice):
            yield Text(f"  {score.advice}", style="dim")
    yield from _facts(read.quality)


def _style_of(score: Score) -> str:
    if score.score is None:
        return ""
    return "green" if score.score >= LOWEST_GOOD_SCORE else "yellow" if score.score >= LOWEST_FAIR_SCORE else "red"


def _facts(facts: Iterable[Fact]) -> Lines:
    return (Text(f"{name}: {value}" if name else value) for name, value in facts)


def _location(read: ReadReport) -> Lines:
    if read.has_location:
        yield Text(LOCATION_IS_TOLD, style="yellow")
    elif read.has_location is False:
        yield Text(LOCATION_IS_NOT_TOLD, style="dim")


def _palette(read: ReadReport, *, swatches: bool) -> Lines:
    for colour in read.colours:
        yield _colour(colour, swatches=swatches)
    if read.mean:
        yield _colour(read.mean, swatches=swatches).append(" on average", style="dim")


def _colour(colour: Colour, *, swatches: bool) -> Text:
    line = Text()
    if swatches and colour.is_colour:
        line.append("     ", style=f"on {colour.value}").append(" ")
    line.append(colour.value)
    line.append(f" {colour.share:6.1%}" if colour.share is not None else "")
    return line.append(f"  {colour.name}" if colour.name else "")


def _histogram(histogram: Mapping[str, Sequence[float]], blocks: str) -> Lines:
    """Draw each channel as bars, to one scale."""
    highest = max((share for shares in histogram.values() for share in shares), default=0.0)
    for name, shares in histogram.items():
        bars = "".join(_block(share, highest, blocks) * _BIN_COLUMNS for share in shares)
        style = name if name != "luma" else ""
        yield Text(f"{name:5} dark ").append(bars, style=style).append(" light")


def _block(share: float, highest: float, blocks: str) -> str:
    """Pick the bar of a height; what is there at all is seen."""
    steps = len(blocks) - 1
    return blocks[max(1, round(steps * share / highest))] if share > 0 else blocks[0]


def _codes(read: ReadReport) -> Lines:
    if read.codes == ():
        yield Text(NO_CODES, style="dim")
    for code in read.codes or ():
        yield _code(code)
    if read.codes and read.more_codes:
        yield Text(f"and {read.more_codes} more", style="dim")


def _code(code: Code) -> Text:
    """Write what a code says last, so that right-to-left text moves nothing of ours."""
    what = f"{code.format}, {code.place}" if code.place else code.format
    return Text(f"{what}: ").append(plain(code.text)).append(" (cut)" if code.is_cut else "", style="dim")
