"""Hashes that stay nearly the same when an image is resized or recompressed. Compare them by counting differing bits.

The bits are those of the imagehash library (phash, dhash, average_hash of size 8), so that hashes can be compared with
those that others keep. Must not import numpy or SciPy: they cost more at a cold start than all of this.
"""

import math
from collections.abc import Iterable, Sequence
from operator import mul
from statistics import median

from PIL import Image

_SIDE = 8
_DCT_SIDE = 32
_COSINES = [
    [math.cos(math.pi * frequency * (2 * position + 1) / (2 * _DCT_SIDE)) for position in range(_DCT_SIDE)]
    for frequency in range(_SIDE)
]
"""The lowest eight rows of a type-II DCT of 32 values: https://en.wikipedia.org/wiki/Discrete_cosine_transform#DCT-II"""


def perceptual_hash(grey: Image.Image) -> str:
    """pHash: which of the 64 lowest spatial frequencies are above their median, as 16 hexadecimal digits."""
    pixels = _pixels(grey, _DCT_SIDE, _DCT_SIDE)
    rows = [pixels[i : i + _DCT_SIDE] for i in range(0, len(pixels), _DCT_SIDE)]
    across = [[_dot(cosines, row) for row in rows] for cosines in _COSINES]
    # Rounded, so that the noise of the sums decides nothing where a flat or regular image has no strength at all.
    low = [round(_dot(cosines, column), 6) for cosines in _COSINES for column in across]
    middle = median(low)
    return _hex(value > middle for value in low)


def difference_hash(grey: Image.Image) -> str:
    """dHash: where brightness grows from left to right, on 9 by 8 pixels, as 16 hexadecimal digits."""
    pixels = _pixels(grey, _SIDE + 1, _SIDE)
    return _hex(
        pixels[row * (_SIDE + 1) + column + 1] > pixels[row * (_SIDE + 1) + column]
        for row in range(_SIDE)
        for column in range(_SIDE)
    )


def average_hash(grey: Image.Image) -> str:
    """aHash: which of 8 by 8 pixels are brighter than their mean, as 16 hexadecimal digits."""
    pixels = _pixels(grey, _SIDE, _SIDE)
    mean = sum(pixels) / len(pixels)
    return _hex(value > mean for value in pixels)


def distance(one: str, other: str) -> int:
    """Count the differing bits of two hashes, 0 to 64."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _pixels(grey: Image.Image, width: int, height: int) -> bytes:
    return grey.resize((width, height), Image.Resampling.LANCZOS).tobytes()


def _dot(cosines: Sequence[float], values: Sequence[float]) -> float:
    total: float = sum(map(mul, cosines, values))
    return total


def _hex(bits: Iterable[bool]) -> str:
    """Write bits, the first the highest, as hexadecimal digits."""
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return f"{value:016x}"
