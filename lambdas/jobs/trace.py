"""The one trace that a job goes by, from the call that submitted it to its report: X-Ray's, or one of the same form.

A function that reads a queue is given a trace of its own, which is only linked to that of a message. So the message's
is kept in the job's row, and handed to every execution of the job.
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

import hashlib
import re
from typing import Final

from lambdas.jobs.times import epoch_seconds

_ROOT: Final = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_SAMPLED: Final = ";Sampled=1"
_RANDOM_DIGITS: Final = 24


def trace_of(header: str | None) -> str | None:
    """Read which trace a header names, and whether it is recorded; what else it says is left out.

    None when it names none: what came from elsewhere is used only if it has X-Ray's form.
    """
    found = _ROOT.search(header or "")
    if found is None:
        return None
    return f"Root={found[1]}{_SAMPLED if _SAMPLED in (header or '') else ''}"


def own_trace(message_id: str, sent_at: str) -> str:
    """Make one for a message that came without: the same each time that it comes, and recorded by nobody."""
    digits = hashlib.sha256(message_id.encode()).hexdigest()[:_RANDOM_DIGITS]
    return f"Root=1-{epoch_seconds(sent_at):08x}-{digits}"


def trace_id_of(trace: str) -> str:
    """Tell the id of a trace, by which X-Ray and the logs know it."""
    return trace.removeprefix("Root=").partition(";")[0]
