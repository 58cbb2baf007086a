"""The operators' redrive: a function of the deployment that starts a failed job's next attempt, letter by letter."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from darkroom.aws import in_our_words
from darkroom.dead_letters import DeadLetter
from darkroom.errors import AwsFailureError


class Outcome(StrEnum):
    """What has become of a letter's job."""

    REDRIVEN = "REDRIVEN"
    MOVED_ON = "MOVED_ON"
    """It is not FAILED at the letter's attempt any more: the letter is out of date."""
    REFUSED = "REFUSED"
    NOT_FOUND = "NOT_FOUND"
    """Its record has expired."""

    @property
    def ends_the_letter(self) -> bool:
        """Whether the letter has nothing more to say."""
        return self in {Outcome.REDRIVEN, Outcome.MOVED_ON}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the function says of one letter, and how its job stands now."""

    outcome: Outcome
    detail: str
    status: str | None = None
    attempt: int | None = None


class RedriveFunction:
    """The function, by its name."""

    def __init__(self, functions: Any, name: str) -> None:
        self._functions = functions
        self._name = name

    def redrive(self, letter: DeadLetter) -> Answer:
        """Redrive the job of a letter that names an attempt; twice is as once. Raises AwsError."""
        asked = {"owner": letter.owner, "jobId": letter.job_id, "attempt": letter.attempt}
        with in_our_words(self._name):
            answer = self._functions.invoke(FunctionName=self._name, Payload=json.dumps(asked).encode())
            said = answer["Payload"].read()
        document = _object(said)
        if "FunctionError" in answer:
            reason = f"{document.get('errorType', 'Error')}: {document.get('errorMessage', 'no words')}"
            raise AwsFailureError(f"The redrive function failed ({reason}). Its log says more.")
        return _answer(document)


def _answer(document: dict[str, Any]) -> Answer:
    try:
        outcome = Outcome(document.get("outcome", ""))
    except ValueError as error:
        raise AwsFailureError(
            f"The redrive function answered {document.get('outcome')!r}, which this client does not know. Is it of the "
            "same version, and is the function's name in the profile right?"
        ) from error
    status, attempt = document.get("status"), document.get("attempt")
    return Answer(
        outcome=outcome,
        detail=str(document.get("detail") or ""),
        status=status if isinstance(status, str) else None,
        attempt=attempt if isinstance(attempt, int) else None,
    )


def _object(said: bytes) -> dict[str, Any]:
    try:
        document = json.loads(said)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
