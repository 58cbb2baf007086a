"""Every kind of file in the corpus: valid and odd ones, wrong types, cut ones, lies, bombs, metadata, and mutations."""

import random
import struct
import zlib
from collections.abc import Iterator
from itertools import chain

from PIL import Image
from PIL.ExifTags import IFD, Base

from lambdas.stages import image_limits
from tests.hostile import containers as box
from tests.hostile.case import MARK, Case, Expected, either, refusal, report
from tests.hostile.largest import largest
from tests.hostile.seeds import FORMATS, SIZE, bmp, encoded, picture, profile, seeds

Cases = Iterator[Case]

_ONE_OF_EACH = (
    "jpeg-progressive",
    "png-palette-4",
    "webp-animated",
    "gif-animated",
    "tiff-adobe_deflate",
    "tiff-bigtiff",
    "bmp-palette",
    "avif-alpha",
)
"""The varieties whose structure is taken apart; the others have the same."""
_SCRIPT = b"<script>alert('" + MARK.encode() + b"')</script>"
_ONE_PIXEL = zlib.compress(b"\0\0\0\0")


def corpus(*, seed: int, mutations: int, thorough: bool) -> Cases:
    """Everything; `mutations` damaged copies of each variety follow from the seed.

    What is not thorough leaves out the dear ones of which there are similar ones, and is enough for each change.
    """
    return chain(
        _varieties(),
        _unusual(),
        _orientations(),
        _other_types(),
        _cut(thorough),
        _wrong_numbers(thorough),
        _impossible_sizes(),
        _png_bombs(),
        _frame_bombs(),
        _tiff_bombs(),
        _jpeg_oddities(),
        _profiles(),
        _metadata(),
        _polyglots(),
        _noise(seed),
        mutations_of_each(seed, mutations),
        largest(thorough=thorough),
    )


def _varieties() -> Cases:
    for name, (_, content) in seeds().items():
        yield report("valid", name, lambda content=content: content)


def _unusual() -> Cases:
    """Valid, and seldom seen: a single pixel, and strips as long as are taken."""
    modes = {"GIF": "L", "BMP": "L"}
    longest = {"WEBP": 16_383, "AVIF": 20_000}
    for image_format in FORMATS:
        for width, height in ((1, 1), (1, longest.get(image_format, 20_000)), (longest.get(image_format, 30_000), 1)):
            image = Image.new(modes.get(image_format, "RGB"), (width, height), 99)
            yield report(
                "unusual",
                f"{image_format.lower()}-{width}x{height}",
                lambda image=image, image_format=image_format: encoded(image, image_format),
            )


def _orientations() -> Cases:
    for image_format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        for orientation in range(10):
            exif = Image.Exif()
            exif[Base.Orientation] = orientation
            yield report(
                "orientation",
                f"{image_format.lower()}-{orientation}",
                lambda f=image_format, e=exif: encoded(picture(), f, exif=e.tobytes()),
            )


def _other_types() -> Cases:
    """No image, or none that is on the list; the first bytes say so."""
    contents = {
        "empty": b"",
        "one-byte": b"\xff",
        "text": b"Dear photo,\n" * 50,
        "html": b"<!DOCTYPE html><html><body onload='alert(1)'></body></html>",
        "svg": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg"/>',
        "svg-plain": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
        "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 32, 48, 8, 3) + bytes(200),
        "jpeg-xl": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100),
        "jpeg-xl-bare": b"\xff\x0a" + bytes(100),
        "jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
        "jp2-bare": b"\xff\x4f\xff\x51" + bytes(100),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "wmf": b"\xd7\xcd\xc6\x9a" + bytes(100),
        "emf": b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        "heif": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix" + bytes(100),
        "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
        "zip": b"PK\x03\x04" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(100),
        "elf": b"\x7fELF\2\1\1" + bytes(100),
        "zeros": bytes(10_000),
        "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "xml-entities": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    }
    for name, content in contents.items():
        yield refusal("type", name, lambda content=content: content)
    for image_format in (
        "ICO",
        "PPM",
        "TGA",
        "PCX",
        "SGI",
        "DDS",
        "JPEG2000",
        "ICNS",
        "IM",
        "MSP",
        "XBM",
        "EPS",
        "PDF",
    ):
        image = picture().convert("1") if image_format in {"MSP", "XBM"} else picture()
        yield refusal("type", f"pillow-{image_format.lower()}", lambda i=image, f=image_format: encoded(i, f))
    yield refusal("type", "too-many-bytes", lambda: encoded(picture(), "JPEG") + bytes(image_limits.MAX_BYTES))


