"""Plots as SVG, written by hand: a few lines and their labels need no library."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 130, 40, 50
_COLOURS: Final = ("#3566a8", "#b5482a", "#4f7d3c")
_INK: Final = "#555"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Lines over one another; both axes are logarithmic, so that equal ratios are equal distances."""

    title: str
    across: str
    up: str
    lines: Mapping[str, Sequence[tuple[float, float]]]

    def svg(self) -> str:
        """Draw it. Raises ValueError when a value is not positive."""
        points = [point for line in self.lines.values() for point in line]
        x = _scale([across for across, _ in points], _LEFT, WIDTH - _RIGHT)
        y = _scale([up for _, up in points], HEIGHT - _BOTTOM, _TOP)
        body = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'font-size="12" fill="{_INK}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<text x="{_LEFT}" y="22" font-size="14">{escape(self.title)}</text>',
            f'<text x="{(_LEFT + WIDTH - _RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
            f"{escape(self.across)}</text>",
            f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(self.up)}</text>',
            *self._ticks(x, y),
            *self._drawn(x, y),
            "</svg>",
        ]
        return "\n".join(body) + "\n"

    def _ticks(self, x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
        acrosses = sorted({across for line in self.lines.values() for across, _ in line})
        ups = _decades([up for line in self.lines.values() for _, up in line])
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        return [
            *(
                f'<text x="{x(value):.1f}" y="{bottom + 18}" text-anchor="middle">{value:,g}</text>'
                for value in acrosses
            ),
            *(
                f'<line x1="{_LEFT}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,g}</text>'
                for value in ups
            ),
        ]

    def _drawn(self, x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
        drawn = []
        for (name, line), colour in zip(self.lines.items(), _COLOURS, strict=False):
            places = [(x(across), y(up)) for across, up in line]
            path = " ".join(f"{across:.1f},{up:.1f}" for across, up in places)
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            drawn += [f'<circle cx="{a:.1f}" cy="{u:.1f}" r="3" fill="{colour}"/>' for a, u in places]
            last = places[-1]
            drawn.append(f'<text x="{last[0] + 8:.1f}" y="{last[1] + 4:.1f}" fill="{colour}">{escape(name)}</text>')
        return drawn


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """Map the logarithms of the values, widened to whole decades where they are less than one apart."""
    if min(values) <= 0:
        raise ValueError("A logarithmic axis has no place for 0 or less.")
    low, high = math.log10(min(values)), math.log10(max(values))
    if high - low < 1:
        low, high = math.floor(low), math.floor(low) + max(1.0, math.ceil(high) - math.floor(low))
    return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start)


def _decades(values: Sequence[float]) -> list[float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [10.0**power for power in range(low, max(high, low + 1) + 1)]
    narrow = math.log10(max(values)) - math.log10(min(values)) < 1
    return ticks if narrow else [tick for tick in ticks if min(values) <= tick <= max(values)]
