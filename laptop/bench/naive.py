"""The peer: the same answers in the way that comes to mind first. Every function decodes the original, all of it.

Plain Pillow and zxing-cpp, at the size of the original wherever that is the first thing to write. It has no
colorthief, no OpenCV and no imagehash, which would make it slower still. Nothing but the bench uses it.
"""

import hashlib
import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import zxingcpp
from PIL import Image, ImageFilter, ImageOps, ImageStat

from lambdas.stages.blurhash import encode
from lambdas.stages.perceptual_hash import average_hash, difference_hash, perceptual_hash

_LAPLACIAN: Final = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_PREVIEW, _THUMBNAIL, _BLURHASH = 1024, 256, 32


def _opened(content: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def inspect(content: bytes) -> Any:
    """Size, format, checksum and EXIF."""
    image = _opened(content)
    return image.size, hashlib.sha256(content).hexdigest(), dict(image.getexif())


def palette(content: bytes) -> Any:
    """Six colours by median cut, the mean and the histogram, of all pixels."""
    image = _opened(content)
    return image.quantize(6).getpalette(), ImageStat.Stat(image).mean, image.histogram()


def quality(content: bytes) -> Any:
    """Sharpness as the variance of the Laplacian, brightness and contrast, of all pixels."""
    grey = _opened(content).convert("L")
    statistics = ImageStat.Stat(grey)
    return ImageStat.Stat(grey.filter(_LAPLACIAN)).var, statistics.mean, math.sqrt(statistics.var[0])


def fingerprint(content: bytes) -> Any:
    """The three hashes of the grey original, and a blurhash."""
    image = _opened(content)
    grey = image.convert("L")
    small = image.resize((_BLURHASH, _BLURHASH), Image.Resampling.LANCZOS)
    return perceptual_hash(grey), difference_hash(grey), average_hash(grey), encode(small, 4, 3)


def codes(content: bytes) -> Any:
    """Codes, looked for with the library's own settings."""
    return zxingcpp.read_barcodes(_opened(content))


def report(content: bytes) -> Any:
    """Preview and thumbnail, each from the original."""
    pictures = []
    for side in (_PREVIEW, _THUMBNAIL):
        image = _opened(content)
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        pictures.append(buffer.getvalue())
    return pictures


STAGES: Final[Mapping[str, Callable[[bytes], Any]]] = {
    work.__name__: work for work in (inspect, palette, quality, fingerprint, codes, report)
}


def run_all(content: bytes) -> None:
    """Do everything that the naive design does for one image."""
    for work in STAGES.values():
        work(content)
