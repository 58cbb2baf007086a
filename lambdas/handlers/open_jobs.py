"""How many unfinished jobs an owner may have: one owner's flood is stopped before it costs executions.

The limit is a wall and not a queue: fair queueing shares what there is, and this stops what is out of all proportion.
What is counted are the rows themselves, through an index, so nothing can drift when a message comes twice or a function
dies. Two that count at the same moment may both find room, so an owner may be over the limit by the batches that are
read at once.
"""

from lambdas import config
from lambdas.adapters.job_list import JobList
from lambdas.handlers.logs import logger
from lambdas.handlers.new_jobs import refused_job
from lambdas.jobs.errors import TooManyJobs
from lambdas.jobs.model import BEFORE_THE_FIRST_STAGE, Failure, Job

NO_ROOM = "You had {limit} unfinished jobs, as many as there may be. Redrive this one when some of them are done."


def is_full(owner: str) -> bool:
    """Tell whether an owner has as many unfinished jobs as there may be."""
    limit = config.integer(config.Variable.MAX_OPEN_JOBS)
    return JobList(config.text(config.Variable.JOB_TABLE)).count_open(owner, limit=limit) >= limit


def within_limit(asked: Job) -> Job:
    """Give back a new job as it is, or as FAILED when its owner has no room for it.

    A job whose row is there already is none of this: whoever puts the row finds it, and it stands.
    """
    if not is_full(asked.owner):
        return asked
    logger.warning("The owner has too many unfinished jobs", extra={"owner": asked.owner})
    limit = config.integer(config.Variable.MAX_OPEN_JOBS)
    failure = Failure(
        error_class=TooManyJobs.__name__, message=NO_ROOM.format(limit=limit), stage=BEFORE_THE_FIRST_STAGE
    )
    return refused_job(asked, failure)