def _cut(thorough: bool) -> Cases:
    """Each variety without its end: at every boundary of its structure, and at lengths in between."""
    parts = 40 if thorough else 4
    for name, (image_format, content) in seeds().items():
        lengths = {len(content) * i // parts for i in range(1, parts)} | {len(content) - 1}
        if name in _ONE_OF_EACH:
            lengths |= set(box.boundaries(content, image_format))
        for length in sorted(lengths):
            expected = Expected.REFUSAL if _is_needed(name, content, length) else Expected.EITHER
            yield Case(
                kind="cut",
                name=f"{name}-{length}",
                expected=expected,
                make=lambda content=content, length=length: content[:length],
            )


def _is_needed(name: str, content: bytes, length: int) -> bool:
    """Whether the picture cannot be whole without what is cut off.

    A later frame or page, the sign of the end, and tags at the end of a TIFF may be missed.
    """
    return not any(word in name for word in ("animated", "apng", "pages")) and length < 0.75 * len(content)


def _wrong_numbers(thorough: bool) -> Cases:
    """Each length, count and offset of one file of a format, wrong in the ways that hurt."""
    for name in _ONE_OF_EACH:
        image_format, content = seeds()[name]
        for field in box.fields(content, image_format):
            right = field.read(content)
            most = (1 << 8 * field.size) - 1
            values = [0, right + 1, most, *([1, right - 1, most >> 1, field.at] if thorough else [])]
            for value in dict.fromkeys(values):
                yield either(
                    "number", f"{name}-{field.at}-{value}", lambda c=content, f=field, v=value: f.replaced(c, v)
                )


def _impossible_sizes() -> Cases:
    """Headers that claim too many pixels, or none."""
    for width, height in ((0, 0), (0, 10), (10, 0), (65_535, 65_535), (30_001, 1), (1, 40_000), (20_000, 10_000)):
        label = f"{width}x{height}"
        yield refusal("size", f"jpeg-{label}", lambda w=width, h=height: _jpeg_of_size(w, h))
        yield refusal("size", f"png-{label}", lambda w=width, h=height: box.png((w, h), data=_ONE_PIXEL))
        yield refusal("size", f"gif-{label}", lambda w=width, h=height: box.gif((w, h), _gif_frame(w, h)))
        yield refusal("size", f"bmp-{label}", lambda w=width, h=height: bmp((w, h), 24, bytes(100)))
        yield refusal(
            "size", f"bmp-rle-{label}", lambda w=width, h=height: bmp((w, h), 8, b"\xff\0" * 50, compression=1)
        )
        yield refusal("size", f"tiff-{label}", lambda w=width, h=height: box.grey_tiff((w, h)))
    yield refusal("size", "png-2g", lambda: box.png((2**31 - 1, 2**31 - 1), data=_ONE_PIXEL))
    yield refusal("size", "png-4g", lambda: box.png((2**32 - 1, 2**32 - 1), data=_ONE_PIXEL))
    yield refusal("size", "bmp-2g", lambda: bmp((2**31 - 1, -(2**31)), 1, bytes(100)))
    yield refusal("size", "tiff-4g", lambda: box.grey_tiff((2**32 - 1, 2**32 - 1)))
    yield either("size", "gif-frame-beyond-canvas", lambda: box.gif((10, 10), _gif_frame(60_000, 60_000)))
    yield either(
        "size",
        "gif-frame-beside-canvas",
        lambda: box.gif((10, 10), b"\x2c" + struct.pack("<HHHH", 65_000, 65_000, 1, 1) + box.GIF_FRAME[9:]),
    )
    yield refusal("size", "webp-canvas", lambda: box.riff((b"VP8X", b"\2\0\0\0" + b"\xfe\xff\xfe" * 2)))
    yield either("size", "webp-canvas-and-picture-differ", _webp_with_another_canvas)
    for value in (0, 1, 16_384, 40_000, 2**31, 2**32 - 1):
        yield either("size", f"avif-claims-{value}", lambda value=value: _avif_of_size(seeds()["avif-420"][1], value))


def _png_bombs() -> Cases:
    """Little that unpacks to much."""
    million = zlib.compress(bytes(1_000_000), 9)
    for kind, head in ((b"zTXt", b"k\0\0"), (b"iTXt", b"k\0\1\0\0\0"), (b"iCCP", b"k\0\0")):
        packed = zlib.compress(bytes(60_000_000), 9)
        name = kind.decode().lower()
        yield refusal(
            "bomb", f"png-{name}", lambda k=kind, h=head, p=packed: box.png((1, 1), before=box.png_chunk(k, h + p))
        )
        yield refusal(
            "bomb",
            f"png-{name}-behind-pixels",
            lambda k=kind, h=head, p=packed: box.png((1, 1), after=box.png_chunk(k, h + p)),
        )
        yield either(
            "bomb",
            f"png-{name}-many",
            lambda k=kind, h=head: box.png((1, 1), before=box.png_chunk(k, h + million) * 50),
        )
    yield refusal("bomb", "png-pixels", lambda: box.png((20_000, 20_000)))
    yield either("bomb", "png-more-pixels-than-claimed", lambda: box.png((8, 8), data=zlib.compress(bytes(50_000_000))))
    yield refusal("bomb", "png-fewer-pixels-than-claimed", lambda: box.png((5_000, 5_000), data=million))
    yield refusal("bomb", "png-pieces", lambda: box.png((1, 1), before=box.png_chunk(b"prIv", b"") * 500_000))
    yield either("bomb", "png-empty-pixels", lambda: box.png((1, 1), before=box.png_chunk(b"IDAT", b"") * 100_000))
    yield either(
        "bomb",
        "png-nested-deflate",
        lambda: box.png((1, 1), before=box.png_chunk(b"zTXt", b"k\0\0" + zlib.compress(million))),
    )


def _frame_bombs() -> Cases:
    """Animations without an end, and claims of such."""
    most = image_limits.MAX_FRAMES
    yield report("frames", "gif-most", lambda: box.gif((1, 1), box.GIF_FRAME * most))
    yield refusal("frames", "gif-too-many", lambda: box.gif((1, 1), box.GIF_FRAME * (most + 1)))
    yield refusal("frames", "gif-endless", lambda: box.gif((1, 1), box.GIF_FRAME * 2_000_000, end=b""))
    yield refusal(
        "frames", "gif-pieces", lambda: box.gif((1, 1), b"\x21\xfe" + b"\1a" * 500_000 + b"\0" + box.GIF_FRAME)
    )
    yield either(
        "frames",
        "gif-endless-loop",
        lambda: box.gif((1, 1), b"\x21\xff\x0bNETSCAPE2.0\3\1\xff\xff\0" + box.GIF_FRAME * 3),
    )
    control = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 1, 0, 0)
    for count in (0, most, most + 1, 2**31 - 1, 2**32 - 1):
        chunks = box.png_chunk(b"acTL", struct.pack(">II", count, 0)) + box.png_chunk(b"fcTL", control)
        yield Case(
            kind="frames",
            name=f"apng-claims-{count}",
            make=lambda c=chunks: box.png((1, 1), before=c),
            expected=Expected.REFUSAL if count > most else Expected.EITHER,
        )
    frame = bytes(12) + b"\1\0\0\0" + seeds()["webp-lossless"][1][12:]
    for count in (10, 100_000):
        yield Case(
            kind="frames",
            name=f"webp-{count}",
            expected=Expected.REFUSAL if count > most else Expected.EITHER,
            make=lambda f=frame, n=count: box.riff(
                (b"VP8X", b"\2\0\0\0\x2f\0\0\x1f\0\0"), (b"ANIM", bytes(6)), *[(b"ANMF", f)] * min(n, 20_000)
            ),
        )
    yield either("frames", "avif-sequence", lambda: seeds()["avif-animated"][1])


