"""A redrive asked for by an operator at a terminal; owners, and operators in the console, ask through the API.

Invoked directly, by whoever may invoke it: its rights are the operators' rights.
"""

from typing import Any

from lambdas import config
from lambdas.adapters.job_table import JobTable
from lambdas.handlers.letter_redrives import redrive_letter
from lambdas.jobs.model import Attempt


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Redrive one job; `event` has the `owner`, `jobId` and `attempt` of its dead letter. Raises KeyError without."""
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    outcome, job, detail = redrive_letter(table, Attempt.from_payload(event))
    return {
        "outcome": outcome.value,
        "status": job.status.value if job else None,
        "attempt": job.attempt if job else None,
        "detail": detail,
    }
