"""A picture's blurred shape and colours in some thirty characters, to show while the picture loads.

Encodes as https://github.com/woltapp/blurhash/blob/master/Algorithm.md says. Must be given a small image: the cost is
pixels times components, in pure Python.
"""

import math
from collections.abc import Sequence
from operator import mul

from PIL import Image

from lambdas.stages.colour_names import linear

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

Colour = tuple[float, float, float]

_LINEAR = [linear(value) for value in range(256)]


def encode(image: Image.Image, across: int, down: int) -> str:
    """Encode an RGB image with `across` by `down` components (1 to 9 each)."""
    constant, *waves = _components(image, across, down)
    highest = max((abs(value) for wave in waves for value in wave), default=0.0)
    step = max(0, min(82, math.floor(highest * 166 - 0.5)))
    scale = (step + 1) / 166
    header = _base83(across - 1 + (down - 1) * 9, 1) + _base83(step if waves else 0, 1)
    return header + _base83(_constant_code(constant), 4) + "".join(_base83(_wave_code(w, scale), 2) for w in waves)


def _components(image: Image.Image, across: int, down: int) -> list[Colour]:
    """Strength of each cosine wave in linear light, row by row, the constant first.

    The waves are products of one along the rows and one along the columns, so rows are summed up once for all of them.
    """
    width, height = image.size
    horizontal, vertical = _waves(width, across), _waves(height, down)
    linear_pixels = [_LINEAR[value] for value in image.tobytes()]
    rows = [linear_pixels[start : start + width * 3] for start in range(0, len(linear_pixels), width * 3)]
    sums = [[[_dot(wave, row[channel::3]) for row in rows] for channel in range(3)] for wave in horizontal]
    components = []
    for j, wave in enumerate(vertical):
        for i, (red, green, blue) in enumerate(sums):
            norm = (2 if i or j else 1) / (width * height)
            components.append((_dot(wave, red) * norm, _dot(wave, green) * norm, _dot(wave, blue) * norm))
    return components


def _waves(length: int, number: int) -> list[list[float]]:
    return [[math.cos(math.pi * i * place / length) for place in range(length)] for i in range(number)]


def _dot(wave: Sequence[float], values: Sequence[float]) -> float:
    total: float = sum(map(mul, wave, values))
    return total


def _constant_code(colour: Colour) -> int:
    red, green, blue = (_to_srgb(value) for value in colour)
    return red << 16 | green << 8 | blue


def _wave_code(colour: Colour, scale: float) -> int:
    """Three values of 19 steps each, finer near zero."""
    code = 0
    for value in colour:
        share = value / scale
        root = math.copysign(math.sqrt(abs(share)), share)
        code = code * 19 + max(0, min(18, math.floor(root * 9 + 9.5)))
    return code


def _to_srgb(value: float) -> int:
    share = max(0.0, min(1.0, value))
    encoded = share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055  # noqa: PLR2004 - as above
    return int(encoded * 255 + 0.5)


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**power % 83] for power in range(length - 1, -1, -1))
