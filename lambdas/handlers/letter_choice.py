"""Which dead letters a call is about: the schema `LetterChoice` of openapi.yaml."""

import re
from dataclasses import dataclass
from typing import Final

from lambdas.handlers.problems import BadRequestError
from lambdas.jobs.errors import BrokenRule
from lambdas.jobs.submission import read_object

MOST: Final = 100
MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True)
class LetterChoice:
    """All letters, or those with these message ids."""

    all: bool
    message_ids: frozenset[str]

    def names(self, message_id: str) -> bool:
        """Tell whether a letter is meant."""
        return self.all or message_id in self.message_ids


def parse(body: str | None) -> LetterChoice:
    """Read the body of a redrive. Raises BadRequestError, InvalidJob for what is no JSON object."""
    document = read_object(body or "")
    every, letters = document.pop("all", False), document.pop("letters", [])
    broken = [BrokenRule(field=name[:100], rule="is not a field here") for name in sorted(document)]
    if not isinstance(every, bool):
        broken.append(BrokenRule(field="all", rule="has to be true or false"))
    if not isinstance(letters, list) or len(letters) > MOST or not all(map(_is_message_id, letters)):
        broken.append(BrokenRule(field="letters", rule=f"has to be a list of up to {MOST} message ids"))
    elif every is bool(letters):
        broken.append(BrokenRule(field="letters", rule="has to be there, unless all is true, and not with it"))
    if broken:
        raise BadRequestError.because(broken)
    return LetterChoice(every, frozenset(letters))


def _is_message_id(value: object) -> bool:
    return isinstance(value, str) and MESSAGE_ID.fullmatch(value) is not None
