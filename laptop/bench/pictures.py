"""The photographs that are measured, and copies of them in the other formats that people have."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from PIL import Image

LARGE_MEGAPIXELS: Final = 50
_SUFFIXES: Final = frozenset({".jpg", ".jpeg"})


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One file. `kind` is how it is encoded: `baseline`, `progressive`, `png` and so on."""

    name: str
    kind: str
    content: bytes
    megapixels: float


class NoPhotographsError(LookupError):
    """The folder has nothing to measure."""


def photographs(folder: Path) -> list[Picture]:
    """Read the JPEGs of a folder, as baseline JPEGs. Raises NoPhotographsError when there is none."""
    found = [_baseline(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES]
    if not found:
        raise NoPhotographsError(f"There is no .jpg in {folder}. Name a folder with photographs: make bench PHOTOS=...")
    return found


def _baseline(path: Path) -> Picture:
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        if image.format == "JPEG" and not image.info.get("progressive") and image.mode == "RGB":
            return Picture(name=path.stem, kind="baseline", content=content, megapixels=_megapixels(image))
        return _encoded(image.convert("RGB"), path.stem, "baseline")


def converted(picture: Picture, kind: str) -> Picture:
    """The same picture in another encoding, at the size that people store it at."""
    with Image.open(io.BytesIO(picture.content)) as image:
        return _encoded(image.convert("RGB"), picture.name, kind)


@cache
def _scaled(content: bytes, megapixels: float) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        return image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)))


def resized(picture: Picture, megapixels: float, kind: str = "baseline") -> Picture:
    """The same picture with about so many megapixels."""
    return _encoded(_scaled(picture.content, megapixels), f"{picture.name}-{megapixels:g}", kind)


def _encoded(image: Image.Image, name: str, kind: str) -> Picture:
    buffer = io.BytesIO()
    format_name, options = ENCODINGS[kind]
    image.save(buffer, format_name, **options)
    return Picture(name=name, kind=kind, content=buffer.getvalue(), megapixels=_megapixels(image))


def _megapixels(image: Image.Image) -> float:
    return image.width * image.height / 1e6


ENCODINGS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "baseline": ("JPEG", {"quality": 90}),
    "progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "png": ("PNG", {"compress_level": 4}),
    "webp": ("WEBP", {"quality": 85, "method": 2}),
    "avif": ("AVIF", {"quality": 75, "speed": 9}),
    "tiff": ("TIFF", {"compression": "tiff_lzw"}),
}

OTHER_KINDS: Final = tuple(kind for kind in ENCODINGS if kind != "baseline")
Decode = Callable[[bytes], Any]


def decode(content: bytes) -> Image.Image:
    """The unit: decode all of it, as the plainest program would."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image
