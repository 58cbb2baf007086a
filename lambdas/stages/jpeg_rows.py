"""The upper rows of a JPEG, without the work of decoding the lower ones.

Must not be used to tell whether a file is whole.
"""

import re
import struct

# SOF0 to SOF15, but not DHT, JPG and DAC, which stand among them (ITU-T T.81, table B.1).
_START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_START_OF_SCAN = 0xDA
_HEIGHT_AT = 3
"""Bytes from a frame header's length to its number of lines (T.81, B.2.2): the length itself, and the precision."""


def upper_rows(content: bytes, rows: int) -> bytes:
    """Change a JPEG's header to say that it has `rows` rows: decoders stop there, at the same share of the whole work.

    What is left over of a scan is stepped over, as libjpeg does with any bytes before a marker. The content itself is
    returned when it has no more rows than that, or no header where one should be.
    """
    at = _frame_header(content)
    if at is None or struct.unpack_from(">H", content, at + _HEIGHT_AT)[0] <= rows:
        return content
    return b"".join((content[: at + _HEIGHT_AT], struct.pack(">H", rows), content[at + _HEIGHT_AT + 2 :]))


def _frame_header(content: bytes) -> int | None:
    """Find where the frame header's length is."""
    position = 2
    while marker := _MARKER.match(content, position):
        position, kind = marker.end(), marker[1][0]
        if kind in _START_OF_FRAME:
            return position if position + _HEIGHT_AT + 2 <= len(content) else None
        if kind == _START_OF_SCAN or position + 2 > len(content):
            return None
        position += struct.unpack_from(">H", content, position)[0]
    return None
