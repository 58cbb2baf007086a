"""How noisy an image is, measured at its native size: in any smaller copy noise is averaged away.

The mask is that of Immerkaer, Fast noise variance estimation (1996): it answers to noise and hardly to edges that are
straight. By tiles, and from the flattest of them, so that a picture full of detail is not called noisy.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from operator import mul
from typing import Final

from PIL import Image, ImageFilter

_MASK: Final = ImageFilter.Kernel((3, 3), (1, -2, 1, -2, 4, -2, 1, -2, 1), scale=2, offset=128)
"""Halved, so that strong noise keeps within a byte; its own deviation is 6 / 2 = 3 times that of the noise."""
_GAIN: Final = 3.0
_DISTANCES: Final = [abs(value - 128) for value in range(256)]
TILE: Final = 64
"""Pixels of a tile's side."""
_TILES_ACROSS: Final = 6
"""And as many down, where there is room: 36 tiles of 4,096 pixels, whatever the image has."""
_FLATTEST: Final = 0.1
_TONES: Final = (3, 252)
_CLIPPED: Final = 0.02
"""A tile with more than this share of its pixels outside of the tones has lost noise to clipping."""
_ENOUGH: Final = 12
"""Tiles, a third of them all, that are needed before those which were looked at may stand for the whole image."""
_DIGITS: Final = 2

Box = tuple[int, int, int, int]


class Noise:
    """What the tiles of an image, or of a part of it, say about its noise."""

    def __init__(self, image: Image.Image, to_luma: Callable[[Image.Image], Image.Image] = lambda tile: tile) -> None:
        """Measure native pixels; `to_luma` turns a tile into mode L."""
        sigmas = (_sigma(to_luma(image.crop(box))) for box in tiles(image.size))
        self._sigmas = sorted(sigma for sigma in sigmas if sigma is not None)

    @property
    def is_enough(self) -> bool:
        """Whether there are so many usable tiles that more would hardly change the answer."""
        return len(self._sigmas) >= _ENOUGH

    @property
    def sigma(self) -> float | None:
        """Standard deviation of the noise in levels of luma, 0 to 255; None when no tile could be measured.

        That is so when the image is smaller than a tile, or all of it is black or white.
        """
        return round(self._sigmas[int(len(self._sigmas) * _FLATTEST)], _DIGITS) if self._sigmas else None


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
    tones = tile.histogram()
    if sum(tones[: _TONES[0]]) + sum(tones[_TONES[1] + 1 :]) > _CLIPPED * TILE * TILE:
        return None
    # Pillow copies the outermost pixels unfiltered.
    histogram = tile.filter(_MASK).crop((1, 1, TILE - 1, TILE - 1)).histogram()
    mean: float = sum(map(mul, histogram, _DISTANCES)) / sum(histogram)
    return mean * math.sqrt(math.pi / 2) / _GAIN
