"""The kinds of faults: what each is, how many jobs it is planned for, and as what a job may fail because of it.

A job that fails as anything else, or with no fault that could have failed it, has been lost to something that Darkroom
should have survived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

FULL_RUN: Final = 300
"""Jobs from which on every kind has to happen `AT_LEAST` times; fewer jobs, proportionally fewer."""
AT_LEAST: Final = 10
USUAL: Final = 0.055
"""Of the jobs: more than has to happen, because not every fault that is planned meets its moment."""
RARE: Final = 0.075
"""The same for those whose moment is hard to meet."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault."""

    name: str
    says: str
    share: float = USUAL
    fails_as: frozenset[str] = frozenset()
    """Error classes that a job may end with because of it; without any, a job survives it."""
    inside: bool = False
    """Whether it happens inside a function, by the fault layer."""
    needs: tuple[str, ...] = ()
    """Other kinds that bring about the moment at which it can happen."""

    def planned(self, jobs: int) -> int:
        """Say for how many jobs of a run it is planned; for two at least, because one may not come to it."""
        return max(min(2, jobs), round(self.share * jobs))


def at_least(jobs: int) -> int:
    """Say how often every kind has to happen for a run to count."""
    return max(1, min(AT_LEAST, AT_LEAST * jobs // FULL_RUN))


def _inside(name: str, says: str, *, share: float = USUAL, fails_as: str = "", needs: str = "") -> Kind:
    return Kind(
        name=name,
        says=says,
        share=share,
        fails_as=frozenset(fails_as.split()),
        inside=True,
        needs=tuple(needs.split()),
    )


def _outside(name: str, says: str, *, share: float = USUAL, fails_as: str = "", needs: str = "") -> Kind:
    return replace(_inside(name, says, share=share, fails_as=fails_as, needs=needs), inside=False)


KINDS: Final = (
    _inside("kill-before-work", "the process is killed after it has begun the stage"),
    _inside("kill-mid-work", "the process is killed while it works"),
    _inside("kill-after-work", "the process is killed before it writes the result down"),
    _inside("kill-after-write", "the process is killed before it says that the result is written"),
    _inside("pause", "the process is frozen for seconds, then writes"),
    _inside("late-writer", "the process is given up for dead, and writes seconds later all the same"),
    _inside("hang", "the stage does nothing until its time is over"),
    _inside("out-of-memory", "the stage takes memory until it is killed"),
    _inside("transient", "the stage fails with something that passes, a few times"),
    _inside("unknown-error", "the stage raises something unknown, once"),
    _inside("dies-for-ever", "the process is killed whenever it works at the stage", fails_as="Runtime.ExitError"),
    _inside("fails-for-ever", "the stage raises something unknown, always", fails_as="UnexpectedError"),
    _inside("throttled-dynamodb", "the table answers: later"),
    _inside("throttled-s3", "the bucket answers: later"),
    _inside("throttled-start", "Step Functions answers: later"),
    _inside("throttled-sqs", "SQS answers: later", share=RARE, needs="execution-aborted event-lost"),
    _inside("reply-lost", "AWS does what it was asked to, and the answer is lost"),
    _inside("access-denied", "the bucket refuses, once"),
    _inside("clock-skew", "the function's clock is wrong by up to two minutes"),
    _inside("crash-between-row-and-start", "the process is killed between the row and the start of its execution"),
    _inside("crash-after-start", "the process is killed before it knows that the execution is started"),
    _inside(
        "reconciler-dies", "the reconciler is killed while it deals with the job", share=0.12, needs="cancel event-lost"
    ),
    _inside("letter-not-sent", "the dead-letter queue is not there", share=RARE, needs="execution-aborted event-lost"),
    _inside("object-deleted", "the working copy is deleted between stages", fails_as="ArtefactLost"),
    _inside("object-replaced", "the working copy is replaced between stages", fails_as="ArtefactLost"),
    _outside("duplicate-message", "the message of a job comes again at once"),
    _outside("delayed-message", "the message of a job comes again much later"),
    _outside("poison-message", "a message that no job can be made of", fails_as="InvalidJob"),
    _outside("repeated-submit", "a dozen callers submit the same job at once"),
    _outside("queue-unread", "a burst of submissions, and nobody reads the queue"),
    _outside("execution-aborted", "somebody stops the execution", share=RARE, fails_as="ExecutionAborted"),
    _outside("execution-timed-out", "the execution's time is over", share=RARE, fails_as="ExecutionTimedOut"),
    _outside(
        "event-lost", "an execution is stopped, and no event tells of it", share=RARE, fails_as="ExecutionAborted"
    ),
    _outside(
        "event-replayed",
        "the event of an execution's end comes again",
        share=RARE,
        needs="execution-aborted fails-for-ever object-deleted",
    ),
    _outside("function-throttled", "a function has no capacity for seconds"),
    _outside("cancel", "the owner cancels, at any moment", share=0.1),
    _outside("redrive", "the owner asks for a new attempt, at any moment", share=0.1),
    _outside(
        "cancel-with-redrive",
        "the owner cancels and redrives at the same moment",
        share=RARE,
        needs="execution-aborted fails-for-ever object-deleted",
    ),
    _outside("deadline", "a job has a deadline, short or generous", share=RARE, fails_as="DeadlineExceeded"),
    _outside("two-reconcilers", "two reconcilers are at work side by side"),
    _outside("emulator-restarted", "everything stops, and starts again with what is stored", share=1 / 28),
)
BY_NAME: Final[Mapping[str, Kind]] = {kind.name: kind for kind in KINDS}
