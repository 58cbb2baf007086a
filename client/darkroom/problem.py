"""The problem document (RFC 9457) that every refusal of the API carries. Knows nothing of HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BrokenRule:
    """One field of a request, and the rule that it breaks."""

    field: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why the API refused. `type` is stable: a program may depend on it."""

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: tuple[BrokenRule, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, document: object, status: int) -> "Problem":
        """Read a problem from any body: one that is none (a proxy's page, say) makes a problem of its status alone."""
        members = document if isinstance(document, dict) else {}
        return cls(
            type=_text(members, "type") or "about:blank",
            title=_text(members, "title") or _text(members, "message") or _phrase(status),
            status=status,
            detail=_text(members, "detail"),
            instance=_text(members, "instance"),
            errors=_rules(members.get("errors")),
            document=members,
        )

    def sentence(self) -> str:
        """Say it in words: the detail, or the title, and each rule that was broken."""
        rules = "; ".join(f"{broken.field}: {broken.rule}" for broken in self.errors)
        said = self.detail or f"{self.title} (HTTP {self.status})"
        return f"{said} ({rules})" if rules else said


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None


def _rules(errors: object) -> tuple[BrokenRule, ...]:
    listed = errors if isinstance(errors, list) else []
    return tuple(
        BrokenRule(field=str(error.get("field", "?")), rule=str(error.get("rule", "?")))
        for error in listed
        if isinstance(error, dict)
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"
