"""Writing HTML of which nothing can get out of its place: whatever is not an element made here is text.

Knows only elements; a page's frame is a template of its own.
"""

from html import escape

from darkroom.cli.plain_text import plain

_VOID = {"br", "img", "rect", "polyline"}
"""Elements without content; those of SVG are closed in the same way."""
_LONGEST = 10_000


class Markup(str):
    """HTML that was made by `element`. Joined with other strings it is one of them again, and is escaped."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: object) -> Markup:
    """Write an element. Content that is no `Markup` is escaped; so is every attribute's value.

    An attribute that is None is left out; of its name, a last `_` is dropped and others become hyphens.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{''.join(map(_written, content))}</{name}>")


def together(*parts: str) -> Markup:
    """Put elements and texts after one another."""
    return Markup("".join(map(_written, parts)))


def _written(part: str) -> str:
    return part if isinstance(part, Markup) else escape(plain(part, _LONGEST), quote=True)
