"""The runbooks of docs/operations.md, read: sections, what is typed in each, and the commands in that."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "operations.md"
_KEYWORDS: Final = {"do", "done", "for", "while", "then", "{", "}"}
_ENDS: Final = re.compile(r"[|&;(){}]+")
_REDIRECTIONS: Final = re.compile(r"&?[<>]+&?")


@dataclass(frozen=True)
class Section:
    """One heading, and what is below it until the next."""

    title: str
    text: str

    @property
    def anchor(self) -> str:
        """What a link to it ends with, as GitHub makes it."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")

    @property
    def typed(self) -> list[str]:
        """Every block that is there to be typed."""
        return re.findall(r"^```sh\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)


def sections() -> list[Section]:
    """Read the page."""
    parts = re.split(r"^##+ (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return [Section(title, text) for title, text in zip(parts[1::2], parts[2::2], strict=True)]


def commands(block: str) -> Iterator[list[str]]:
    """Take a block apart into commands, each as words; those within `$(...)` come by themselves, first."""
    text = block.replace("\\\n", " ")
    while inner := re.search(r"\$\(([^()]*)\)", text):
        yield from _simple(inner[1])
        text = text.replace(inner[0], "VALUE")
    yield from _simple(re.sub(r"\$\(\(.*?\)\)", "VALUE", text))


def _simple(text: str) -> Iterator[list[str]]:
    for line in _lines(text):
        words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        words.whitespace_split = True
        command: list[str] = []
        for word in words:
            if _REDIRECTIONS.fullmatch(word):
                next(words)  # a file, or what is handed in
            elif _ENDS.fullmatch(word) or word in _KEYWORDS:
                yield from [command] if command else []
                command = []
            else:
                command.append(word)
        yield from [command] if command else []


def _lines(text: str) -> Iterator[str]:
    """Join lines until their quotes are closed."""
    kept = ""
    for line in text.splitlines():
        kept += line + "\n"
        try:
            shlex.split(kept, comments=True)
        except ValueError:
            continue
        yield kept
        kept = ""
