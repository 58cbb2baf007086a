"""Holding an answer back until there is something to say."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from lambdas.adapters.job_table import JobTable
from lambdas.jobs.model import Job

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 0.5


Seen = TypeVar("Seen")


def wait_until(look: Callable[[], Seen], seconds: float, is_worth_telling: Callable[[Seen], bool]) -> Seen:
    """Look again and again until there is something worth telling or the time is up; return what is there then."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        seen = look()
        if is_worth_telling(seen) or time.monotonic() + pause > deadline:
            return seen
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def wait_for_job(
    table: JobTable, owner: str, job_id: str, seconds: float, is_worth_telling: Callable[[Job], bool]
) -> Job | None:
    """Read a job again and again until it is worth telling of or the time is up; return it as it is then."""
    return wait_until(lambda: table.get(owner, job_id), seconds, lambda job: job is not None and is_worth_telling(job))
