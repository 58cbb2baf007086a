"""Which formats Darkroom reads, told by the first bytes. Must not trust a file's name or declared type."""

import re
from dataclasses import dataclass

from lambdas.jobs.errors import InvalidImage


@dataclass(frozen=True, kw_only=True)
class ImageFormat:
    """A format on the list: `name` is Pillow's, `module` the part of Pillow that reads it."""

    name: str
    media_type: str
    module: str


JPEG = ImageFormat(name="JPEG", media_type="image/jpeg", module="PIL.JpegImagePlugin")
PNG = ImageFormat(name="PNG", media_type="image/png", module="PIL.PngImagePlugin")
WEBP = ImageFormat(name="WEBP", media_type="image/webp", module="PIL.WebPImagePlugin")
GIF = ImageFormat(name="GIF", media_type="image/gif", module="PIL.GifImagePlugin")
TIFF = ImageFormat(name="TIFF", media_type="image/tiff", module="PIL.TiffImagePlugin")
BMP = ImageFormat(name="BMP", media_type="image/bmp", module="PIL.BmpImagePlugin")
AVIF = ImageFormat(name="AVIF", media_type="image/avif", module="PIL.AvifImagePlugin")

FORMATS = (JPEG, PNG, WEBP, GIF, TIFF, BMP, AVIF)
_READ = "Darkroom reads JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF"

_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PNG),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WEBP),
    (re.compile(rb"GIF8[79]a"), GIF),
    # 42 is TIFF, 43 BigTIFF. Raw photographs of cameras begin in the same way; they are told apart by what they hold.
    (re.compile(rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]"), TIFF),
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), BMP),
)

_REFUSED = (
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"8BPS"), "a Photoshop document"),
    (re.compile(rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a"), "a JPEG XL image"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "a JPEG 2000 image"),
    (re.compile(rb"\0\0[\x01\x02]\0"), "an icon"),
    (re.compile(rb"FUJIFILMCCD-RAW|....ftypcrx ", re.DOTALL), "a camera's raw file"),
    (re.compile(rb"....ftyp|\x1a\x45\xdf\xa3|RIFF....AVI ", re.DOTALL), "a video"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive or an office document"),
    (re.compile(rb"\s*(<\?xml[^>]*>)?\s*(<!--.*?-->)?\s*(<!DOCTYPE svg[^>]*>)?\s*<svg", re.DOTALL), "an SVG drawing"),
)

_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}


def recognise(content: bytes) -> ImageFormat:
    """Tell the format by content. Raises InvalidImage when it is not on the list, naming it where it is known."""
    if content[4:8] == b"ftyp":
        return _recognise_heif(content)
    for signature, image_format in _SIGNATURES:
        if signature.match(content):
            return image_format
    raise InvalidImage(_refusal(content))


def _recognise_heif(content: bytes) -> ImageFormat:
    """AVIF and HEIC share a container; the brands at its beginning say which of them it is (ISO/IEC 23008-12)."""
    length = min(int.from_bytes(content[:4], "big"), 256)
    brands = {content[i : i + 4] for i in range(8, length, 4)}
    if brands & {b"avif", b"avis"}:
        return AVIF
    if brands & _HEIF_BRANDS:
        raise InvalidImage(
            "The file is a HEIC photo, which Darkroom does not read. Convert it to JPEG, or set the camera to "
            "'Most Compatible', and upload that."
        )
    raise InvalidImage(_refusal(content))


def _refusal(content: bytes) -> str:
    for signature, name in _REFUSED:
        if signature.match(content[:1024]):
            return (
                f"The file is {name}, which Darkroom does not read. {_READ}: save it as one of these and upload that."
            )
    return f"The file is not an image, whatever its name says. {_READ}: upload one of these."