def _tiff_bombs() -> Cases:
    """Chains that bite their tail, directories without end, tiles and tags far larger than the image."""
    directory = box.tiff_directory
    empty = struct.pack("<H", 0)
    yield refusal("tiff", "cyclic", lambda: b"II*\0\x08\0\0\0" + empty + struct.pack("<I", 8))
    yield refusal(
        "tiff",
        "pages-too-many",
        lambda: b"II*\0\x08\0\0\0" + b"".join(empty + struct.pack("<I", 8 + 6 * (i + 1)) for i in range(5_000)),
    )
    yield either("tiff", "cyclic-after-page", _tiff_with_cycle)
    yield either("tiff", "exif-in-itself", lambda: box.grey_tiff((1, 1), box.long(34665, 10)))
    yield either("tiff", "sub-directories", lambda: box.grey_tiff((1, 1), box.long(330, *[10] * 10_000)))
    for name, entries in _tile_bombs():
        packed = zlib.compress(bytes(200_000_000), 9)
        yield either("tiff", name, lambda e=entries, p=packed: box.grey_tiff((8, 8), *e(len(p)), data=p))
    for compression in (
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        99,
        32773,
        32809,
        32946,
        34661,
        34676,
        34677,
        34887,
        34892,
        34925,
        50000,
        50001,
        50002,
        65535,
    ):
        yield either(
            "tiff",
            f"compression-{compression}",
            lambda c=compression: box.grey_tiff((8, 8), box.short(259, c), data=bytes(range(64))),
        )
    count = 4_000_000
    yield either("tiff", "strips-by-the-million", lambda: box.grey_tiff((1, 1), box.long(273, *[8] * count)))
    yield either(
        "tiff",
        "tiles-by-the-million",
        lambda: box.grey_tiff(
            (1, 1), box.long(322, 16), box.long(323, 16), box.long(324, *[8] * count), box.long(325, *[1] * count)
        ),
    )
    yield either(
        "tiff", "fractions-by-the-million", lambda: box.grey_tiff((1, 1), (50_000, 5, 5_000_000, bytes(40_000_000)))
    )
    yield either(
        "tiff", "numbers-by-the-million", lambda: box.grey_tiff((1, 1), (50_000, 3, 20_000_000, bytes(40_000_000)))
    )
    yield either("tiff", "text-by-the-million", lambda: box.grey_tiff((1, 1), box.text(271, b"a" * 40_000_000)))
    yield either(
        "tiff", "tags-over-each-other", lambda: box.tiff([(tag, 7, 40_000, bytes(4)) for tag in range(60_000)])
    )
    yield either(
        "tiff", "samples", lambda: box.grey_tiff((1, 1), box.short(277, 65_535), box.short(258, *[8] * 65_535))
    )
    yield either("tiff", "bits", lambda: box.grey_tiff((1, 1), box.short(258, 64), data=bytes(100)))
    yield either("tiff", "strip-elsewhere", lambda: box.grey_tiff((1, 1), box.long(273, 2**32 - 2)))
    yield either("tiff", "external-file", lambda: box.grey_tiff((1, 1), box.text(270, b"file:///etc/passwd\0")))
    yield either("tiff", "directory-at-the-end", lambda: b"II*\0\x08\0\0\0" + directory([], 8)[:2])
    for value, case in ((float("inf"), refusal), (float("nan"), report)):
        pixels = struct.pack("<4f", 1.0, 0.5, value, 0.0)
        yield case(
            "tiff",
            f"float-{value}",
            lambda p=pixels: box.grey_tiff((2, 2), box.short(258, 32), box.short(339, 3), data=p),
        )
    yield report(
        "tiff",
        "float-huge",
        lambda: box.grey_tiff(
            (2, 2), box.short(258, 32), box.short(339, 3), data=struct.pack("<4f", 3e38, -3e38, 1e-45, 0)
        ),
    )


