"""The containers of the formats, written by hand: with right fields, with wrong ones, and where their parts begin."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GIF_FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
TIFF_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 16: 8}
_JPEG_BARE = {0x01, *range(0xD0, 0xDA)}


@dataclass(frozen=True)
class Field:
    """A number in a file that says how long something is or where it lies."""

    at: int
    size: int
    order: Literal["big", "little"]

    def read(self, content: bytes) -> int:
        """The number as it stands there."""
        return int.from_bytes(content[self.at : self.at + self.size], self.order)

    def replaced(self, content: bytes, value: int) -> bytes:
        """The file with another number, cut to the bits that there are."""
        number = (value % (1 << 8 * self.size)).to_bytes(self.size, self.order)
        return content[: self.at] + number + content[self.at + self.size :]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with a right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int],
    *,
    depth: int = 8,
    colour: int = 2,
    interlaced: bool = False,
    before: bytes = b"",
    data: bytes | None = None,
    after: bytes = b"",
) -> bytes:
    """A PNG of zeros with any header; `before` and `after` are chunks around the pixels, `data` the packed pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)
    pixels = png_pixels(size, depth, colour) if data is None else data
    chunks = png_chunk(b"IHDR", header) + before + png_chunk(b"IDAT", pixels) + after + png_chunk(b"IEND", b"")
    return PNG_SIGNATURE + chunks


def png_pixels(size: tuple[int, int], depth: int, colour: int) -> bytes:
    """Rows of zeros, packed as they go: the largest ones do not fit into memory."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + (size[0] * depth * channels + 7) // 8)
    packer = zlib.compressobj(1)
    return b"".join([*(packer.compress(row) for _ in range(size[1])), packer.flush()])


def gif(size: tuple[int, int], frames: bytes, *, end: bytes = b";") -> bytes:
    """A GIF with a palette of two colours around any blocks."""
    return b"GIF89a" + struct.pack("<HH", *size) + b"\x80\0\0\0\0\0\xff\xff\xff" + frames + end


Entry = tuple[int, int, int, bytes]
"""Tag, type, count, and the value; a value of more than four bytes (eight in a BigTIFF) is put behind the directory."""


def short(tag: int, *values: int) -> Entry:
    """An entry of 16-bit numbers, least byte first."""
    return tag, 3, len(values), struct.pack(f"<{len(values)}H", *values)


def long(tag: int, *values: int) -> Entry:
    """An entry of 32-bit numbers, least byte first."""
    return tag, 4, len(values), struct.pack(f"<{len(values)}I", *values)


def text(tag: int, value: bytes) -> Entry:
    """An entry of text."""
    return tag, 2, len(value), value


def tiff_directory(entries: Sequence[Entry], offset: int, *, following: int = 0) -> bytes:
    """A directory that lies at `offset`, least byte first, with its long values behind it."""
    behind = offset + 2 + 12 * len(entries) + 4
    written, values = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in entries:
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack("<I", behind + len(values))
            values += value + b"\0" * (len(value) % 2)
        written += struct.pack("<HHI", tag, kind, count) + place
    return written + struct.pack("<I", following) + values


def tiff(entries: Sequence[Entry], data: bytes = b"") -> bytes:
    """A TIFF of one directory. `data` lies at offset 8, before it."""
    offset = 8 + len(data) + len(data) % 2
    return b"II*\0" + struct.pack("<I", offset) + data.ljust(offset - 8, b"\0") + tiff_directory(entries, offset)


def grey_tiff(size: tuple[int, int], *entries: Entry, data: bytes = b"\0") -> bytes:
    """An uncompressed grey TIFF of one strip at offset 8; `entries` add tags or take the place of them."""
    ours = [
        long(256, size[0]),
        long(257, size[1]),
        short(258, 8),
        short(259, 1),
        short(262, 1),
        long(273, 8),
        short(277, 1),
        long(278, size[1]),
        long(279, len(data)),
    ]
    merged = {entry[0]: entry for entry in (*ours, *entries)}
    return tiff([merged[tag] for tag in sorted(merged)], data)


def exif(entries: Sequence[Entry]) -> bytes:
    """An EXIF block as it stands in a JPEG, WebP or AVIF."""
    return b"Exif\0\0" + tiff(entries)


def jpeg_segment(marker: int, data: bytes) -> bytes:
    """A segment with a right length; of at most 65,533 bytes."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """A JPEG with further segments behind its beginning."""
    return content[:2] + b"".join(segments) + content[2:]


def with_chunks(content: bytes, *chunks: bytes) -> bytes:
    """A PNG with further chunks behind its header."""
    return content[:33] + b"".join(chunks) + content[33:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of any chunks."""
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def box(kind: bytes, data: bytes) -> bytes:
    """A box of an ISO base media file, such as AVIF."""
    return struct.pack(">I", len(data) + 8) + kind + data


