"""The logger of every function: structured, with the job as the one id that ties its lines together."""

from aws_lambda_powertools import Logger

from lambdas.jobs.model import Attempt

logger = Logger()


def about(attempt: Attempt, **more: str) -> None:
    """Say whose lines come next. Ids only: no image data, no address with a signature, nothing about a person."""
    logger.clear_state()
    logger.append_keys(jobId=attempt.job_id, attempt=attempt.number, execution=attempt.execution_name, **more)
