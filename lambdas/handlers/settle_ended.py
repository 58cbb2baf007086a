"""When an execution ends where no Catch could see it (stopped in the console, timed out): settles the job all the same.

Told by the event "Step Functions Execution Status Change", which comes at least once and in any order. An end that
is there already stands, and an attempt that is not the current one has nothing to say.
"""

import json
from typing import Any

from lambdas import config
from lambdas.adapters.executions import Execution
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.metering import meter
from lambdas.handlers.logs import about, about_job, logger
from lambdas.handlers.settling import send_owed_letter, settle_after
from lambdas.jobs.model import Attempt


def handler(event: dict[str, Any], _context: Any) -> None:
    """Settle the job of one execution that has ended without success."""
    meter.start()
    attempt = _attempt(event["detail"])
    if attempt is None:
        logger.warning("The execution is not one of Darkroom's jobs", extra={"execution": event["detail"].get("name")})
        return
    about(attempt)
    table = JobTable(config.text(config.Variable.JOB_TABLE))
    job = table.get(attempt.owner, attempt.job_id)
    if job is None or job.attempt != attempt.number:
        logger.info("The job is at another attempt, or gone")
        return
    about_job(job)
    if job.owed_letter is not None:
        send_owed_letter(job)
    elif not settle_after(table, job, Execution.read_event(event["detail"])):
        logger.info("There is nothing to settle", extra={"status": job.status})


def _attempt(execution: dict[str, Any]) -> Attempt | None:
    """Read whose execution it is; None when somebody has started it by hand.

    The name says it all but the owner, of whom it has a hash: the input has to agree. That is ids only, so it is never
    among what the event leaves out for its size.
    """
    try:
        attempt = Attempt.from_payload(json.loads(execution["input"]))
    except (KeyError, TypeError, ValueError):
        return None
    return attempt if attempt.execution_name == execution["name"] else None
