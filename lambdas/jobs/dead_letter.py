"""The one envelope of a dead letter, whichever way the job died: it never started, or its workflow failed.

The state machine writes the same fields by hand (state `DeadLetter`); a contract test holds the two together.
"""

import json
from dataclasses import dataclass

from lambdas.jobs.model import Failure

SCHEMA_VERSION = 1
BEFORE_THE_FIRST_STAGE = "start"
"""What stands for the stage where a job died before its execution began."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """What a person needs to understand a dead job and to decide what to do with it.

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

    def to_json(self) -> str:
        """Write the envelope."""
        return json.dumps(
            {
                "schemaVersion": SCHEMA_VERSION,
                "jobId": self.job_id,
                "owner": self.owner,
                "attempt": self.attempt,
                "stage": self.failure.stage or BEFORE_THE_FIRST_STAGE,
                "errorClass": self.failure.error_class,
                "message": self.failure.message,
                "cause": self.cause,
                "redriveCanHelp": self.failure.redrive_can_help,
                "executionArn": self.execution_arn,
                "failedAt": self.failed_at,
                **({"body": self.body} if self.body is not None else {}),
            }
        )
