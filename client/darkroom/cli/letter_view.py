"""Dead letters, for people: a list, and one letter whole. Trusts no text in them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.table import Table
from rich.text import Text

from darkroom.cli.moments import age, moment
from darkroom.cli.plain_text import plain
from darkroom.dead_letters import SHORT_ID, DeadLetter, Kind

_LABEL_WIDTH = 11
_LONGEST_LINE = 5000


def letter_table(letters: Iterable[DeadLetter], now: datetime) -> Table:
    """Lay out a list of letters."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("JOB", "AGE", "OWNER", "REDRIVE"):
        table.add_column(heading, no_wrap=True)
    table.add_column("WHAT FAILED", overflow="fold")
    for letter in letters:
        table.add_row(
            Text(plain(letter.name)),
            _age(letter, now),
            Text(plain((letter.owner or "-")[:SHORT_ID])),
            _REDRIVE[letter.redrive_can_help],
            _what(letter).append(_copies(letter), style="dim"),
        )
    return table


def letter_lines(letter: DeadLetter, now: datetime, *, console: bool) -> Iterator[Text]:
    """Lay out one letter, in lines that are never wrapped: what is in them is copied elsewhere.

    `console` is whether AWS's console knows the execution.
    """
    attempt = f" (attempt {letter.attempt})" if letter.attempt is not None else ""
    yield Text(f"{plain(letter.name)}{attempt}", style="bold")
    facts = {
        "what": _what(letter),
        "where": f"stage {letter.stage}" if letter.stage else None,
        "when": f"{moment(letter.since)} ({age(now - letter.since)} ago)" if letter.since else None,
        "owner": letter.owner,
        "redrive": _REDRIVE_IN_WORDS[letter.redrive_can_help] if letter.kind is Kind.LETTER else None,
        "copies": str(len(letter.message_ids)) if len(letter.message_ids) > 1 else None,
        "messages": ", ".join(letter.message_ids),
        "execution": letter.execution_arn,
        "console": letter.console_url if console else None,
        "next": letter.next_step,
    }
    for label, fact in facts.items():
        if fact is not None:
            shown = fact if isinstance(fact, Text) else Text(plain(fact, _LONGEST_LINE))
            yield Text(f"  {label:<{_LABEL_WIDTH}}", style="bold").append_text(shown)
    yield from _said("cause", letter.cause)
    yield from _said("body", letter.text if letter.kind is Kind.RAW else letter.body)


def by_class(letters: Iterable[DeadLetter]) -> str:
    """Count letters by their class: `2 StageTimeout, 1 InvalidImage`."""
    counts = Counter(letter.error_class or "raw" for letter in letters)
    return ", ".join(f"{number} {plain(name, 100)}" for name, number in counts.most_common())


_REDRIVE = {True: "can help", False: "cannot help", None: "-"}
_REDRIVE_IN_WORDS = {True: "can help", False: "cannot help", None: "may or may not help; the letter does not say"}


def _what(letter: DeadLetter) -> Text:
    if letter.kind is Kind.RAW:
        return Text("raw: a message that is no dead letter", style="yellow")
    words = Text(plain(letter.message or "no words"), style="red")
    where = f" in {plain(letter.stage)}" if letter.stage else ""
    return words.append(f" ({plain(letter.error_class)}{where})", style="not red")


def _copies(letter: DeadLetter) -> str:
    return f" {len(letter.message_ids)} copies" if len(letter.message_ids) > 1 else ""


def _age(letter: DeadLetter, now: datetime) -> str:
    return age(now - letter.since) if letter.since else "-"


def _said(label: str, text: str | None) -> Iterator[Text]:
    if text is None:
        return
    yield Text(f"  {label}", style="bold")
    for line in _pretty(text):
        yield Text(f"    {plain(line, _LONGEST_LINE)}")


def _pretty(text: str) -> list[str]:
    """Spread JSON out over lines."""
    try:
        laid_out = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text.splitlines()
    return laid_out.splitlines()
