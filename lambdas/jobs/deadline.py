"""The time that an owner gives a job: counted from its submission, and anew from each redrive."""

from collections.abc import Mapping

from lambdas.jobs.times import later

OPTION = "deadlineSeconds"


def deadline_after(start: str, options: Mapping[str, int]) -> str | None:
    """Say when an attempt that was asked for at `start` is to be over; None when its owner has not said."""
    return later(options[OPTION], than=start) if OPTION in options else None
