"""Small valid files of every format and variety: what people really send, and what the damaged files are made from."""

import random
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageCms

from tests.hostile import containers

SIZE = (48, 32)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")


@cache
def picture() -> Image.Image:
    """A gradient with grain and two colours: small, and with something of everything in it."""
    rng = random.Random(7)
    image = Image.new("RGB", SIZE)
    for y in range(SIZE[1]):
        for x in range(SIZE[0]):
            image.putpixel((x, y), (x * 5, y * 7, rng.randrange(256)))
    image.paste("red", (4, 4, 14, 14))
    return image


def encoded(image: Image.Image, image_format: str, **parameters: Any) -> bytes:
    """The image as a file."""
    buffer = BytesIO()
    image.save(buffer, image_format, **parameters)
    return buffer.getvalue()


@cache
def translucent() -> Image.Image:
    """The picture, from clear on the left to solid on the right."""
    image = picture().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").rotate(90).resize(SIZE))
    return image


@cache
def profile(space: str = "sRGB") -> bytes:
    """An ICC profile of Little CMS's own."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]


@cache
def seeds() -> Mapping[str, tuple[str, bytes]]:
    """Format and content of every variety, by its name."""
    return {
        name: (image_format, content)
        for image_format, name, content in (
            *_jpegs(),
            *_pngs(),
            *_webps(),
            *_gifs(),
            *_tiffs(),
            *_bmps(),
            *_avifs(),
        )
    }


Seeds = Iterator[tuple[str, str, bytes]]


def _variety(image_format: str, name: str, image: Image.Image, **parameters: Any) -> tuple[str, str, bytes]:
    return image_format, f"{image_format.lower()}-{name}", encoded(image, image_format, **parameters)


def _jpegs() -> Seeds:
    rgb, cmyk = picture(), picture().convert("CMYK")
    yield _variety("JPEG", "baseline", rgb)
    yield _variety("JPEG", "progressive", rgb, progressive=True)
    yield _variety("JPEG", "444", rgb, subsampling=0, quality=98)
    yield _variety("JPEG", "restarts", rgb, restart_marker_blocks=1)
    yield _variety("JPEG", "grey", rgb.convert("L"))
    yield _variety("JPEG", "rgb", rgb, keep_rgb=True)
    yield _variety("JPEG", "cmyk", cmyk)
    ycck = encoded(cmyk, "JPEG")
    # The last byte of Adobe's segment says how colours are turned: 2 is YCCK.
    adobe = ycck.index(b"Adobe") + 11
    yield "JPEG", "jpeg-ycck", ycck[:adobe] + b"\x02" + ycck[adobe + 1 :]
    yield _variety("JPEG", "profile", rgb, icc_profile=profile())
    yield _variety("JPEG", "lab-profile", rgb, icc_profile=profile("LAB"))


def _pngs() -> Seeds:
    rgb = picture()
    modes = {"bilevel": "1", "grey": "L", "grey-alpha": "LA", "rgb": "RGB", "rgba": "RGBA", "16-bit-grey": "I;16"}
    for name, mode in modes.items():
        yield _variety("PNG", name, _converted(mode))
    for depth, colours in ((1, 2), (2, 4), (4, 16), (8, 200)):
        yield _variety("PNG", f"palette-{depth}", rgb.quantize(colours), bits=depth)
    yield _variety("PNG", "palette-transparent", rgb.quantize(16), transparency=bytes(range(0, 256, 16)))
    yield _variety("PNG", "rgb-transparent", rgb, transparency=(255, 0, 0))
    yield _variety("PNG", "grey-transparent", rgb.convert("L"), transparency=76)
    yield _variety("PNG", "apng", rgb, save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)], duration=40)
    yield _variety("PNG", "profile", rgb, icc_profile=profile())
    for depth, colour in ((16, 2), (16, 4), (16, 6), (2, 0), (4, 0)):
        yield "PNG", f"png-depth-{depth}-colour-{colour}", containers.png(SIZE, depth=depth, colour=colour)
    yield "PNG", "png-interlaced", containers.png(SIZE, interlaced=True, data=_adam7(rgb))


def _converted(mode: str) -> Image.Image:
    """The picture in a mode: with transparency where it has any, by way of 32 bits where Pillow knows no other."""
    if mode.endswith("A"):
        return translucent().convert(mode)
    return picture().convert("I").convert(mode) if mode.startswith("I;16") else picture().convert(mode)


def _adam7(image: Image.Image) -> bytes:
    """The packed pixels in the seven passes of an interlaced PNG (PNG specification, 8.1)."""
    width, height = image.size
    rows = []
    for x, y, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        for row in range(y, height, down):
            pixels = [image.getpixel((column, row)) for column in range(x, width, across)]
            rows.append(b"\0" + b"".join(bytes(pixel) for pixel in pixels))  # type: ignore[arg-type]  # three bands
    return zlib.compress(b"".join(rows))


def _webps() -> Seeds:
    rgb, rgba = picture(), translucent()
    several = {"save_all": True, "append_images": [rgb.rotate(90), rgb.rotate(180)], "duration": 40}
    yield _variety("WEBP", "lossy", rgb)
    yield _variety("WEBP", "lossless", rgb, lossless=True)
    yield _variety("WEBP", "alpha", rgba)
    yield _variety("WEBP", "lossless-alpha", rgba, lossless=True)
    yield _variety("WEBP", "animated", rgb, **several)
    yield _variety("WEBP", "profile", rgb, icc_profile=profile())


def _gifs() -> Seeds:
    rgb, indexed = picture(), picture().quantize(16)
    turned = [rgb.rotate(90).quantize(8), rgb.rotate(180).quantize(8)]
    yield _variety("GIF", "plain", indexed)
    yield _variety("GIF", "straight", indexed, interlace=0)
    yield _variety("GIF", "grey", rgb.convert("L"))
    yield _variety("GIF", "transparent", indexed, transparency=3)
    yield _variety("GIF", "animated", indexed, save_all=True, append_images=turned, duration=40, loop=0, disposal=2)
    yield _variety("GIF", "comment", indexed, comment=b"a comment")


def _tiffs() -> Seeds:
    rgb = picture()
    for compression in (
        "raw",
        "tiff_lzw",
        "packbits",
        "tiff_adobe_deflate",
        "tiff_deflate",
        "jpeg",
        "lzma",
        "zstd",
    ):
        yield _variety("TIFF", compression.removeprefix("tiff_"), rgb, compression=compression)
    for compression in ("group3", "group4", "tiff_ccitt", "packbits"):
        yield _variety("TIFF", f"bilevel-{compression}", rgb.convert("1"), compression=compression)
    for name, mode in {"grey": "L", "grey-alpha": "LA", "palette": "P", "rgba": "RGBA", "cmyk": "CMYK"}.items():
        yield _variety("TIFF", name, _converted(mode))
    yield _variety(
        "TIFF",
        "lab",
        ImageCms.profileToProfile(rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"),
    )  # type: ignore[arg-type]
    for name, mode in {"32-bit": "I", "float": "F"}.items():
        yield _variety("TIFF", name, rgb.convert("L").convert(mode))
    yield _variety("TIFF", "16-bit", _converted("I;16"))
    yield _variety("TIFF", "16-bit-big-endian", _converted("I;16B"))
    yield _variety("TIFF", "bigtiff", rgb, big_tiff=True)
    yield _variety("TIFF", "pages", rgb, save_all=True, append_images=[rgb.rotate(90), rgb.convert("L")])
    yield _variety("TIFF", "profile", rgb, icc_profile=profile())
    yield "TIFF", "tiff-tiled", _tiled_tiff(compression=1)
    yield "TIFF", "tiff-tiled-deflate", _tiled_tiff(compression=8)
    planes = (
        containers.short(258, 8, 8, 8),
        containers.short(262, 2),
        containers.short(277, 3),
        containers.short(284, 2),
    )
    area = SIZE[0] * SIZE[1]
    strips = (containers.long(273, 8, 8 + area, 8 + 2 * area), containers.long(279, area, area, area))
    yield (
        "TIFF",
        "tiff-planes",
        containers.grey_tiff(SIZE, *planes, *strips, data=bytes(range(256)) * (3 * area // 256)),
    )


def _tiled_tiff(compression: int) -> bytes:
    """Six grey tiles of 16 by 16."""
    tile = bytes(range(256))
    packed = zlib.compress(tile) if compression == 8 else tile
    entries = [
        containers.long(256, SIZE[0]),
        containers.long(257, SIZE[1]),
        containers.short(258, 8),
        containers.short(259, compression),
        containers.short(262, 1),
        containers.short(277, 1),
        containers.short(322, 16),
        containers.short(323, 16),
        containers.long(324, *(8 + len(packed) * i for i in range(6))),
        containers.long(325, *[len(packed)] * 6),
    ]
    return containers.tiff(entries, packed * 6)


def _bmps() -> Seeds:
    rgb = picture()
    yield _variety("BMP", "bilevel", rgb.convert("1"))
    yield _variety("BMP", "grey", rgb.convert("L"))
    yield _variety("BMP", "palette", rgb.quantize(200))
    yield _variety("BMP", "24", rgb)
    yield _variety("BMP", "32", translucent())
    rows = b"".join(bytes([20, y, 28, 255 - y]) + b"\0\0" for y in range(SIZE[1])) + b"\0\1"
    for bits, compression in ((8, 1), (4, 2)):
        yield "BMP", f"bmp-rle{bits}", bmp(SIZE, bits, rows, compression=compression)
    yield "BMP", "bmp-top-down", bmp((SIZE[0], -SIZE[1]), 24, bytes(range(144)) * SIZE[1])
    yield "BMP", "bmp-16", bmp(SIZE, 16, bytes(range(96)) * SIZE[1])
    core = struct.pack("<IHHHH", 12, *SIZE, 1, 24)
    yield "BMP", "bmp-os2", b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + core + bytes(range(144)) * SIZE[1]


def bmp(size: tuple[int, int], bits: int, data: bytes, *, compression: int = 0) -> bytes:
    """A BMP of any header; with a palette where the bits ask for one."""
    palette = b"".join(bytes([i, 255 - i, i // 2, 0]) for i in range(1 << bits)) if bits <= 8 else b""
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(data), 2835, 2835, 0, 0)
    offset = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data


def _avifs() -> Seeds:
    rgb = picture()
    yield _variety("AVIF", "420", rgb, speed=10)
    yield _variety("AVIF", "444", rgb, speed=10, subsampling="4:4:4", quality=95)
    yield _variety("AVIF", "grey", rgb.convert("L"), speed=10)
    yield _variety("AVIF", "alpha", translucent(), speed=10)
    yield _variety("AVIF", "animated", rgb, speed=10, save_all=True, append_images=[rgb.rotate(180)], duration=40)
    yield _variety("AVIF", "profile", rgb, speed=10, icc_profile=profile())
