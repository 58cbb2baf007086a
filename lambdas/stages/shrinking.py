"""Making images smaller: the decoder's own scaling first, then averages of k by k pixels, then, if need be, a filter.

Must not filter large images: one LANCZOS step to the same size costs four times the decoding of the whole original.
"""

from PIL import Image

_DCT_SCALES = (8, 4, 2)


def draft(image: Image.Image, long_side: int, mode: str = "RGB") -> None:
    """Let a JPEG be decoded at 1/2, 1/4 or 1/8, its long side still at least `long_side`; no other format can.

    libjpeg leaves out the high frequencies of the 8 by 8 blocks: less work, and no aliasing.
    """
    scale = next((s for s in _DCT_SCALES if max(image.size) // s >= long_side), 1)
    image.draft(mode, (max(1, image.width // scale), max(1, image.height // scale)))


def reduce(image: Image.Image, long_side: int) -> Image.Image:
    """Average whole squares of pixels; the long side of the result is at least `long_side` and less than twice it.

    An image that is smaller already is returned itself.
    """
    factor = max(image.size) // long_side
    return image.reduce(factor) if factor > 1 else image


def fit(image: Image.Image, long_side: int) -> Image.Image:
    """Filter an image down to a long side of exactly `long_side`; one that is smaller already is returned itself.

    From less than twice the size this costs a few milliseconds, and everything after it works on fewer pixels.
    """
    if max(image.size) <= long_side:
        return image
    scale = long_side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.HAMMING)
