"""Names for colours, and the colour of text that can be read on them. Arithmetic of the standard library only.

Names are made as by the ISCC-NBS method (Kelly and Judd, Color: Universal Language and Dictionary of Names, 1976): a
hue, and before it what its lightness and strength are like, as in "dark greyish blue". The axes are those of OKLCh, in
which equal steps look equal. The nearest of a list was tried: CSS's 140 names and 230 of a survey have such gaps among
the muted colours of photographs that a brown is called grey, and a grey turquoise.
"""

import math
from dataclasses import dataclass
from typing import Final

RGB = tuple[int, int, int]

_BLACK: Final = "#000000"
_WHITE: Final = "#ffffff"

_GREYS: Final = ((0.21, "black"), (0.45, "dark grey"), (0.72, "grey"), (0.955, "light grey"), (math.inf, "white"))
"""Lightness up to which a colour without hue has the name."""
_WITHOUT_HUE: Final = 0.02
_GREYISH: Final = 0.055
_VIVID: Final = 0.2
_DARK: Final = 0.4
_LIGHT: Final = 0.82


@dataclass(frozen=True)
class _Hue:
    """Up to `limit` degrees: the name, and the one that it has below the lightness of `deep_below`."""

    limit: float
    name: str
    deep_below: float = 0.0
    deep_name: str = ""
    pale_name: str = ""
    """What it is called where it is light and weak."""


_HUES: Final = (
    _Hue(12, "pink", 0.6, "crimson"),
    _Hue(37, "red", pale_name="pink"),
    _Hue(82, "orange", 0.66, "brown", "beige"),
    _Hue(116, "yellow", 0.7, "olive", "beige"),
    _Hue(134, "yellow green", 0.66, "olive green"),
    _Hue(166, "green"),
    _Hue(212, "turquoise", 0.65, "teal"),
    _Hue(242, "sky blue", 0.55, "blue"),
    _Hue(284, "blue"),
    _Hue(308, "violet"),
    _Hue(340, "purple"),
    _Hue(360, "pink", 0.6, "crimson"),
)
_PALE: Final = (0.66, 0.1)
"""A lightness above, and a strength below which a hue has its pale name."""


def name_of(colour: RGB) -> str:
    """Name a colour in plain words: "light blue", "greyish olive green", "vivid red"."""
    lightness, strength, degrees = oklch(colour)
    if strength < _WITHOUT_HUE or lightness <= _GREYS[0][0]:
        return next(name for limit, name in _GREYS if lightness <= limit)
    hue = next(hue for hue in _HUES if degrees <= hue.limit)
    is_pale = bool(hue.pale_name) and lightness > _PALE[0] and strength < _PALE[1]
    name = hue.pale_name if is_pale else hue.deep_name if lightness < hue.deep_below else hue.name
    words = (_of_lightness(lightness, name), _of_strength(strength, is_pale=is_pale))
    before = "bright" if words == ("light", "vivid") else " ".join(word for word in words if word)
    return f"{before} {name}".strip()


def _of_lightness(lightness: float, name: str) -> str:
    if lightness < _DARK:
        return "dark"
    # Yellow is light by nature.
    return "light" if lightness > _LIGHT and not name.startswith("yellow") else ""


def _of_strength(strength: float, *, is_pale: bool) -> str:
    if strength > _VIVID:
        return "vivid"
    return "greyish" if strength < _GREYISH and not is_pale else ""


def text_on(colour: RGB) -> tuple[str, float]:
    """Say whether black or white text is read better on a colour, and with what contrast, from 4.58 to 21.

    The ratio is that of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio): 4.5 is enough for small text, and
    the better of the two always has it.
    """
    luminance = _luminance(colour)
    on_black, on_white = (luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)
    return (_BLACK, round(on_black, 2)) if on_black >= on_white else (_WHITE, round(on_white, 2))


def _luminance(colour: RGB) -> float:
    """Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (linear(value) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: int) -> float:
    """Undo sRGB's gamma (IEC 61966-2-1): 0 to 255 becomes light, 0.0 to 1.0."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - the standard's


def encoded(light: float) -> float:
    """Do sRGB's gamma: light, 0.0 to 1.0, becomes a share of white, 0.0 to 1.0."""
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055  # noqa: PLR2004 - the standard's


def oklch(colour: RGB) -> tuple[float, float, float]:
    """Lightness, 0 to 1, strength, 0 to about 0.33, hue in degrees: https://bottosson.github.io/posts/oklab/."""
    red, green, blue = (linear(value) for value in colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    red_green = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    yellow_blue = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(red_green, yellow_blue), math.degrees(math.atan2(yellow_blue, red_green)) % 360
