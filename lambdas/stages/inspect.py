"""First stage: find out what the upload is, refuse what cannot be analysed, and make the working copy.

Must not pass on anything of the file's metadata but the facts listed in its result; the working copy has none.
"""

import hashlib
from io import BytesIO
from typing import Any

from PIL import Image

from lambdas.stages.catalogue import WORKING_COPY
from lambdas.stages.colour import Profile, has_alpha
from lambdas.stages.contract import Artefact, StageInput, StageOutput
from lambdas.stages.decoding import Upload, decoding_foreign_bytes, displayed_size, upright
from lambdas.stages.exif import Exif
from lambdas.stages.image_formats import AVIF, GIF, JPEG, PNG, TIFF

_QUALITY = 85
_BITS_PER_SAMPLE = 258
_PNG_BIT_DEPTH_AT = 24
_SENSIBLE_DPI = (2, 100_000)
"""Writers that do not know put 0 or 1."""


def run(stage_input: StageInput) -> StageOutput:
    """Describe the upload and shrink it. Raises InvalidImage when it is no image, damaged, or beyond the limits."""
    stage_input.checkpoint(0.0)
    upload = Upload(stage_input.image)
    exif = upload.read_exif()
    profile = Profile(upload.image.info.get("icc_profile"))
    facts = _describe(upload, exif, profile)
    stage_input.checkpoint(0.1)
    facts["noise"] = _noise(upload) if "quality" in stage_input.analyses else None
    stage_input.checkpoint(0.4)
    small = upload.shrunk()
    stage_input.checkpoint(0.7)
    with decoding_foreign_bytes():
        working = upright(profile.convert(small), exif.orientation, upload.format)
    stage_input.checkpoint(0.9)
    facts["workingCopy"] = {
        "width": working.width,
        "height": working.height,
        "scale": round(max(working.size) / max(facts["width"], facts["height"]), 6),
    }
    return StageOutput(result=facts, artefacts={WORKING_COPY: _working_copy(working)})


def _describe(upload: Upload, exif: Exif, profile: Profile) -> dict[str, Any]:
    image = upload.image
    width, height = displayed_size(image.size, exif.orientation, upload.format)
    return {
        "format": upload.format.name,
        "mediaType": upload.format.media_type,
        "bytes": len(upload.content),
        "sha256": hashlib.sha256(upload.content).hexdigest(),
        "width": width,
        "height": height,
        "megapixels": round(width * height / 1e6, 2),
        "progressive": _is_progressive(upload),
        "mode": image.mode,
        "bitDepth": _bit_depth(upload),
        "frames": upload.frames,
        # The pages of a TIFF do not move.
        "animated": upload.frames > 1 and upload.format is not TIFF,
        "orientation": exif.orientation,
        "hasAlpha": has_alpha(image),
        "iccProfile": profile.description,
        "dpi": _dpi(image),
        "exif": exif.plain(),
        "photo": exif.in_words(),
        "hasLocation": exif.has_location,
    }


def _noise(upload: Upload) -> dict[str, Any] | None:
    sigma = upload.noise()
    return None if sigma is None else {"sigma": sigma, "measuredOn": "native crops"}


def _is_progressive(upload: Upload) -> bool | None:
    """Whether the file shows a coarse picture first; None for formats that cannot."""
    if upload.format is JPEG:
        return bool(upload.image.info.get("progressive"))
    return bool(upload.image.info.get("interlace")) if upload.format in {PNG, GIF} else None


def _bit_depth(upload: Upload) -> int | None:
    """Bits of a channel in the file, which may be more than Pillow keeps; None where it does not say (AVIF)."""
    if upload.format is PNG:
        return upload.content[_PNG_BIT_DEPTH_AT]
    if upload.format is TIFF:
        bits = getattr(upload.image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (1,))
        return int(bits[0]) if isinstance(bits, tuple) and bits else None
    return None if upload.format is AVIF else 8


def _dpi(image: Image.Image) -> list[float] | None:
    """Horizontal and vertical resolution for print; None when it is missing or no sensible number."""
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    least, most = _SENSIBLE_DPI
    sensible = all(least <= value <= most for value in (across, down))
    return [round(across, 1), round(down, 1)] if sensible else None


def _working_copy(image: Image.Image) -> Artefact:
    """Encode as JPEG with nothing of the file's metadata.

    Colours at half the size: what is read off them needs no more, and luma, which codes and sharpness are read off, is
    whole. Each of five stages decodes this file, and takes a third less time for it.
    """
    image.info.clear()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return Artefact(content=buffer.getvalue(), media_type="image/jpeg")
