"""The executions of the state machine."""

import json
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError

from lambdas.adapters.aws_errors import code_of, translated
from lambdas.adapters.clients import client
from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.model import Attempt

CLOCKS_DIFFER: Final = timedelta(minutes=5)


def start(state_machine_arn: str, attempt: Attempt, *, accepted_at: str) -> bool:
    """Start the execution of an attempt; return False when it was started before.

    Raises InvalidJob when an earlier job, whose row has expired since, has used up the name (Step Functions keeps names
    for 90 days).

    The name is unique for owner, job and attempt, and the input follows from it: an execution by this name is this
    attempt's: starting twice is harmless. (Step Functions takes the same name and input as the same start only while
    the execution runs; afterwards, and on some emulators always, it says that it exists.)
    """
    try:
        with translated("Starting the execution"):
            client("stepfunctions").start_execution(
                stateMachineArn=state_machine_arn,
                name=attempt.execution_name,
                input=json.dumps(attempt.payload(), sort_keys=True, separators=(",", ":")),
            )
    except ClientError as error:
        if code_of(error) != "ExecutionAlreadyExists":
            raise
        _refuse_older(state_machine_arn, attempt, accepted_at)
        return False
    return True


def _refuse_older(state_machine_arn: str, attempt: Attempt, accepted_at: str) -> None:
    arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{attempt.execution_name}"
    with translated("Looking at the execution"):
        execution = client("stepfunctions").describe_execution(executionArn=arn)
    if execution["startDate"] < datetime.fromisoformat(accepted_at) - CLOCKS_DIFFER:
        raise InvalidJob(f"An earlier job has had the id {attempt.job_id}. Submit this one under another id.")
