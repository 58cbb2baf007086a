"""The pictures of the jobs: small ones that are drawn, some photographs, and what is no picture at all."""

import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Final

from PIL import Image, ImageDraw

from laptop.places import PHOTOS

BROKEN: Final = "broken"
"""Bytes that are no image."""
MISSING: Final = "missing"
"""An image that nobody has uploaded."""
PHOTOGRAPH: Final = "photograph"


def _drawn(width: int, height: int, colour: str, format_name: str) -> bytes:
    image = Image.new("RGB", (width, height), colour)
    draw = ImageDraw.Draw(image)
    for step in range(0, width, 16):
        draw.line((step, 0, width - step, height), fill="white" if step % 32 else "black", width=3)
    buffer = io.BytesIO()
    image.save(buffer, format_name)
    return buffer.getvalue()


PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    "wide": lambda: _drawn(320, 120, "teal", "PNG"),
    "tall": lambda: _drawn(96, 240, "orange", "PNG"),
    "square": lambda: _drawn(200, 200, "navy", "JPEG"),
    "tiny": lambda: _drawn(48, 32, "crimson", "PNG"),
    "web": lambda: _drawn(256, 144, "olive", "WEBP"),
    PHOTOGRAPH: (PHOTOS / "freespace.jpg").read_bytes,
}
"""By name."""


def content(name: str) -> bytes:
    """The bytes to upload."""
    return b"Somebody renamed a letter to .jpg.\n" if name == BROKEN else PICTURES[name]()


def digest(name: str) -> str:
    """What a report has to call a picture, whichever way it came about: the SHA-256 of its bytes."""
    return hashlib.sha256(content(name)).hexdigest()
