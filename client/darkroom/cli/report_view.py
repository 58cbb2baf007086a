"""The report of a job, for people. Shows what is there, in any shape; trusts no text in it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.filesize import decimal
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from darkroom.cli.plain_text import plain

_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_INDENT = 2
_WORST_SCORE, _BEST_SCORE = 40, 70

Lines = Iterator[Text]


def report_view(report: Mapping[str, Any], console: Console) -> RenderableType:
    """Lay out a report: its sentence, the image's facts, then one section for each analysis."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row(Text("Image"), Text("\n").join(_image(_object(report, "image"))))
    swatches = console.color_system is not None and not console.no_color
    for name, result in _object(report, "analyses").items():
        lines = list(_section(name, result, swatches))
        table.add_row(Text(plain(name).capitalize()), Text("\n").join(lines))
    summary = Text(plain(report.get("summary", ""), 1000))
    return Padding(Group(summary, Text(), table, Text()), (0, 0, 0, _INDENT))


def _section(name: str, result: object, swatches: bool) -> Lines:
    if not isinstance(result, dict):
        return iter([Text(plain(result))])
    if name == "palette":
        return _palette(result, swatches)
    return _SECTIONS.get(name, _anything)(result)


def _image(image: Mapping[str, Any]) -> Lines:
    shape = [plain(image.get("format", "?")), _size(image)]
    if isinstance(image.get("bytes"), int):
        shape.append(decimal(image["bytes"]))
    frames = image.get("frames")
    if isinstance(frames, int) and frames > 1:
        shape.append(f"{frames} {'frames' if image.get('animated') else 'pages'}")
    yield Text(", ".join(part for part in shape if part))
    profile = image.get("iccProfile")
    colour = [plain(image.get("mode", "")), plain(profile) if profile else "", "alpha" if image.get("hasAlpha") else ""]
    if any(colour):
        yield Text(", ".join(part for part in colour if part), style="dim")
    yield from _anything(_object(image, "exif"))
    if image.get("hasLocation"):
        yield Text("The file says where it was taken; the pictures made from it do not.", style="yellow")


def _size(image: Mapping[str, Any]) -> str:
    if "width" not in image or "height" not in image:
        return ""
    return f"{plain(image['width'])} x {plain(image['height'])} pixels"


def _palette(result: Mapping[str, Any], swatches: bool) -> Lines:
    for colour in _objects(result, "colours"):
        yield _colour(colour, swatches)
    if mean := _object(result, "mean"):
        yield Text("mean ", style="dim") + _colour(mean, swatches)


def _colour(colour: Mapping[str, Any], swatches: bool) -> Text:
    line = Text()
    value = plain(colour.get("hex", "?"), 20)
    if swatches and _HEX_COLOUR.fullmatch(value):
        line.append("     ", style=f"on {value}").append(" ")
    line.append(value)
    share = colour.get("share")
    return line.append(f" {share:6.1%}") if isinstance(share, int | float) else line


def _quality(result: Mapping[str, Any]) -> Lines:
    for name, judged in result.items():
        if not isinstance(judged, dict) or "verdict" not in judged:
            continue
        score = judged.get("score")
        line = Text(f"{plain(name)}: ")
        line.append(plain(judged["verdict"]), style=_score_style(score))
        line.append(f" ({plain(score)} of 100)" if score is not None else "")
        yield line
        if advice := judged.get("advice"):
            yield Text(f"  {plain(advice)}", style="dim")


def _score_style(score: object) -> str:
    if not isinstance(score, int | float):
        return ""
    return "green" if score >= _BEST_SCORE else "yellow" if score >= _WORST_SCORE else "red"


def _codes(result: Mapping[str, Any]) -> Lines:
    codes = list(_objects(result, "codes"))
    for code in codes:
        line = Text(f"{plain(code.get('format', '?'))}: ")
        yield line.append(plain(code.get("text", ""))).append(" (cut)" if code.get("truncated") else "", style="dim")
    found = result.get("found")
    if not codes:
        yield Text("none found", style="dim")
    elif isinstance(found, int) and found > len(codes):
        yield Text(f"and {found - len(codes)} more", style="dim")


def _anything(result: Mapping[str, Any]) -> Lines:
    for name, value in result.items():
        yield Text(f"{plain(name)}: ").append(plain(value))


def _regions(result: Mapping[str, Any]) -> Lines:
    if not result.get("measured"):
        yield Text(plain(result.get("reason", "not measured"), 300), style="dim")
        return
    yield Text(f"{plain(result.get('columns', '?'))} x {plain(result.get('rows', '?'))} tiles")
    for name in ("sharpest", "softest"):
        tile = _object(result, name)
        yield Text(f"{name}: {plain(tile.get('sharpness', '?'))} at {plain(tile.get('box', '?'))}")


def _labels(result: Mapping[str, Any]) -> Lines:
    for name, word in (("labels", "name"), ("text", "text"), ("moderation", "name")):
        found = list(_objects(result, name))
        yield Text(f"{name}: ").append("none", style="dim") if not found else Text(f"{name}:")
        for each in found:
            yield Text(f"  {plain(each.get(word, '?'))} ").append(
                f"{plain(each.get('confidence', '?'))} %", style="dim"
            )


_SECTIONS: dict[str, Callable[[Mapping[str, Any]], Lines]] = {
    "quality": _quality,
    "codes": _codes,
    "regions": _regions,
    "labels": _labels,
}


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _objects(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    value = document.get(name)
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
