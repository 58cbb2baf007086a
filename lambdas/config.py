"""What a function is told by its environment: the names of the variables, and their values, typed.

The stack sets the variables by these names. Nothing is read at import, so that a test can set them first.
"""

import os
from enum import StrEnum
from typing import Final

ON: Final = "on"
OFF: Final = "off"
"""Of variables that switch something."""
OPERATORS: Final = "operators"
"""The group of the user pool whose members may name another owner."""


class Variable(StrEnum):
    """Names of environment variables."""

    JOB_TABLE = "JOB_TABLE"
    IMAGE_BUCKET = "IMAGE_BUCKET"
    JOB_QUEUE_URL = "JOB_QUEUE_URL"
    INTAKE_DEAD_LETTER_QUEUE_URL = "INTAKE_DEAD_LETTER_QUEUE_URL"
    DEAD_LETTER_QUEUE_URL = "DEAD_LETTER_QUEUE_URL"
    STATE_MACHINE_ARN = "STATE_MACHINE_ARN"
    EVENT_TABLE = "EVENT_TABLE"
    EVENT_BUS_NAME = "EVENT_BUS_NAME"
    EVENT_FAILURES_URL = "EVENT_FAILURES_URL"
    TICKET_TABLE = "TICKET_TABLE"
    WATCHER_TABLE = "WATCHER_TABLE"
    PUSH_URL = "PUSH_URL"
    STAGE = "STAGE"
    MAX_UPLOAD_BYTES = "MAX_UPLOAD_BYTES"
    MAX_OPEN_JOBS = "MAX_OPEN_JOBS"
    RETENTION_DAYS = "RETENTION_DAYS"
    PATIENCE_SECONDS = "PATIENCE_SECONDS"
    LABELS = "LABELS"


class MissingSettingError(RuntimeError):
    """The function was deployed without a variable that it needs."""


def text(variable: Variable) -> str:
    """Read a variable. Raises MissingSettingError when it is not set: a fault of the deployment."""
    value = os.environ.get(variable)
    if not value:
        raise MissingSettingError(f"The environment variable {variable} is not set; deploy the stack again.")
    return value


def flag(variable: Variable) -> bool:
    """Read a variable that is `on` or `off`. Raises MissingSettingError when it is not set."""
    return text(variable) == ON


def integer(variable: Variable) -> int:
    """Read a variable as a whole number. Raises MissingSettingError when it is not set, ValueError when it is none."""
    return int(text(variable))
