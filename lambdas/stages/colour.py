"""From every mode and profile that files come in to plain 8-bit sRGB. Must not change an image's size."""

import io
import math
from collections.abc import Callable

from PIL import Image, ImageCms

from lambdas.jobs.errors import InvalidImage
from lambdas.stages.image_limits import MAX_PROFILE_BYTES
from lambdas.stages.plain_text import clean

_DESCRIPTION_LENGTH = 80
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
"""What a profile must describe to be of use for an image of the mode."""
_PLAIN = {"P": "RGB", "1": "L", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}


class Profile:
    """An ICC profile as embedded in an image; a broken or oversized one counts as none."""

    def __init__(self, content: object) -> None:
        self.description: str | None = None
        self._profile: ImageCms.ImageCmsProfile | None = None
        # A TIFF's tag may claim to be a number.
        if not isinstance(content, bytes) or not 0 < len(content) <= MAX_PROFILE_BYTES:
            return
        try:
            self._profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
            self.description = clean(ImageCms.getProfileDescription(self._profile), _DESCRIPTION_LENGTH) or "unnamed"
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            self._profile = None

    def convert(self, image: Image.Image) -> Image.Image:
        """Convert to sRGB; without a profile that fits, by the mode's ordinary meaning."""
        if self._profile and self._fits(image) and not self._is_srgb():
            try:
                return _transform(image, self._profile)
            except ImageCms.PyCMSError:
                # A profile that opens but cannot be applied, as mutated ones do: the pixels are still worth showing.
                pass
        if image.mode == "LAB":
            return _transform(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
        return image.convert("RGB")

    def _fits(self, image: Image.Image) -> bool:
        return self._profile is not None and self._profile.profile.xcolor_space.strip() == _SPACES.get(image.mode)

    def _is_srgb(self) -> bool:
        # The profile of most images by far; applying it would cost as much as decoding and change nothing.
        return (self.description or "").startswith("sRGB")


def _transform(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
    if converted is None:
        raise ImageCms.PyCMSError("no image came back")
    return converted


def is_averageable(image: Image.Image) -> bool:
    """Tell whether neighbouring pixels may be averaged as they are, at no cost of memory.

    Those with alpha may as well, but Pillow makes a copy of them first, weighted by it.
    """
    return image.mode in _SPACES and "transparency" not in image.info


def averageable_parts(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Give what converts a part of this image to a mode whose neighbouring pixels may be averaged.

    For 32-bit images the lowest value of the whole becomes black and the highest white: they do not say what their
    values mean. Raises InvalidImage when a value is not finite.
    """
    if image.mode not in {"I", "F"}:
        return averageable
    scale, offset = _stretch(image)
    return lambda part: _scaled(part, scale, offset)


def averageable(image: Image.Image) -> Image.Image:
    """Convert any image but one of 32 bits: no palette, no bilevel, no more than 8 bits."""
    if image.mode.startswith("I;16"):
        return _scaled(image if image.mode == "I;16" else image.convert("I"), 1 / 256, 0.0)
    if image.mode == "PA" or (image.mode in {"P", "RGB"} and "transparency" in image.info):
        return image.convert("RGBA")
    if image.mode in {"L", "1"} and "transparency" in image.info:
        return image.convert("LA")
    return image.convert(_PLAIN[image.mode]) if image.mode in _PLAIN else image


def _stretch(image: Image.Image) -> tuple[float, float]:
    """Scale and offset by which the lowest value becomes 0 and the highest 255."""
    low, high = (float(bound) for bound in image.getextrema())  # type: ignore[arg-type]  # one band, so two numbers
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InvalidImage("The image has pixels without a finite value. Save it with 8 or 16 bits and upload that.")
    scale = 255 / (high - low) if high > low else 0.0
    return scale, -low * scale


def _scaled(image: Image.Image, scale: float, offset: float) -> Image.Image:
    # Pillow reads scale and offset off the expression and applies them in C.
    return image.point(lambda value: value * scale + offset).convert("L")


def flattened(image: Image.Image) -> Image.Image:
    """Lay an image with transparency on white, as a page would show it."""
    if image.mode not in {"LA", "RGBA"}:
        return image
    opaque = image.mode.removesuffix("A")
    page = Image.new(opaque, image.size, "white")
    page.paste(image.convert(opaque), mask=image.getchannel("A"))
    return page


def has_alpha(image: Image.Image) -> bool:
    """Tell whether the file can say that a pixel is transparent."""
    return image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info


def luma(image: Image.Image) -> Image.Image:
    """Take the brightness of an image of any mode but those of 32 bits, as ITU-R BT.601 weighs it, or as LAB has it."""
    plain = averageable(image)
    return plain.getchannel("L") if plain.mode == "LAB" else plain.convert("L")
