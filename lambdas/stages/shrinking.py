"""Making images smaller: the decoder's own scaling first, then averages of k by k pixels.

Must not filter large images: one LANCZOS step to the same size costs four times the decoding of the whole original.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil

from PIL import Image, JpegImagePlugin

_DCT_SCALES = (Fraction(1, 8), Fraction(1, 4), Fraction(3, 8), Fraction(1, 2))
"""What libjpeg-turbo makes of a scale of 1/8, 1/4, 1/3 and 1/2: whole eighths."""
_THREE_EIGHTHS = Fraction(3, 8)
_ASKED_AS = 3
"""libjpeg-turbo rounds one third up to three eighths (jdmaster.c, jpeg_core_output_dimensions)."""

_PART_PIXELS = 1_000_000


def draft(image: Image.Image, long_side: int, mode: str = "RGB") -> None:
    """Let a JPEG be decoded at 1/2, 3/8, 1/4 or 1/8, its long side still at least `long_side`; no other format can.

    libjpeg leaves out the high frequencies of the 8 by 8 blocks: less work, and no aliasing.
    """
    longest = max(image.size)
    scale = next((s for s in _DCT_SCALES if int(longest * s) >= long_side), Fraction(1))
    if scale == _THREE_EIGHTHS:
        _draft_three_eighths(image, mode)
    else:
        image.draft(mode, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))


def _draft_three_eighths(image: Image.Image, mode: str) -> None:
    """Ask for the scale that Pillow's own `draft` does not offer, by setting what that sets.

    Without it, images of 2,048 to 3,071 pixels would be decoded at a half: 1.8 times the pixels for all that follows.
    The size has to be exactly libjpeg's, which rounds up: the decoder writes rows of that length.
    """
    image.draft(mode, image.size)
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or len(image.tile) != 1:
        return
    size = (ceil(image.width * _THREE_EIGHTHS), ceil(image.height * _THREE_EIGHTHS))
    image._size = size
    image.tile = [image.tile[0]._replace(extents=(0, 0, *size))]
    image.decoderconfig = (_ASKED_AS, 0)


def reduce(image: Image.Image, long_side: int) -> Image.Image:
    """Average whole squares of pixels; the long side of the result is at least `long_side` and less than twice it.

    An image that is smaller already is returned itself.
    """
    factor = max(image.size) // long_side
    return image.reduce(factor) if factor > 1 else image


def reduce_in_parts(image: Image.Image, long_side: int, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Do as `reduce` to what `convert` makes of the image, by bands of some rows.

    The whole, converted, would take up to 4 bytes a pixel more, 200 MB for 50 megapixels.
    """
    factor = max(image.size) // long_side
    if factor <= 1:
        return convert(image)
    rows = factor * max(1, _PART_PIXELS // (image.width * factor))
    bands = [(top, min(top + rows, image.height)) for top in range(0, image.height, rows)]
    parts = (convert(image.crop((0, top, image.width, bottom))).reduce(factor) for top, bottom in bands)
    return _stacked(parts, (ceil(image.width / factor), ceil(image.height / factor)))


def _stacked(parts: Iterable[Image.Image], size: tuple[int, int]) -> Image.Image:
    """Put parts of full width below one another."""
    whole: Image.Image | None = None
    top = 0
    for part in parts:
        whole = whole or Image.new(part.mode, size)
        whole.paste(part, (0, top))
        top += part.height
    if whole is None:
        raise ValueError("an image without rows has no parts")
    return whole
