"""The executions of the state machine."""

import json

from botocore.exceptions import ClientError

from lambdas.adapters.aws_errors import code_of, translated
from lambdas.adapters.clients import client
from lambdas.jobs.model import Attempt


def start(state_machine_arn: str, attempt: Attempt) -> bool:
    """Start the execution of an attempt; return False when it was started before.

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
        return False
    return True
