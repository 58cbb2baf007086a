"""Holding an answer back until there is something to say."""

import time
from collections.abc import Callable
from typing import Final

from lambdas.adapters.job_table import JobTable
from lambdas.jobs.model import Job

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 0.5


def wait_for_job(
    table: JobTable, owner: str, job_id: str, seconds: float, is_worth_telling: Callable[[Job], bool]
) -> Job | None:
    """Read a job again and again until it is worth telling of or the time is up; return it as it is then."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        job = table.get(owner, job_id)
        if (job and is_worth_telling(job)) or time.monotonic() + pause > deadline:
            return job
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
