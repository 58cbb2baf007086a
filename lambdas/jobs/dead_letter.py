"""The one envelope of a dead letter, whichever way the job died: it never started, its workflow failed, or was ended.

Made from the job's row, so that the letter and the row say the same, and so that it can be made again.
"""

from dataclasses import dataclass
from typing import Any

from lambdas.jobs.model import BEFORE_THE_FIRST_STAGE, Failure, Job

SCHEMA_VERSION = 1


class NoLetterError(ValueError):
    """There is no letter to be made of a job that has not failed, or whose letter is sent."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """What a person needs to understand a dead job and to decide what to do with it.

    Owner, job id and attempt are its identity: the queue may deliver it, and the sender may send it, more than once.
    `job_id` and `owner` are None only for a message that does not say whose it is; `body` is then what it said.
    """

    job_id: str | None
    owner: str | None
    attempt: int
    failure: Failure
    failed_at: str
    execution_arn: str | None = None
    cause: str | None = None
    body: str | None = None

    @classmethod
    def owed_by(cls, job: Job) -> "DeadLetter":
        """Make the letter that a failed job still owes. Raises NoLetterError."""
        if job.error is None or job.owed_letter is None:
            raise NoLetterError(f"The job is {job.status} and owes no dead letter.")
        return cls(
            job_id=job.job_id,
            owner=job.owner,
            attempt=job.attempt,
            failure=job.error,
            failed_at=job.finished_at or job.updated_at,
            execution_arn=job.owed_letter.execution_arn,
            cause=job.owed_letter.cause,
        )

    @property
    def next_step(self) -> str:
        """What whoever reads the letter can type next."""
        if self.job_id is None:
            return (
                "Nobody's job: `body` is what was sent. Find its sender, then `darkroom dlq discard --class "
                f"{self.failure.error_class}`."
            )
        if not self.failure.redrive_can_help:
            return (
                f"A new attempt cannot help; the owner has been told why. `darkroom dlq discard {self.job_id}` "
                "puts the letter away."
            )
        return f"Mend what the cause names, if it has not passed by itself, then `darkroom dlq redrive {self.job_id}`."

    def to_document(self) -> dict[str, Any]:
        """Lay the envelope out as JSON values."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "jobId": self.job_id,
            "owner": self.owner,
            "attempt": self.attempt,
            "stage": self.failure.stage or BEFORE_THE_FIRST_STAGE,
            "errorClass": self.failure.error_class,
            "message": self.failure.message,
            "cause": self.cause,
            "redriveCanHelp": self.failure.redrive_can_help,
            "next": self.next_step,
            "executionArn": self.execution_arn,
            "failedAt": self.failed_at,
            **({"body": self.body} if self.body is not None else {}),
        }
