"""Writes what the model says into docs/capacity.md: `make pages`.

A test holds the table of limits to what the model says now; the rest takes too long to play through in each test run.
"""

import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Final

from laptop.capacity import __main__ as command
from laptop.page_blocks import filled
from laptop.places import ROOT

PAGE: Final = ROOT / "docs" / "capacity.md"
MILLION: Final = ("--rate", "1000000/day")
BURST: Final = (*MILLION, "--burst", "20000")
LET_IN: Final = (*BURST, "--set", "submissions_per_second=2000 submission_burst=20000")
_PLAYED: Final = "Played through"
_SAMPLES: Final = re.compile(r"\n +after +queued")
_EVERY_FIVE_MINUTES: Final = re.compile(r"^ +[\d,]*[05]0 s +0 .*\n", re.MULTILINE)
"""Samples of an empty queue, which say nothing."""


def limits() -> str:
    """Lay out the limits at a million jobs a day."""
    return _fenced(_said((*MILLION, "--hours", "0.01")).partition(_PLAYED)[0])


def blocks() -> dict[str, str]:
    """Make every block of the page, by its name. Takes a minute."""
    million, burst, let_in = _said((*MILLION, "--hours", "24")), _said(BURST), _said(LET_IN)
    return {
        "limits": limits(),
        "a million": _fenced(_without_samples(_from(_PLAYED, million))),
        "a burst": _fenced(_without_samples(_from(_PLAYED, burst))),
        "a burst that is let in": _fenced(_EVERY_FIVE_MINUTES.sub("", _from("Met first", let_in))),
    }


def _said(arguments: Sequence[str]) -> str:
    with redirect_stdout(StringIO()) as said:
        command.main(arguments)
    return said.getvalue()


def _from(begin: str, text: str) -> str:
    return text[text.index(begin) :]


def _without_samples(text: str) -> str:
    return _SAMPLES.split(text)[0]


def _fenced(text: str) -> str:
    return f"```\n{text.rstrip()}\n```"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(), blocks()))
