"""How the tones of a picture are spread, and how strong its edges are: what several stages measure in the same way.

A histogram has 256 counts, of luma from black to white.
"""

import math
from collections.abc import Sequence
from operator import mul
from typing import Final

from PIL import Image, ImageFilter

HIGHLIGHT: Final = 250
SHADOW: Final = 5
"""Luma from 250 up and from 5 down: white and black to the eye, and what clipping leaves after JPEG's rounding."""
_LAPLACIAN: Final = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_SQUARES: Final = [(value - 128) ** 2 for value in range(256)]

Histogram = Sequence[int]


def mean(histogram: Histogram) -> float:
    """Average value."""
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)


def deviation(histogram: Histogram) -> float:
    """Standard deviation around the average value."""
    middle = mean(histogram)
    squares = sum(count * (value - middle) ** 2 for value, count in enumerate(histogram))
    return math.sqrt(squares / sum(histogram))


def share(part: Histogram, whole: Histogram) -> float:
    """How much of the whole is in a part of it, 0 to 1."""
    return sum(part) / sum(whole)


def clipping(histogram: Histogram) -> dict[str, float]:
    """Shares of the pixels that are white and black."""
    return {
        "highlights": round(share(histogram[HIGHLIGHT:], histogram), 4),
        "shadows": round(share(histogram[: SHADOW + 1], histogram), 4),
    }


def edges(luma: Image.Image) -> Image.Image:
    """Filter by the Laplacian, whose zero is 128; a pixel less on each side, where there is nothing to compare with."""
    width, height = luma.size
    # Pillow copies the outermost pixels unfiltered.
    return luma.filter(_LAPLACIAN).crop((1, 1, width - 1, height - 1))


def edge_strength(filtered: Image.Image) -> float:
    """Root mean square of what `edges` gives, or of a part of it, in grey levels.

    After Pertuz et al., Analysis of focus measure operators for shape-from-focus (2013), operator LAP.
    """
    histogram = filtered.histogram()
    return math.sqrt(sum(map(mul, histogram, _SQUARES)) / sum(histogram))