def _tile_bombs() -> Iterator[tuple[str, object]]:
    """Eight by eight pixels, cut into tiles or strips of a thousand million."""
    for side in (16, 4_096, 14_000, 32_768):
        yield (
            f"tile-{side}",
            lambda length, side=side: (
                box.short(259, 8),
                box.long(322, side),
                box.long(323, side),
                box.long(324, 8),
                box.long(325, length),
            ),
        )
    for rows in (8, 2**28, 2**32 - 1):
        yield f"strip-{rows}", lambda length, rows=rows: (box.short(259, 8), box.long(278, rows), box.long(279, length))


def _tiff_with_cycle() -> bytes:
    content = box.grey_tiff((1, 1))
    return content[:-4] + struct.pack("<I", struct.unpack_from("<I", content, 4)[0])


def _jpeg_oddities() -> Cases:
    plain, progressive = seeds()["jpeg-baseline"][1], seeds()["jpeg-progressive"][1]
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    for count in (10, 80, 5_000):
        expected = Expected.REFUSAL if count > image_limits.MAX_SCANS else Expected.EITHER
        yield Case(
            kind="jpeg",
            name=f"scans-{count}",
            expected=expected,
            make=lambda n=count: progressive[:-2] + scan * n + progressive[-2:],
        )
    yield refusal("jpeg", "pieces", lambda: box.with_segments(plain, box.jpeg_segment(0xFE, b"") * 500_000))
    yield report("jpeg", "padding", lambda: plain[:2] + b"\xff" * 100_000 + plain[2:])
    yield report("jpeg", "comments", lambda: box.with_segments(plain, *[box.jpeg_segment(0xFE, b"x" * 60_000)] * 500))
    yield either("jpeg", "stuffed-data", lambda: plain[:-2] + b"\xff\0" * 1_000_000 + plain[-2:])
    yield either("jpeg", "restarts-only", lambda: plain[:-2] + b"\xff\xd0" * 100_000 + plain[-2:])
    yield report("jpeg", "second-image-behind", lambda: plain + plain)
    yield report("jpeg", "film-behind", lambda: plain + b"\0\0\0\x18ftypmp42" + random.Random(1).randbytes(50_000))
    yield refusal("jpeg", "no-frame", lambda: b"\xff\xd8" + box.jpeg_segment(0xFE, b"x") + b"\xff\xd9")
    yield refusal("jpeg", "lossless", lambda: plain.replace(b"\xff\xc0", b"\xff\xc3", 1))
    yield either("jpeg", "arithmetic", lambda: plain.replace(b"\xff\xc0", b"\xff\xc9", 1))
    yield either("jpeg", "twelve-bits", lambda: plain.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c", 1))
    yield either("jpeg", "no-tables", lambda: plain.replace(b"\xff\xc4", b"\xff\xfe"))
    yield either("jpeg", "no-quantisation", lambda: plain.replace(b"\xff\xdb", b"\xff\xfe"))
    yield either(
        "jpeg",
        "many-pictures",
        lambda: box.with_segments(
            plain,
            box.jpeg_segment(
                0xE2,
                b"MPF\0" + box.tiff([(45056, 7, 4, b"0100"), box.long(45057, 2**32 - 1), (45058, 7, 64, bytes(64))]),
            ),
        ),
    )


def _jpeg_of_size(width: int, height: int) -> bytes:
    content = seeds()["jpeg-baseline"][1]
    frame = content.index(b"\xff\xc0")
    return content[: frame + 5] + struct.pack(">HH", height, width) + content[frame + 9 :]


def _gif_frame(width: int, height: int) -> bytes:
    return b"\x2c\0\0\0\0" + struct.pack("<HH", width, height) + box.GIF_FRAME[9:]


def _webp_with_another_canvas() -> bytes:
    return box.riff((b"VP8X", b"\0\0\0\0" + b"\xff\x0f\0" * 2), (b"VP8L", seeds()["webp-lossless"][1][20:]))


def _avif_of_size(content: bytes, side: int) -> bytes:
    """The box that tells the size lies; the picture inside keeps its own."""
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", side, side) + content[at + 8 :]


def _profiles() -> Cases:
    """Colour profiles that are broken, enormous, or for another kind of image."""
    good, rng = profile(), random.Random(3)
    contents = {
        "empty": b"",
        "one-byte": b"\0",
        "text": b"not a profile",
        "header-only": good[:128],
        "cut": good[:-100],
        "noise": rng.randbytes(3_000),
        "lab": profile("LAB"),
        "xyz": profile("XYZ"),
        "nested": good[:128] + good,
        "size-lies": struct.pack(">I", 2**32 - 1) + good[4:],
        "tags-lie": good[:128] + b"\xff" * 4 + good[132:],
        "tags-overlap": good[:128] + struct.pack(">I", 100) + b"desc\0\0\0\x80\0\0\2\0" * 100 + good,
        "script-name": good.replace(b"s\0R\0G\0B", b"<\0x\0>\0s"),
        "huge": good + bytes(8_000_000),
    }
    for name, content in contents.items():
        for image_format in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
            if name == "huge" and image_format in {"JPEG", "PNG"}:
                continue  # unpacks to more than is taken; `bomb` has it
            yield report(
                "profile",
                f"{image_format.lower()}-{name}",
                lambda c=content, f=image_format: encoded(picture(), f, icc_profile=c),
            )
        yield report(
            "profile", f"cmyk-{name}", lambda c=content: encoded(picture().convert("CMYK"), "TIFF", icc_profile=c)
        )
    for byte in range(128, 3_000, 220):
        changed = good[: byte % len(good)] + b"\xff\xff\xff\xff" + good[byte % len(good) + 4 :]
        yield report("profile", f"changed-{byte}", lambda c=changed: encoded(picture(), "PNG", icc_profile=c))
    part = box.jpeg_segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000))
    yield report("profile", "jpeg-255-parts", lambda: box.with_segments(seeds()["jpeg-baseline"][1], *[part] * 255))


