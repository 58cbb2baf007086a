"""One job that a command carries to its end: what is known of it, and how far it is."""

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from darkroom.cli.exit_codes import ExitCode, of_end, of_error
from darkroom.cli.terminal import error_document
from darkroom.errors import DarkroomError, NotFoundError, ProblemError, ServerError, SignInError
from darkroom.models import Job, JobAccepted


class Step(StrEnum):
    """What is done for an item at this end of the line."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"


@dataclass(kw_only=True)
class Item:
    """A file to analyse, or a job to watch. Written by one worker at a time, read by the progress display."""

    label: str
    path: Path | None = None
    job_id: str | None = None
    """Set before the job is submitted: from then on it may exist."""
    step: Step = Step.WAITING
    accepted: JobAccepted | None = None
    job: Job | None = None
    report: dict[str, Any] | None = None
    error: DarkroomError | None = None
    told: bool = False
    """Whether the person has been told of the error."""
    crash: BaseException | None = None
    settled: threading.Event = field(default_factory=threading.Event)

    @property
    def word(self) -> str:
        """How it stands, in a word."""
        if self.error is not None:
            return "trouble"
        return self.job.status.value.lower() if self.job else self.step.value

    @property
    def percent(self) -> int:
        """How much of the job is done."""
        return self.job.progress if self.job else 0

    @property
    def goes_on(self) -> bool:
        """Whether there may be a job that has not ended."""
        ended = self.job is not None and self.job.status.is_end
        return self.job_id is not None and not ended and not self._refused

    @property
    def _refused(self) -> bool:
        """Whether the API has said that there is no such job. A lost answer or a 5xx leaves it open."""
        if self.path is None or self.accepted is not None:
            return isinstance(self.error, NotFoundError)
        return isinstance(self.error, ProblemError | SignInError) and not isinstance(self.error, ServerError)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that it asks for."""
        if self.error is not None:
            return of_error(self.error)
        return of_end(self.job.status) if self.job else ExitCode.SUCCEEDED

    def document(self) -> dict[str, Any]:
        """Describe the outcome for a program."""
        status = self.job.status if self.job else self.accepted.status if self.accepted else None
        members = {
            "file": str(self.path) if self.path else None,
            "jobId": self.job_id,
            "status": status.value if status else None,
            "job": dict(self.job.document) if self.job else None,
            "report": self.report,
            "error": error_document(self.error) if self.error else None,
        }
        return {name: value for name, value in members.items() if value is not None}
