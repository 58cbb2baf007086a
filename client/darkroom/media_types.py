"""Which media type to declare for a file. Refuses nothing: what a file really is, the server judges by its content."""

from pathlib import PurePath

FALLBACK = "image/jpeg"

_BY_SUFFIX = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}
_BY_START = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
)


def media_type(content: bytes, name: str | None = None) -> str:
    """Guess by the name's extension, then by the first bytes; an unknown file is declared as JPEG."""
    by_suffix = _BY_SUFFIX.get(PurePath(name).suffix.lower()) if name else None
    return by_suffix or _by_start(content) or FALLBACK


def _by_start(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:12] in {b"ftypavif", b"ftypavis"}:
        return "image/avif"
    return next((kind for start, kind in _BY_START if content.startswith(start)), None)