def _metadata() -> Cases:
    """What a file says about itself: loops, far too much of it, scripts, and places. The picture is not at fault."""
    loop = box.long(34665, 8)
    blocks = {
        "loop": box.exif([loop]),
        "loop-of-two": box.exif([loop, box.long(34853, 8), box.long(40965, 8)]),
        "offset-beyond": b"Exif\0\0II*\0\xff\xff\xff\xff",
        "offset-back": b"Exif\0\0II*\0\0\0\0\0",
        "order-unknown": b"Exif\0\0XX*\0\x08\0\0\0\0\0\0\0\0\0",
        "empty": b"Exif\0\0",
        "wrong-types": box.exif([(tag, 5, 1, b"\0" * 8) for tag in range(256, 290)]),
        "counts-lie": box.exif([(tag, 2, 2**32 - 1, b"aaaa") for tag in (271, 272, 305, 306)]),
        "overlaps": b"Exif\0\0II*\0\x08\0\0\0"
        + struct.pack("<H", 5_000)
        + b"".join(struct.pack("<HHII", tag, 7, 60_000, 8) for tag in range(1_000, 6_000)),
        "fractions": box.exif([(50_000 + i, 5, 1_000, bytes(8_000)) for i in range(8)]),
        "zero-below": box.exif([(282, 5, 1, struct.pack("<II", 1, 0)), (283, 5, 1, struct.pack("<II", 0, 0))]),
        "script": box.exif([box.text(270, _SCRIPT), box.text(315, _SCRIPT), box.text(33432, _SCRIPT)]),
        "controls": box.exif(
            [box.text(271, b"\x1b[2J\x07\0\r\nM\xe2\x80\xae"), box.text(272, bytes(range(1, 32)) * 20)]
        ),
        "not-text": box.exif([box.text(271, b"\xff\xfe\x80" * 30), box.text(272, b"\xed\xa0\x80" * 30)]),
        "place": _exif_with_place(),
    }
    for name, block in blocks.items():
        for image_format in ("JPEG", "PNG", "WEBP", "AVIF"):
            yield either("metadata", f"{image_format.lower()}-{name}", lambda f=image_format, b=block: _with_exif(f, b))
    plain = seeds()["jpeg-baseline"][1]
    part = box.jpeg_segment(0xE1, b"Exif\0\0" + bytes(65_000))
    yield report("metadata", "jpeg-exif-of-30-mb", lambda: box.with_segments(plain, *[part] * 450))
    first = box.jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 50_000, 5, 3_600_000, 8))
    yield report("metadata", "jpeg-exif-of-fractions", lambda: box.with_segments(plain, first, *[part] * 450))
    yield report("metadata", "webp-exif-of-30-mb", lambda: encoded(picture(), "WEBP", exif=bytes(30_000_000)))
    yield report(
        "metadata",
        "png-exif-of-30-mb",
        lambda: box.with_chunks(seeds()["png-rgb"][1], box.png_chunk(b"eXIf", bytes(30_000_000))),
    )
    yield report("metadata", "tiff-place", lambda: encoded(picture(), "TIFF", exif=_exif_with_place()[6:]))
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><exif:GPSLatitude>47,22N" + _SCRIPT + b"</exif:GPSLatitude></x:xmpmeta>"
    for image_format in ("JPEG", "WEBP", "AVIF"):
        yield report("metadata", f"{image_format.lower()}-xmp", lambda f=image_format: encoded(picture(), f, xmp=xmp))
    yield report("metadata", "jpeg-comment", lambda: encoded(picture(), "JPEG", comment=_SCRIPT))
    yield report("metadata", "gif-comment", lambda: encoded(picture(), "GIF", comment=_SCRIPT))
    yield report(
        "metadata",
        "jpeg-photoshop",
        lambda: box.with_segments(
            plain, box.jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", 2**31) + _SCRIPT)
        ),
    )
    for kind in (b"tEXt", b"iTXt"):
        head = b"Comment\0" if kind == b"tEXt" else b"Comment\0\0\0\0\0"
        yield report(
            "metadata",
            f"png-{kind.decode().lower()}",
            lambda k=kind, h=head: box.with_chunks(seeds()["png-rgb"][1], box.png_chunk(k, h + _SCRIPT)),
        )
    raw = b"Raw profile type exif\0" + b"\nexif\n 40\n" + _exif_with_place().hex().encode()
    yield report(
        "metadata", "png-raw-profile", lambda: box.with_chunks(seeds()["png-rgb"][1], box.png_chunk(b"tEXt", raw))
    )


