"""How noisy an image is, measured at its native size: in any smaller copy noise is averaged away.

The mask is that of Immerkaer, Fast noise variance estimation (1996): it answers to noise and hardly to edges that are
straight. By tiles, and from the flattest of them, so that a picture full of detail is not called noisy.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from PIL import Image, ImageFilter

_MASK: Final = ImageFilter.Kernel((3, 3), (1, -2, 1, -2, 4, -2, 1, -2, 1), scale=2, offset=128)
"""Halved, so that strong noise keeps within a byte; its own deviation is 6 / 2 = 3 times that of the noise."""
_GAIN: Final = 3.0
TILE: Final = 64
"""Pixels of a tile's side."""
_TILES_ACROSS: Final = 8
"""So 64 tiles of 4,096 pixels: a third of a megapixel, whatever the image has."""
_FLATTEST: Final = 0.1
_TONES: Final = (8, 247)
"""Tiles that are nearly black or white have lost their noise to clipping."""
DIGITS: Final = 2

Box = tuple[int, int, int, int]


def estimate(image: Image.Image, to_luma: Callable[[Image.Image], Image.Image] = lambda tile: tile) -> float | None:
    """Estimate the standard deviation of an image's noise, in levels of 0 to 255 of luma, from native pixels.

    `to_luma` turns a tile into mode L. None when there is no tile to measure: the image is smaller than one, or all of
    it is black or white.
    """
    sigmas = sorted(sigma for box in tiles(image.size) if (sigma := _sigma(to_luma(image.crop(box)))) is not None)
    return round(sigmas[int(len(sigmas) * _FLATTEST)], DIGITS) if sigmas else None


def tiles(size: tuple[int, int]) -> Iterator[Box]:
    """Place tiles evenly over an image of this size; fewer when it has no room for all of them."""
    for top in _places(size[1]):
        for left in _places(size[0]):
            yield left, top, left + TILE, top + TILE


def _places(length: int) -> Sequence[int]:
    number = min(_TILES_ACROSS, length // TILE)
    if number <= 1:
        return [(length - TILE) // 2] if number else []
    return [round(i * (length - TILE) / (number - 1)) for i in range(number)]


def _sigma(tile: Image.Image) -> float | None:
    """Deviation of the noise in one tile, by the mean of what the mask answers: E|N(0, s)| = s * sqrt(2 / pi)."""
    darkest, lightest = tile.getextrema()
    if lightest <= _TONES[0] or darkest >= _TONES[1]:  # type: ignore[operator]  # one band, so two numbers
        return None
    # Pillow copies the outermost pixels unfiltered.
    histogram = tile.filter(_MASK).crop((1, 1, TILE - 1, TILE - 1)).histogram()
    mean = sum(count * abs(value - 128) for value, count in enumerate(histogram)) / sum(histogram)
    return mean * math.sqrt(math.pi / 2) / _GAIN
