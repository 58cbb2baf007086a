"""Making text that somebody else wrote safe to show on a terminal: tags, EXIF, the content of codes, file names."""

import unicodedata

LONGEST = 500
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control, format (which turns the direction of text), surrogate, unassigned characters, and line separators."""


def plain(text: object, longest: int = LONGEST) -> str:
    """Return the text on one line, unsafe characters written as escapes, and cut when it is too long."""
    shown = str(text)
    cut = shown[:longest]
    safe = "".join(_escaped(char) if unicodedata.category(char) in _UNSAFE else char for char in cut)
    return safe if len(shown) <= longest else f"{safe}…"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
