"""Names for colours, and the colour of text that can be read on them. Standard library only, but for the names' values.

The names are those of CSS (https://www.w3.org/TR/css-color-4/#named-colors), which people who work with pictures know.
"""

import math
from functools import cache
from typing import Final

from PIL import ImageColor

RGB = tuple[int, int, int]

NAMES: Final = (
    *("black", "dim gray", "gray", "dark gray", "silver", "light gray", "gainsboro", "white smoke", "white", "snow"),
    *("ghost white", "ivory", "mint cream", "azure", "alice blue", "honeydew", "floral white", "seashell", "old lace"),
    *("linen", "beige", "cornsilk", "lemon chiffon", "light yellow", "light goldenrod yellow", "papaya whip"),
    *("blanched almond", "bisque", "moccasin", "navajo white", "peach puff", "misty rose", "lavender blush"),
    *("lavender", "antique white", "wheat", "burlywood", "tan", "khaki", "pale goldenrod", "dark khaki", "rosy brown"),
    *("sandy brown", "goldenrod", "dark goldenrod", "peru", "chocolate", "saddle brown", "sienna", "brown", "maroon"),
    *("dark red", "firebrick", "indian red", "red", "crimson", "tomato", "coral", "light coral", "salmon"),
    *("dark salmon", "light salmon", "orange red", "dark orange", "orange", "gold", "yellow", "olive", "olive drab"),
    *("yellow green", "green yellow", "chartreuse", "lawn green", "lime", "lime green", "pale green", "light green"),
    *("medium spring green", "spring green", "medium sea green", "sea green", "forest green", "green", "dark green"),
    *("dark olive green", "dark sea green", "medium aquamarine", "aquamarine", "turquoise", "medium turquoise"),
    *("light sea green", "dark turquoise", "dark cyan", "teal", "dark slate gray", "cadet blue", "pale turquoise"),
    *("light cyan", "cyan", "powder blue", "light blue", "light sky blue", "sky blue", "deep sky blue", "steel blue"),
    *("light steel blue", "light slate gray", "slate gray", "dodger blue", "cornflower blue", "royal blue", "blue"),
    *("medium blue", "dark blue", "navy", "midnight blue", "slate blue", "dark slate blue", "medium slate blue"),
    *("medium purple", "rebecca purple", "blue violet", "indigo", "dark orchid", "dark violet", "medium orchid"),
    *("orchid", "violet", "plum", "thistle", "magenta", "dark magenta", "purple", "medium violet red", "deep pink"),
    *("hot pink", "light pink", "pink", "pale violet red"),
)
_BLACK: Final = "#000000"
_WHITE: Final = "#ffffff"


def name_of(colour: RGB) -> str:
    """Name the CSS colour that looks most alike: nearest in OKLab."""
    own = _oklab(colour)
    return min(NAMES, key=lambda name: math.dist(own, _named()[name]))


def text_on(colour: RGB) -> tuple[str, float]:
    """Say whether black or white text is read better on a colour, and with what contrast, from 4.5 to 21.

    The ratio is that of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio): 4.5 is enough for small text, and
    the better of the two always has it.
    """
    luminance = _luminance(colour)
    on_black, on_white = (luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)
    return (_BLACK, round(on_black, 2)) if on_black >= on_white else (_WHITE, round(on_white, 2))


@cache
def _named() -> dict[str, tuple[float, float, float]]:
    return {name: _oklab(ImageColor.getrgb(name.replace(" ", ""))[:3]) for name in NAMES}


def _luminance(colour: RGB) -> float:
    red, green, blue = (linear(value) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: int) -> float:
    """Undo sRGB's gamma (IEC 61966-2-1): 0 to 255 becomes light, 0.0 to 1.0."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - the standard's


def _oklab(colour: RGB) -> tuple[float, float, float]:
    """Lightness and two colour axes in which equal steps look equal: https://bottosson.github.io/posts/oklab/."""
    red, green, blue = (linear(value) for value in colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