def fields(content: bytes, image_format: str) -> list[Field]:
    """Where the lengths and offsets stand in a valid file."""
    return list(_FIELDS[image_format](content))


def boundaries(content: bytes, image_format: str) -> list[int]:
    """Where the parts of a valid file begin: at its lengths and offsets, and behind what they measure."""
    places = {place for at in fields(content, image_format) for place in (at.at, at.at + at.size)}
    return sorted(place for place in places if 0 < place < len(content))


def _png_fields(content: bytes) -> Iterator[Field]:
    position = 8
    while position < len(content):
        found = Field(position, 4, "big")
        yield found
        position += 12 + found.read(content)
    yield Field(16, 4, "big")
    yield Field(20, 4, "big")


def _jpeg_fields(content: bytes) -> Iterator[Field]:
    position = 2
    while position < len(content) - 1:
        marker = content[position + 1]
        if content[position] != 0xFF or marker == 0 or marker in _JPEG_BARE:
            position += 1
            continue
        found = Field(position + 2, 2, "big")
        yield found
        if 0xC0 <= marker <= 0xC2:
            yield Field(position + 5, 2, "big")
            yield Field(position + 7, 2, "big")
        position += 2 + found.read(content)


def _gif_fields(content: bytes) -> Iterator[Field]:
    yield Field(6, 2, "little")
    yield Field(8, 2, "little")
    yield Field(10, 1, "little")
    position = 13 + _gif_table(content[10])
    while position < len(content) and content[position] != 0x3B:
        if content[position] == 0x2C:
            for at in (1, 3, 5, 7):
                yield Field(position + at, 2, "little")
            yield Field(position + 9, 1, "little")
            position += 11 + _gif_table(content[position + 9])
        else:
            position += 2
        while content[position]:
            yield Field(position, 1, "little")
            position += 1 + content[position]
        position += 1


def _gif_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _tiff_fields(content: bytes) -> Iterator[Field]:
    order: Literal["big", "little"] = "little" if content[:2] == b"II" else "big"
    big = content[2:4] in {b"\x2b\0", b"\0\x2b"}
    wide, count_size, entry = (8, 8, 20) if big else (4, 2, 12)
    start = Field(8 if big else 4, wide, order)
    yield start
    directory = start.read(content)
    number = Field(directory, count_size, order)
    yield number
    for i in range(number.read(content)):
        at = directory + count_size + entry * i
        yield Field(at + 2, 2, order)
        yield Field(at + 4, wide, order)
        yield Field(at + 4 + wide, wide, order)
    yield Field(directory + count_size + entry * number.read(content), wide, order)


def _bmp_fields(content: bytes) -> Iterator[Field]:
    for at, size in ((2, 4), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4)):
        yield Field(at, size, "little")


def _webp_fields(content: bytes) -> Iterator[Field]:
    yield Field(4, 4, "little")
    position = 12
    while position < len(content):
        found = Field(position + 4, 4, "little")
        yield found
        position += 8 + found.read(content) + found.read(content) % 2


def _avif_fields(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    position, last = start, len(content) if end is None else end
    while position + 8 <= last:
        found = Field(position, 4, "big")
        yield found
        kind = content[position + 4 : position + 8]
        if kind in _AVIF_NESTED:
            yield from _avif_fields(content, position + _AVIF_NESTED[kind], position + found.read(content))
        elif kind == b"ispe":
            yield Field(position + 12, 4, "big")
            yield Field(position + 16, 4, "big")
        elif kind == b"iloc":
            for at in range(position + 12, position + found.read(content) - 3, 2):
                yield Field(at, 4, "big")
        position += max(8, found.read(content))


_AVIF_NESTED = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"moov": 8, b"trak": 8, b"mdia": 8, b"minf": 8, b"stbl": 8}
"""Boxes that hold boxes, and how far behind their beginning these begin."""

_FIELDS = {
    "JPEG": _jpeg_fields,
    "PNG": _png_fields,
    "GIF": _gif_fields,
    "TIFF": _tiff_fields,
    "BMP": _bmp_fields,
    "WEBP": _webp_fields,
    "AVIF": _avif_fields,
}
