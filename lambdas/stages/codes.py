"""Stage: the QR and bar codes in the image. Must not follow or interpret what a code says."""

from collections.abc import Mapping
from typing import Any

import zxingcpp
from PIL import Image

from lambdas.stages.contract import StageInput, StageOutput
from lambdas.stages.plain_text import clean
from lambdas.stages.working_image import open_working_image

_F = zxingcpp.BarcodeFormat
IN_ANY_DIRECTION = zxingcpp.BarcodeFormats([_F.QRCode, _F.MicroQRCode, _F.Aztec])
"""Found by their corners or their middle, however they lie, at one go."""
ALONG_LINES = zxingcpp.BarcodeFormats(
    [_F.EAN13, _F.EAN8, _F.UPCA, _F.UPCE, _F.Code128, _F.Code39, _F.ITF, _F.PDF417, _F.DataMatrix]
)
"""Looked for along the rows, and then along the columns: twice the work."""

MAX_CODES = 50
MAX_TEXT_LENGTH = 2_000
"""A QR code holds up to 4,296 letters; what people print is far shorter."""
MAX_TEXT_TOTAL = 16_000
"""All texts together. A result travels through the state machine, whose messages end at 256 KB."""


def run(stage_input: StageInput) -> StageOutput:
    """Read the codes on the luma channel, in whatever direction they lie; at most `MAX_CODES` are reported."""
    stage_input.checkpoint(0.0)
    grey = open_working_image(stage_input.image, mode="L")
    stage_input.checkpoint(0.3)
    # Large codes that are out of focus are sharper in a smaller image; of stripes one needs all the pixels there are.
    found = _read(grey, IN_ANY_DIRECTION, try_rotate=False, try_downscale=True)
    stage_input.checkpoint(0.5)
    found += _read(grey, ALONG_LINES, try_rotate=True, try_downscale=False)
    # Reading order, so that the same image always gives the same list.
    found.sort(key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    scale = _scale(stage_input.results)
    left = MAX_TEXT_TOTAL
    codes = []
    for code in found[:MAX_CODES]:
        codes.append(_describe(code, min(left, MAX_TEXT_LENGTH), scale))
        left -= len(codes[-1]["text"])
    return StageOutput(result={"codes": codes, "found": len(found)})


def _read(grey: Image.Image, formats: Any, *, try_rotate: bool, try_downscale: bool) -> list[Any]:
    # Light codes on dark are not looked for: a third look at everything, for what is hardly ever printed.
    found = zxingcpp.read_barcodes(grey, formats=formats, try_rotate=try_rotate, try_downscale=try_downscale,
                                   try_invert=False, text_mode=zxingcpp.TextMode.Plain)  # fmt: skip
    return list(found)


def _describe(code: Any, text_length: int, scale: float | None) -> dict[str, Any]:
    text = code.text.replace("\r\n", "\n")
    corners = [_corner(code.position, name) for name in ("top_left", "top_right", "bottom_right", "bottom_left")]
    described = {
        "format": str(code.format),
        "text": clean(text, text_length, keep="\n") if text_length else "",
        "truncated": len(text) > text_length,
        "orientation": code.orientation,
        "position": corners,
    }
    if scale:
        described["positionInOriginal"] = [[round(x / scale), round(y / scale)] for x, y in corners]
    return described


def _corner(position: Any, name: str) -> list[int]:
    point = getattr(position, name)
    return [point.x, point.y]


def _scale(results: Mapping[str, Mapping[str, Any]]) -> float | None:
    """How many pixels of the working copy go into one of the original as displayed, if inspect has told."""
    working_copy = results.get("inspect", {}).get("workingCopy", {})
    return float(working_copy["scale"]) if working_copy.get("scale") else None
