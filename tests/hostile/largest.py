"""The largest images that the limits let through, of each format and mode: what is dearest to decode."""

from collections.abc import Iterator
from typing import Any

from PIL import Image

from lambdas.stages.image_limits import MAX_BYTES, MAX_PIXELS, MAX_WHOLE_PIXELS
from tests.hostile import containers
from tests.hostile.case import Case, either
from tests.hostile.seeds import bmp, encoded, picture

HUNDRED = (10_000, MAX_PIXELS // 10_000)
FIFTY = (7_000, MAX_WHOLE_PIXELS // 7_000)


_DEAREST = {"jpeg", "jpeg-progressive", "png-palette-transparent", "gif-transparent", "webp", "tiff-f", "avif"}
"""Of each format the one that takes most."""


def largest(*, thorough: bool) -> Iterator[Case]:
    """Each may end in a report or, where its decoder takes more memory than there is, in a refusal that says so."""
    return (case for case in _all() if thorough or case.name in _DEAREST)


def _all() -> Iterator[Case]:
    yield from _jpegs()
    yield from _pngs()
    for mode, compression in (
        ("RGB", "tiff_lzw"),
        ("RGBA", "tiff_adobe_deflate"),
        ("CMYK", "tiff_adobe_deflate"),
        ("LAB", "tiff_adobe_deflate"),
        ("F", "tiff_adobe_deflate"),
        ("I", "tiff_adobe_deflate"),
        ("I;16", "zstd"),
        ("1", "group4"),
        ("P", "packbits"),
    ):
        yield _flat(f"tiff-{mode}".lower().replace(";", "-"), mode, FIFTY, "TIFF", compression=compression)
    yield _flat("gif", "P", FIFTY, "GIF")
    yield _flat("gif-transparent", "P", FIFTY, "GIF", transparency=0)
    yield _flat("webp", "RGB", FIFTY, "WEBP", quality=1, method=0)
    yield _flat("webp-lossless", "RGBA", FIFTY, "WEBP", lossless=True, quality=0, method=0)
    yield _flat("avif", "RGB", FIFTY, "AVIF", speed=10, quality=10)
    yield _flat("avif-444-alpha", "RGBA", FIFTY, "AVIF", speed=10, quality=10, subsampling="4:4:4")
    yield either("largest", "avif-that-says-8x8", _avif_that_lies)
    yield either("largest", "bmp-8", lambda: bmp((7_000, 7_000), 8, bytes(49_000_000)))
    yield either("largest", "bmp-rle8", lambda: _run_lengths(8, 1))
    yield either("largest", "bmp-rle4", lambda: _run_lengths(4, 2))


def _avif_that_lies() -> bytes:
    """The box says 8 by 8, the picture inside has many times the pixels that are taken."""
    content = encoded(Image.new("RGB", (11_000, 11_000)), "AVIF", speed=10, quality=10)
    at = content.index(b"ispe") + 8
    return content[:at] + b"\0\0\0\x08" * 2 + content[at + 8 :]


def _jpegs() -> Iterator[Case]:
    yield _flat("jpeg", "RGB", HUNDRED, "JPEG")
    yield _flat("jpeg-cmyk", "CMYK", HUNDRED, "JPEG")
    yield _flat("jpeg-progressive", "RGB", HUNDRED, "JPEG", progressive=True)
    yield _flat("jpeg-progressive-444", "RGB", HUNDRED, "JPEG", progressive=True, subsampling=0)
    yield _flat("jpeg-progressive-cmyk", "CMYK", HUNDRED, "JPEG", progressive=True)
    yield either("largest", "jpeg-grain", lambda: _grain(progressive=False))
    yield either("largest", "jpeg-progressive-scans", _many_scans)


def _pngs() -> Iterator[Case]:
    for depth, colour in ((1, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 6), (16, 6), (16, 4)):
        yield either(
            "largest",
            f"png-{depth}-{colour}",
            lambda depth=depth, colour=colour: containers.png(FIFTY, depth=depth, colour=colour),
        )
    palette = containers.png_chunk(b"PLTE", bytes(768))
    for name, colour, chunks in (
        ("palette", 3, palette),
        ("palette-transparent", 3, palette + containers.png_chunk(b"tRNS", bytes(256))),
        ("rgb-transparent", 2, containers.png_chunk(b"tRNS", bytes(6))),
        ("grey-transparent", 0, containers.png_chunk(b"tRNS", bytes(2))),
    ):
        yield either(
            "largest",
            f"png-{name}",
            lambda colour=colour, chunks=chunks: containers.png(FIFTY, colour=colour, before=chunks),
        )


def _flat(name: str, mode: str, size: tuple[int, int], image_format: str, **parameters: Any) -> Case:
    """One colour packs to nearly nothing, and takes as much memory as a photograph."""
    return either("largest", name, lambda: encoded(Image.new(mode, size), image_format, **parameters))


def _grain(*, progressive: bool) -> bytes:
    """As many bytes of coefficients as fit into an upload: the most work for an entropy decoder."""
    image = Image.effect_noise((2_500, 2_500), 120).resize(HUNDRED, Image.Resampling.NEAREST)
    for quality in (95, 85, 70, 50, 30, 10):
        content = encoded(image, "JPEG", quality=quality, progressive=progressive)
        if len(content) <= MAX_BYTES:
            return content
    return content


def _many_scans() -> bytes:
    """Each scan walks over all blocks of the image, and an empty one takes hardly a byte for thousands of them."""
    content = encoded(picture().resize((7_000, 7_000)), "JPEG", progressive=True, quality=30)
    scan = content[content.rindex(b"\xff\xda") : -2]
    number = min(80, (MAX_BYTES - len(content)) // len(scan))
    return content[:-2] + scan * number + content[-2:]


def _run_lengths(bits: int, compression: int) -> bytes:
    """Runs of one pixel, or two: as much work as there are bytes."""
    side = 5_000
    row = bytes([1, 7]) * side + b"\0\0"
    return bmp((side, side), bits, row * (MAX_BYTES // len(row) - 1) + b"\0\1", compression=compression)
