"""What a person may ask for: the rules of a submission, checked again behind the gateway, which is not trusted."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.jobs import deadline
from lambdas.jobs.errors import BrokenRule, InvalidJob

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Of jobs and images."""
MAX_BODY_CHARACTERS = 64 * 1024
"""Far above any submission that keeps the rules below; far below what SQS would carry."""
MAX_TAGS = 10
MAX_TAG_KEY = 64
MAX_TAG_VALUE = 256


@dataclass(frozen=True, kw_only=True)
class IntegerOption:
    """A whole number within bounds, both included. Without a default, it is as if nobody had thought of it."""

    minimum: int
    maximum: int
    default: int | None


OPTIONS: Mapping[str, IntegerOption] = {
    deadline.OPTION: IntegerOption(minimum=1, maximum=86_400, default=None),
    "colours": IntegerOption(minimum=2, maximum=12, default=6),
    "previewPixels": IntegerOption(minimum=256, maximum=1536, default=1024),
    "thumbnailPixels": IntegerOption(minimum=64, maximum=512, default=256),
}


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A job as asked for, complete with defaults; `names_analyses` tells whether it says itself what it wants."""

    image_id: str
    analyses: Sequence[str]
    options: Mapping[str, int]
    tags: Mapping[str, str]
    names_analyses: bool = True


def parse_submission(
    body: str, *, known_analyses: Sequence[str], default_analyses: Sequence[str] | None = None
) -> Submission:
    """Read and check the body of a submission; what names no analyses gets the default ones, or all.

    Raises InvalidJob, which names each field and the rule it breaks.
    """
    document = read_object(body)
    broken = [rule for check in _CHECKS for rule in check(document, known_analyses)]
    _raise_for(broken)
    asked = document.get("analyses", known_analyses if default_analyses is None else default_analyses)
    return Submission(
        image_id=document["imageId"],
        analyses=[name for name in known_analyses if name in asked],
        options=_options(document.get("options", {})),
        tags=document.get("tags", {}),
        names_analyses="analyses" in document,
    )


def _options(asked: Mapping[str, int]) -> dict[str, int]:
    defaults = {name: rule.default for name, rule in OPTIONS.items() if rule.default is not None}
    return {**defaults, **asked}


def parse_object(body: str | None, *, fields: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Read a small body whose fields are words out of a list. Raises InvalidJob, as `parse_submission` does."""
    document = read_object(body or "")
    broken = [
        BrokenRule(field=_shown(name), rule="is not a field here") for name in sorted(document.keys() - fields.keys())
    ]
    broken += [
        BrokenRule(field=name, rule=f"has to be one of {', '.join(words)}")
        for name, words in fields.items()
        if not isinstance(document.get(name), str) or document[name] not in words
    ]
    _raise_for(broken)
    return document


def _raise_for(broken: Sequence[BrokenRule]) -> None:
    if broken:
        raise InvalidJob("These rules are broken: " + "; ".join(map(str, broken)) + ".", broken)


def is_id(value: object) -> bool:
    """Tell whether a value can be the id of a job or an image."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def read_object(body: str) -> dict[str, Any]:
    """Read a JSON object that means the same to everybody. Raises InvalidJob."""
    if len(body) > MAX_BODY_CHARACTERS:
        raise InvalidJob(f"The body has {len(body)} characters; at most {MAX_BODY_CHARACTERS} are accepted.")
    try:
        document = json.loads(body, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidJob(f"The body cannot be read as JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidJob("The body has to be a JSON object.")
    if not _is_unicode(document):
        raise InvalidJob("The body has half of a surrogate pair in a text, which is no character.")
    return document


def _is_unicode(document: dict[str, Any]) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        # Readers of JSON disagree on which of two equal names counts, so neither does.
        raise ValueError("a name appears twice in one object")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_fields(document: dict[str, Any], _: Collection[str]) -> Iterator[BrokenRule]:
    for name in sorted(document.keys() - {"imageId", "analyses", "options", "tags"}):
        yield BrokenRule(field=_shown(name), rule="is not a field of a submission")


def _check_image_id(document: dict[str, Any], _: Collection[str]) -> Iterator[BrokenRule]:
    if not is_id(document.get("imageId")):
        yield BrokenRule(field="imageId", rule="has to be the imageId that POST /uploads answered")


def _check_analyses(document: dict[str, Any], known: Collection[str]) -> Iterator[BrokenRule]:
    asked = document.get("analyses", list(known))
    if not (
        isinstance(asked, list)
        and asked
        and all(isinstance(name, str) and name in known for name in asked)
        and len(set(asked)) == len(asked)
    ):
        yield BrokenRule(field="analyses", rule=f"has to be a list of one or more of {', '.join(known)}, each once")


def _check_options(document: dict[str, Any], _: Collection[str]) -> Iterator[BrokenRule]:
    options = document.get("options", {})
    if not isinstance(options, dict):
        yield BrokenRule(field="options", rule="has to be an object")
        return
    for name, value in options.items():
        if name not in OPTIONS:
            yield BrokenRule(field=f"options.{_shown(name)}", rule=f"is unknown; there are {', '.join(OPTIONS)}")
        elif not _is_within(value, OPTIONS[name]):
            limits = f"{OPTIONS[name].minimum} to {OPTIONS[name].maximum}"
            yield BrokenRule(field=f"options.{name}", rule=f"has to be a whole number from {limits}")


def _check_tags(document: dict[str, Any], _: Collection[str]) -> Iterator[BrokenRule]:
    tags = document.get("tags", {})
    if not isinstance(tags, dict) or len(tags) > MAX_TAGS:
        yield BrokenRule(field="tags", rule=f"has to be an object of at most {MAX_TAGS} names")
        return
    for name, value in tags.items():
        if not 1 <= len(name) <= MAX_TAG_KEY:
            yield BrokenRule(field=f"tags.{_shown(name)}", rule=f"the name has to have 1 to {MAX_TAG_KEY} characters")
        if not isinstance(value, str) or len(value) > MAX_TAG_VALUE:
            yield BrokenRule(field=f"tags.{_shown(name)}", rule=f"has to be text of at most {MAX_TAG_VALUE} characters")


_CHECKS = (_check_fields, _check_image_id, _check_analyses, _check_options, _check_tags)


def _is_within(value: object, rule: IntegerOption) -> bool:
    # A bool is an int to Python, and 6.0 a number to JSON Schema; neither is what anybody means by 6.
    return isinstance(value, int) and not isinstance(value, bool) and rule.minimum <= value <= rule.maximum


def _shown(name: str) -> str:
    """A caller's own word, safe and short enough to be said back to it."""
    return re.sub(r"[^\w .-]", "?", name)[:MAX_TAG_KEY]