def _exif_with_place() -> bytes:
    """EXIF with coordinates, a serial number, a name and a script in it, none of which may get out."""
    exif = Image.Exif()
    exif[Base.Artist] = MARK
    exif[Base.ImageDescription] = _SCRIPT.decode()
    exif[Base.Make] = "Maker"
    exif.get_ifd(IFD.Exif)[Base.BodySerialNumber] = MARK
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 11.0), 28: MARK.encode()})
    return exif.tobytes()


def _with_exif(image_format: str, block: bytes) -> bytes:
    """A small image with the block as its EXIF, whatever that is."""
    if image_format == "JPEG":
        return box.with_segments(seeds()["jpeg-baseline"][1], box.jpeg_segment(0xE1, block))
    if image_format == "PNG":
        return box.with_chunks(seeds()["png-rgb"][1], box.png_chunk(b"eXIf", block.removeprefix(b"Exif\0\0")))
    if image_format == "WEBP":
        inside = seeds()["webp-lossless"][1][20:]
        flags = struct.pack("<I", 8) + struct.pack("<I", SIZE[0] - 1)[:3] + struct.pack("<I", SIZE[1] - 1)[:3]
        return box.riff((b"VP8X", flags), (b"VP8L", inside), (b"EXIF", block))
    # Its encoder reads the block: put it in afterwards, in the place of one of the same length.
    place = b"Exif\0\0II*\0\x08\0\0\0\0\0".ljust(max(len(block), 16), b"p")
    content = encoded(picture(), "AVIF", speed=10, exif=place)
    return content.replace(place[6:], block[6:].ljust(len(place) - 6, b"\0"), 1)


