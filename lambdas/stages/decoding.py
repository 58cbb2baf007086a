"""From the bytes of an upload to a small, upright sRGB image, without believing anything that the bytes say.

The order is the protection: length, format by content, structure, header, and only then pixels. Must not write files.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO

from PIL import Image, PngImagePlugin

from lambdas.jobs.errors import InvalidImage, JobError
from lambdas.stages import shrinking
from lambdas.stages.colour import averageable_parts, flattened, is_averageable, luma
from lambdas.stages.containment import TOO_MUCH_MEMORY
from lambdas.stages.exif import Exif
from lambdas.stages.file_structure import ENDS_EARLY, TOO_MANY_FRAMES, coefficient_bytes, count_frames
from lambdas.stages.image_formats import AVIF, JPEG, PNG, TIFF, WEBP, ImageFormat, recognise
from lambdas.stages.image_limits import (
    MAX_BYTES,
    MAX_COPIED_PIXELS,
    MAX_FRAMES,
    MAX_NATIVE_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    MAX_TEXT_BYTES,
    MAX_WHOLE_PIXELS,
    WORKING_SIDE_MIN,
)
from lambdas.stages.jpeg_rows import upper_rows
from lambdas.stages.noise import TILE, Noise

_DAMAGED = (
    "The image data is damaged and cannot be decoded. Open the file in an image editor, save it as a new JPEG or PNG, "
    "and upload that."
)
_INFLATED = (
    "The file holds compressed text or a profile that unpacks to far more than an image needs. "
    "Save the image without its metadata and upload that."
)
_TOO_MANY_PIXELS = (
    f"The image has too many pixels: Darkroom takes JPEGs of up to {MAX_PIXELS // 1_000_000} megapixels, WebP and AVIF "
    f"images of up to {MAX_COPIED_PIXELS // 1_000_000}, and other formats of up to {MAX_WHOLE_PIXELS // 1_000_000}. "
    "Shrink it, or save it as JPEG, and upload that."
)
_MOST_PIXELS = {JPEG: MAX_PIXELS, WEBP: MAX_COPIED_PIXELS, AVIF: MAX_COPIED_PIXELS}
_SIGNS_OF_END = ("truncated", "not enough", "premature", "unexpected end", "end of file", "buffer is not large enough")

# Pillow warns above this, also of tiles and frames inside a file; `decoding_foreign_bytes` makes an error of it.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES


class Upload:
    """An uploaded image whose header has passed; its pixels are decoded when `shrunk` is called."""

    def __init__(self, content: bytes) -> None:
        """Raises InvalidImage when the bytes are none, too many, no image, or an image beyond the limits."""
        _check_length(content)
        self.content = content
        self.format = recognise(content)
        frames = count_frames(content, self.format)
        with decoding_foreign_bytes():
            self.image = _open(content, self.format)
            self.frames = frames or int(getattr(self.image, "n_frames", 1))
        _check_header(self.image.size, self.frames, self.format)

    def read_exif(self) -> Exif:
        """Read what the file says about itself; to be called before `shrunk`, which uses up a TIFF's orientation."""
        with decoding_foreign_bytes():
            if self.format is PNG:
                # Its EXIF chunk may stand behind the pixels; PNG has no smaller scale to lose by decoding now.
                self.image.load()
            return Exif(self.image)

    def noise(self) -> float | None:
        """Estimate the noise (`Noise.sigma`) from native pixels; None where they are not a sensor's but a drawing's.

        Of a JPEG, luma alone is decoded, and the upper eighth of it where that is enough to judge by: the whole would
        cost as much again as all else. Raises InvalidImage when the data is damaged or ends early.
        """
        with decoding_foreign_bytes():
            if self.format is JPEG:
                return self._noise_of_jpeg()
            self.image.load()
            return None if self.image.mode in _NOT_OF_A_SENSOR else Noise(self.image, luma).sigma

    def _noise_of_jpeg(self) -> float | None:
        upper = Noise(self._luma(max(_LEAST_ROWS, self.image.height // 8)), luma)
        # Of four inks luma cannot be decoded alone: the whole would take four bytes a pixel.
        if upper.is_enough or self.image.height <= _LEAST_ROWS or self.image.mode == "CMYK":
            return upper.sigma
        return Noise(self._luma(self.image.height), luma).sigma

    def _luma(self, rows: int) -> Image.Image:
        """Decode the upper rows of a JPEG at native size, in grey where that is what the file has."""
        upper = _open(upper_rows(self.content, rows), self.format)
        upper.draft("L", upper.size)
        upper.load()
        return upper

    def native(self) -> Image.Image | None:
        """Decode the first frame at its native size, in luma alone if it is a JPEG; None if that takes too much memory.

        A JPEG that would take too much (progressive, or of four inks) is decoded at a half, a quarter or an eighth.
        What comes is `MAX_NATIVE_BYTES` at most, the file included. Raises InvalidImage when the data is damaged.
        """
        with decoding_foreign_bytes():
            room = MAX_NATIVE_BYTES - len(self.content)
            if self.format is JPEG:
                room -= coefficient_bytes(self.content)
                return self._native_jpeg(room)
            if self.image.width * self.image.height * _pixel_bytes(self.image, self.format) > room:
                return None
            self.image.load()
            return self.image

    def _native_jpeg(self, room: int) -> Image.Image | None:
        width, height = self.image.size
        # Of four inks luma cannot be decoded alone.
        pixel_bytes = 4 if self.image.mode == "CMYK" else 1
        scale = next((s for s in _JPEG_SCALES if (width // s) * (height // s) * pixel_bytes <= room), None)
        if scale is None:
            return None
        image = _open(self.content, self.format)
        image.draft("L", (max(1, width // scale), max(1, height // scale)))
        image.load()
        return image

    def shrunk(self) -> Image.Image:
        """Decode the first frame, no larger than the working copy needs: L, RGB, CMYK or LAB, with alpha laid on white.

        Raises InvalidImage when the data is damaged or ends early.
        """
        with decoding_foreign_bytes():
            shrinking.draft(self.image, WORKING_SIDE_MIN)
            self.image.load()
            if is_averageable(self.image):
                return shrinking.reduce(self.image, WORKING_SIDE_MIN)
            return flattened(shrinking.reduce_in_parts(self.image, WORKING_SIDE_MIN, averageable_parts(self.image)))


@contextmanager
def decoding_foreign_bytes() -> Iterator[None]:
    """Turn whatever a decoder raises into InvalidImage: with foreign bytes it is the bytes that are at fault.

    Keep in it only what touches the foreign image, so that our own faults stay ours.
    """
    try:
        with warnings.catch_warnings():
            # Pillow's other warnings are about metadata that it leaves out; the picture is not worse for it.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except JobError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InvalidImage(_TOO_MANY_PIXELS) from None
    except Exception as error:  # decoders raise everything from struct.error to RecursionError
        raise InvalidImage(_sentence(error)) from error


_LEAST_ROWS = 4 * TILE
"""Below this, the rows saved are not worth the second look that they may cost."""
_NOT_OF_A_SENSOR = frozenset({"1", "P", "PA", "I", "F"})
"""Dithered, drawn, or without a known range of values: what looks like noise there is none."""


_ORIENTATION = 274
"""The tag's number (TIFF 6.0, page 36)."""
_JPEG_SCALES = (1, 2, 4, 8)
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
"""As Pillow keeps an image; 4 in every other mode."""
_COPIES = {WEBP: 16, AVIF: 13}
"""Bytes a pixel while one of these is decoded, measured: see MAX_COPIED_PIXELS."""


def _pixel_bytes(image: Image.Image, image_format: ImageFormat) -> int:
    one = _COPIES.get(image_format) or _BYTES_PER_PIXEL.get(image.mode, 4)
    # Pillow turns TIFFs upright by itself, into a second image.
    turned = image_format is TIFF and getattr(image, "tag_v2", {}).get(_ORIENTATION, 1) != 1
    return 2 * one if turned else one


def _open(content: bytes, image_format: ImageFormat) -> Image.Image:
    # Pillow would import all forty-odd plugins to find one that is not loaded yet.
    import_module(image_format.module)
    return Image.open(BytesIO(content), formats=[image_format.name])


def _check_length(content: bytes) -> None:
    if not content:
        raise InvalidImage("The file is empty. Check that the upload has finished and upload it again.")
    if len(content) > MAX_BYTES:
        raise InvalidImage(
            f"The file has {len(content):,} bytes; Darkroom takes up to {MAX_BYTES:,}. "
            "Save it smaller, or as JPEG, and upload that."
        )


def _check_header(size: tuple[int, int], frames: int, image_format: ImageFormat) -> None:
    width, height = size
    if min(size) < 1:
        raise InvalidImage("The image has a width or height of 0 in its header. Save it anew and upload that.")
    if max(size) > MAX_SIDE:
        raise InvalidImage(
            f"The image is {width:,} by {height:,} pixels; Darkroom takes sides of up to {MAX_SIDE:,}. "
            "Crop or shrink it and upload that."
        )
    if width * height > _MOST_PIXELS.get(image_format, MAX_WHOLE_PIXELS):
        raise InvalidImage(_TOO_MANY_PIXELS)
    if frames > MAX_FRAMES:
        raise InvalidImage(TOO_MANY_FRAMES)


def _sentence(error: Exception) -> str:
    words = str(error).lower()
    if isinstance(error, EOFError) or any(sign in words for sign in _SIGNS_OF_END):
        return ENDS_EARLY
    # Libraries say in words, and Pillow by a number, that they were given no more (ImageFile.ERRORS: -9).
    if isinstance(error, MemoryError) or "memory error" in words or "out of memory" in words:
        return TOO_MUCH_MEMORY
    if "too large" in words or "max_text_memory" in words:
        return _INFLATED
    return _DAMAGED


def upright(image: Image.Image, orientation: int, image_format: ImageFormat) -> Image.Image:
    """Turn an image for display by its EXIF orientation. Pillow has already turned TIFFs while it decoded them."""
    method = None if image_format is TIFF else _TRANSPOSITIONS.get(orientation)
    return image if method is None else image.transpose(method)


def displayed_size(size: tuple[int, int], orientation: int, image_format: ImageFormat) -> tuple[int, int]:
    """Width and height as displayed: orientations 5 to 8 lie on their side."""
    width, height = size
    on_its_side = orientation >= 5 and image_format is not TIFF  # noqa: PLR2004 - see the docstring
    return (height, width) if on_its_side else (width, height)


_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
