"""Text that was found inside a file, made safe to store and to show as text. Must not interpret it."""

import unicodedata

_MARK = "…"


def clean(text: str, limit: int, *, keep: str = "") -> str:
    """Drop control, format and private characters (Unicode category C) except `keep`; at most `limit` are left.

    Format characters matter as much as control ones: a right-to-left override makes a harmless name of a hostile one.
    """
    # Cut before the work: a tag may hold megabytes, of which all but the beginning would be thrown away.
    head = text[: limit * 4]
    shown = "".join(c if c in keep else _visible(c) for c in head).strip()
    return shown if len(shown) <= limit else shown[: limit - len(_MARK)] + _MARK


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character).startswith("C") else character