def _polyglots() -> Cases:
    """Files that are two things at once, and files whose beginning is of another format."""
    archive = b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18)
    page = b"<html><script>alert('" + MARK.encode() + b"')</script></html>"
    jpeg, png = seeds()["jpeg-baseline"][1], seeds()["png-rgb"][1]
    gif, tiff = seeds()["gif-plain"][1], seeds()["tiff-raw"][1]
    yield report("polyglot", "jpeg-and-zip", lambda: jpeg + archive)
    yield report("polyglot", "png-and-zip", lambda: png + archive)
    yield report("polyglot", "gif-and-zip", lambda: gif + archive)
    yield report("polyglot", "tiff-and-pdf", lambda: tiff + b"%PDF-1.4" + page)
    yield report("polyglot", "jpeg-and-html", lambda: box.with_segments(jpeg, box.jpeg_segment(0xFE, page)))
    yield report("polyglot", "png-and-html", lambda: box.with_chunks(png, box.png_chunk(b"tEXt", b"a\0" + page)))
    yield report(
        "polyglot",
        "png-and-php",
        lambda: box.with_chunks(png, box.png_chunk(b"tEXt", b"a\0<?php system('" + MARK.encode() + b"');?>")),
    )
    yield either("polyglot", "gif-and-script", lambda: b"GIF89a/*" + gif[8:] + b"*/=1;alert('" + MARK.encode() + b"')")
    yield either("polyglot", "bmp-and-script", lambda: b"BM/*" + seeds()["bmp-24"][1][4:] + b"*/=1;")
    yield refusal("polyglot", "pdf-and-jpeg", lambda: b"%PDF-1.4\n" + jpeg)
    yield refusal("polyglot", "zip-and-jpeg", lambda: archive + jpeg)
    yield refusal("polyglot", "html-and-png", lambda: page + png)
    yield refusal("polyglot", "space-and-jpeg", lambda: b"\n" + jpeg)
    signatures = {
        "jpeg": b"\xff\xd8\xff",
        "png": box.PNG_SIGNATURE,
        "gif": b"GIF89a",
        "tiff": b"II*\0",
        "bmp": b"BM",
        "webp": b"RIFF\0\0\0\0WEBP",
        "avif": b"\0\0\0\x18ftypavif",
    }
    for name, signature in signatures.items():
        for other, content in (("jpeg", jpeg), ("png", png), ("gif", gif), ("tiff", tiff)):
            if name != other:
                yield either("polyglot", f"{name}-signature-on-{other}", lambda s=signature, c=content: s + c[len(s) :])
                yield either("polyglot", f"{name}-signature-before-{other}", lambda s=signature, c=content: s + c)
    yield either("polyglot", "heic-that-claims-avif", lambda: b"\0\0\0\x1cftypheic\0\0\0\0mif1heicavif" + bytes(200))


