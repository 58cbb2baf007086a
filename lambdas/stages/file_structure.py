"""What a file's own structure says before any decoder sees it: how many frames it has, and whether it is whole.

Decoders believe what a file claims and walk all of it; this walks with limits. Must not decode pixels.
"""

import re
import struct
from collections.abc import Callable, Iterator
from itertools import islice

from lambdas.jobs.errors import InvalidImage
from lambdas.stages.image_formats import AVIF, GIF, JPEG, PNG, TIFF, WEBP, ImageFormat
from lambdas.stages.image_limits import MAX_CHUNKS, MAX_COEFFICIENT_BYTES, MAX_FRAMES, MAX_SCANS

ENDS_EARLY = "The file ends early: only a part of the image has arrived. Upload the whole file again."
TOO_MANY_FRAMES = (
    f"The image has more than {MAX_FRAMES:,} frames or pages, the most that Darkroom takes. Upload one of them."
)
TOO_MANY_CHUNKS = (
    f"The file is cut into more than {MAX_CHUNKS:,} pieces, which no camera or editor does. "
    "Open it in an image editor, save it anew and upload that."
)
TOO_MANY_SCANS = (
    f"The JPEG has more than {MAX_SCANS} scans, which no camera or editor writes. "
    "Open it in an image editor, save it anew and upload that."
)

TOO_LARGE_IN_SCANS = (
    "The JPEG is progressive and too large to be put together from its scans. "
    "Save it as a baseline JPEG, or shrink it, and upload that."
)

# A marker inside a JPEG's data: not a stuffed byte (00), a restart (D0 to D7) or padding (FF). ITU-T T.81, B.1.1.
_JPEG_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_SCAN = re.compile(rb"\xff\xda")
"""As an expression, which finds it in a third of the time that `bytes.count` takes."""
_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_BARE_MARKERS = {0x01, 0xD8}
"""Those without a length behind them (besides restarts and the end)."""
_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, 0x3B


def count_frames(content: bytes, image_format: ImageFormat) -> int | None:
    """Count frames or pages, or None where the decoder knows the number without walking.

    Raises InvalidImage when the file ends early or exceeds a limit.
    """
    counter = _COUNTERS.get(image_format.name)
    try:
        return counter(content) if counter else None
    except (struct.error, IndexError, OverflowError):
        raise InvalidImage(ENDS_EARLY) from None


def _count_jpeg(content: bytes) -> int:
    # A phone's JPEG may carry further pictures (depth, gain map) behind the first: they are data of it, not frames.
    segments = scans = 0
    position, frame = 2, 0
    while marker := _JPEG_MARKER.search(content, position):
        position, kind = marker.end(), marker[1][0]
        segments += 1
        _limit(segments, MAX_CHUNKS, TOO_MANY_CHUNKS)
        if kind in _START_OF_FRAME and not frame:
            frame = position
        if kind == _START_OF_SCAN:
            scans += 1
            if frame and scans == 1:
                _limit(_coefficient_bytes(content, frame, position), MAX_COEFFICIENT_BYTES, TOO_LARGE_IN_SCANS)
            _limit(scans, MAX_SCANS, TOO_MANY_SCANS)
            # Counting is a hundred times faster than walking through the data, and nearly always enough.
            if scans == 1 and sum(1 for _ in islice(_SCAN.finditer(content, position), MAX_SCANS)) < MAX_SCANS:
                break
        if kind == _END_OF_IMAGE:
            break
        if kind not in _BARE_MARKERS:
            position += struct.unpack_from(">H", content, position)[0]
    return 1


def coefficient_bytes(content: bytes) -> int:
    """How much libjpeg keeps of a JPEG in several scans until the last one has come; 0 where it decodes in rows.

    Raises InvalidImage when the headers end early.
    """
    position, frame = 2, 0
    while marker := _JPEG_MARKER.search(content, position):
        position, kind = marker.end(), marker[1][0]
        try:
            if kind == _START_OF_SCAN:
                return _coefficient_bytes(content, frame, position) if frame else 0
            if kind in _START_OF_FRAME and not frame:
                frame = position
            if kind not in _BARE_MARKERS:
                position += struct.unpack_from(">H", content, position)[0]
        except (struct.error, IndexError):
            break
    raise InvalidImage(ENDS_EARLY)


