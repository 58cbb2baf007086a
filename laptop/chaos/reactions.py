"""What is done to a job when its life comes to the moment that is planned for it."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lambdas.jobs.model import Attempt
from laptop.chaos.agenda import Agenda
from laptop.chaos.hands import Hands
from laptop.chaos.history import Seen
from laptop.chaos.ledger import Ledger
from laptop.chaos.plan import Act, JobPlan, Moment
from laptop.chaos.watcher import ENDS
from laptop.waiting import wait_for

REPLAY_SECONDS: Final = 15.0
"""The row says FAILED before the execution is over; by then it is, unless it is gone."""


class Reactions:
    """Plays the acts of the jobs. `latest` tells what a job's row says."""

    def __init__(
        self,
        hands: Hands,
        ledger: Ledger,
        agenda: Agenda,
        images: Mapping[str, str],
        latest: Callable[[str], Seen | None],
    ) -> None:
        self._hands = hands
        self._ledger = ledger
        self._agenda = agenda
        self._images = images
        self._latest = latest
        self._lock = threading.Lock()
        self._had: set[tuple[str, Moment]] = set()
        self._failures: defaultdict[str, int] = defaultdict(int)

    def submitted(self, job: JobPlan) -> None:
        """A job was accepted."""
        self._plan(job, Moment.SUBMITTED)

    def changed(self, job: JobPlan, before: Seen | None, now: Seen) -> None:
        """A job's row has changed."""
        if now.status == "RUNNING":
            self._plan(job, Moment.RUNNING)
        if now.status == "FAILED" and (before is None or before.status != "FAILED" or before.attempt != now.attempt):
            self._plan_after_failure(job, now.attempt)
        if now.status in ENDS:
            self._plan(job, Moment.ENDED)

    def _plan(self, job: JobPlan, moment: Moment) -> None:
        """Put on the agenda what is planned for a moment; once, however often it comes."""
        with self._lock:
            if (job.job_id, moment) in self._had:
                return
            self._had.add((job.job_id, moment))
        for act in job.acts:
            if act.moment is moment:
                self._put(job, act, None)

    def _plan_after_failure(self, job: JobPlan, attempt: int) -> None:
        """Each failure has one of the redrives; the first sets off everything else."""
        acts = [act for act in job.acts if act.moment is Moment.FAILED]
        redrives = [act for act in acts if act.kind == "redrive"]
        failures = self._failures[job.job_id]
        self._failures[job.job_id] += 1
        others = [act for act in acts if act.kind != "redrive"] if failures == 0 else []
        for act in (*redrives[failures : failures + 1], *others):
            self._put(job, act, attempt)

    def _put(self, job: JobPlan, act: Act, attempt: int | None) -> None:
        self._agenda.put(act.after, lambda: self._act(job, act, attempt))

    def _act(self, job: JobPlan, act: Act, attempt: int | None) -> None:
        """Do it to an attempt, or to the one that there is by now."""
        seen = self._latest(job.job_id)
        number = attempt or (seen.attempt if seen else 1)
        if _DEEDS[act.kind](self, job, act, self._hands.attempt(job.job_id, number)):
            self._ledger.fault(act.kind, job.job_id)

    def _cancel(self, job: JobPlan, act: Act, _attempt: Attempt) -> bool:
        for _ in range(act.times):
            self._hands.cancel(job.job_id, self._latest(job.job_id))
        return True

    def _redrive(self, job: JobPlan, act: Act, _attempt: Attempt) -> bool:
        seen = self._latest(job.job_id)
        _side_by_side(*[lambda: self._hands.redrive(job.job_id, seen)] * act.times)
        return True

    def _cancel_and_redrive(self, job: JobPlan, _act: Act, _attempt: Attempt) -> bool:
        seen = self._latest(job.job_id)
        _side_by_side(lambda: self._hands.cancel(job.job_id, seen), lambda: self._hands.redrive(job.job_id, seen))
        return True

    def _send_again(self, job: JobPlan, act: Act, _attempt: Attempt) -> bool:
        self._hands.send_again(job, self._images[job.picture], act.times)
        return True

    def _abort(self, _job: JobPlan, _act: Act, attempt: Attempt) -> bool:
        return self._hands.abort(attempt)

    def _abort_unseen(self, _job: JobPlan, _act: Act, attempt: Attempt) -> bool:
        return self._hands.abort_unseen(attempt)

    def _replay(self, _job: JobPlan, act: Act, attempt: Attempt) -> bool:
        return wait_for(lambda: self._hands.replay_end(attempt, act.times), REPLAY_SECONDS)


_DEEDS: Final[Mapping[str, Callable[[Reactions, JobPlan, Act, Attempt], bool]]] = {
    "cancel": Reactions._cancel,
    "redrive": Reactions._redrive,
    "cancel-with-redrive": Reactions._cancel_and_redrive,
    "duplicate-message": Reactions._send_again,
    "delayed-message": Reactions._send_again,
    "execution-aborted": Reactions._abort,
    "event-lost": Reactions._abort_unseen,
    "event-replayed": Reactions._replay,
}


def _side_by_side(*deeds: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(deeds)) as pool:
        for done in [pool.submit(deed) for deed in deeds]:
            done.result()