def _noise(seed: int) -> Cases:
    """Random bytes, bare and behind each signature."""
    for index, signature in enumerate(
        (
            b"",
            b"\xff\xd8\xff",
            box.PNG_SIGNATURE,
            b"GIF89a",
            b"II*\0",
            b"MM\0*",
            b"II+\0",
            b"BM",
            b"RIFF\xff\0\0\0WEBP",
            b"\0\0\0\x18ftypavif\0\0\0\0avifmif1",
        )
    ):
        for length in (1, 30, 1_000, 100_000):
            yield either(
                "noise",
                f"{index}-{length}",
                lambda s=signature, n=length: s + random.Random(f"{seed}-{n}").randbytes(n),
            )


def mutations_of_each(seed: int, number: int) -> Cases:
    """Damaged copies of each variety."""
    for name, (_, content) in seeds().items():
        for index in range(number):
            yield either(
                "mutation",
                f"{name}-{seed}-{index}",
                lambda c=content, key=f"{seed}-{name}-{index}": mutated(c, random.Random(key)),
            )


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Change some bytes, and now and then remove, repeat or insert some."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        # Headers are short and decide most.
        position = rng.randrange(min(len(changed), rng.choice((40, 400, len(changed)))))
        changed[position] = rng.choice(
            (0, 1, 127, 128, 255, rng.randrange(256), changed[position] ^ 1 << rng.randrange(8))
        )
    position, length = rng.randrange(len(changed)), rng.randrange(1, 64)
    match rng.randrange(8):
        case 0:
            del changed[position : position + length]
        case 1:
            changed[position:position] = changed[position : position + length] * rng.randrange(1, 20)
        case 2:
            changed[position:position] = rng.randbytes(length)
    return bytes(changed)