def _coefficient_bytes(content: bytes, frame: int, scan: int) -> int:
    """Look at a JPEG's frame header and first scan header (T.81, B.2.2 and B.2.3), both given by where their length is.

    A scan of all components of a frame that is not progressive is the only one, and is decoded in rows.
    """
    height, width, components = struct.unpack_from(">HHB", content, frame + 3)
    if content[frame - 1] not in _PROGRESSIVE and content[scan + 2] >= components:
        return 0
    factors = [divmod(content[frame + 9 + 3 * i], 16) for i in range(components)]
    across, down = max((f[0] for f in factors), default=1), max((f[1] for f in factors), default=1)
    samples: int = sum(width * f[0] * height * f[1] for f in factors) // max(1, across * down)
    return 2 * samples


def _count_png(content: bytes) -> int:
    frames = 1
    for kind, start, _ in _png_chunks(content):
        if kind == b"acTL":
            frames = struct.unpack_from(">I", content, start)[0]
            _limit(frames, MAX_FRAMES, TOO_MANY_FRAMES)
    return max(1, frames)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and length of each chunk up to IEND."""
    position, chunks, kind = 8, 0, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, position)
        if position + 12 + length > len(content):
            raise InvalidImage(ENDS_EARLY)
        chunks += 1
        _limit(chunks, MAX_CHUNKS, TOO_MANY_CHUNKS)
        yield kind, position + 8, length
        position += 12 + length


def _count_gif(content: bytes) -> int:
    """Walk the blocks (GIF89a, appendix A). Many files lack the last one, the end."""
    frames = blocks = 0
    position = 13 + _colour_table(content[10])
    while position < len(content) and content[position] != _GIF_END:
        if content[position] == _GIF_IMAGE:
            frames += 1
            _limit(frames, MAX_FRAMES, TOO_MANY_FRAMES)
            # Image descriptor, its colour table, and the byte of the code size.
            position += 10 + _colour_table(content[position + 9]) + 1
        elif content[position] == _GIF_EXTENSION:
            position += 2
        else:
            # Junk between blocks is stepped over, as decoders do.
            position += 1
            blocks += 1
            _limit(blocks, MAX_CHUNKS, TOO_MANY_CHUNKS)
            continue
        while length := content[position]:
            position += 1 + length
            blocks += 1
            _limit(blocks, MAX_CHUNKS, TOO_MANY_CHUNKS)
        position += 1
    if position > len(content) or not frames:
        raise InvalidImage(ENDS_EARLY)
    return frames


def _colour_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _count_tiff(content: bytes) -> int:
    """Follow the chain of directories; BigTIFF (version 43) has wider fields."""
    order = "<" if content[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", content, 2)[0] == 43  # noqa: PLR2004 - see the docstring
    count_code, offset_code, entry_size, first = ("Q", "Q", 20, 8) if big else ("H", "I", 12, 4)
    offset = struct.unpack_from(order + offset_code, content, first)[0]
    seen: set[int] = set()
    # A chain that bites its tail ends there.
    while offset and offset not in seen:
        seen.add(offset)
        _limit(len(seen), MAX_FRAMES, TOO_MANY_FRAMES)
        entries = struct.unpack_from(order + count_code, content, offset)[0]
        after = offset + struct.calcsize(order + count_code) + entries * entry_size
        offset = struct.unpack_from(order + offset_code, content, after)[0]
    return max(1, len(seen))


def _check_webp(content: bytes) -> None:
    if struct.unpack_from("<I", content, 4)[0] + 8 > len(content):
        raise InvalidImage(ENDS_EARLY)


def _check_avif(content: bytes) -> None:
    """Walk the outer boxes (ISO/IEC 14496-12): size 1 means a 64-bit size follows, 0 means to the end of the file."""
    position = boxes = 0
    kinds = set()
    while position < len(content):
        kinds.add(content[position + 4 : position + 8])
        size = struct.unpack_from(">I", content, position)[0]
        size = struct.unpack_from(">Q", content, position + 8)[0] if size == 1 else size or len(content) - position
        position += max(8, size)
        boxes += 1
        _limit(boxes, MAX_CHUNKS, TOO_MANY_CHUNKS)
    if position > len(content) or b"meta" not in kinds:
        raise InvalidImage(ENDS_EARLY)


def _limit(number: int, most: int, sentence: str) -> None:
    if number > most:
        raise InvalidImage(sentence)


_COUNTERS: dict[str, Callable[[bytes], int | None]] = {
    JPEG.name: _count_jpeg,
    PNG.name: _count_png,
    GIF.name: _count_gif,
    TIFF.name: _count_tiff,
    WEBP.name: _check_webp,
    AVIF.name: _check_avif,
}
