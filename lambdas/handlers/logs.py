"""The logger of every function: one JSON object a line, with the job as the one id that ties the lines together.

Powertools' logger writes the same; to import it costs a stage as much as starting Python does.
"""

import json
import logging
import os
import sys
import time
from typing import Any, Final

from lambdas.jobs.model import Attempt, Job
from lambdas.jobs.trace import trace_id_of, trace_of

SERVICE: Final = "darkroom"
_ORDINARY: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""What every record has, of whatever it tells; the rest was given as `extra`."""


class _JsonLines(logging.Formatter):
    """Writes a record, and what is said of the job at work on, as one line of JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.about: dict[str, Any] = {}

    def format(self, record: logging.LogRecord) -> str:
        """Lay a record out."""
        line = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{record.msecs:03.0f}Z",
            "service": os.environ.get("POWERTOOLS_SERVICE_NAME", SERVICE),
            **self.about,
            **{name: value for name, value in vars(record).items() if name not in _ORDINARY},
        }
        if trace := trace_of(os.environ.get("_X_AMZN_TRACE_ID")):
            line.setdefault("traceId", trace_id_of(trace))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
            line["exception_name"] = getattr(record.exc_info[0], "__name__", None)
        return json.dumps(line, default=str, ensure_ascii=False)


class _Stdout(logging.StreamHandler[Any]):
    """Writes to whatever is the standard output at the moment, from where Lambda takes the log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stdout
        super().emit(record)


def _logger() -> logging.Logger:
    handler = _Stdout(sys.stdout)
    handler.setFormatter(_lines)
    made = logging.getLogger(SERVICE)
    made.handlers = [handler]
    # The runtime's own handler would write every line again, in another form.
    made.propagate = False
    made.setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))
    return made


_lines = _JsonLines()
logger = _logger()


def about(attempt: Attempt, **more: str) -> None:
    """Say whose lines come next. Ids only: no image data, no address with a signature, nothing about a person."""
    _lines.about = {
        "jobId": attempt.job_id,
        "attempt": attempt.number,
        "execution": attempt.execution_name,
        **more,
    }


def about_job(job: Job, **more: str) -> None:
    """Say that the next lines are about a job whose row is known, and so the trace that it goes by."""
    about(job.current, **({"traceId": trace_id_of(job.trace)} if job.trace else {}), **more)


def about_trace(job: Job) -> None:
    """Say by which trace the job goes that the next lines are about, and leave the rest as it was said."""
    if job.trace:
        _lines.about |= {"traceId": trace_id_of(job.trace)}


def are_about_a_job() -> bool:
    """Tell whether the next lines are about a job."""
    return "jobId" in _lines.about


def about_nobody() -> None:
    """Say that the next lines are about no job that is known."""
    _lines.about = {}
