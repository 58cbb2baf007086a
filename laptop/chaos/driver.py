"""Plays the plan: submits the jobs, and lets happen around them what is planned, when it is."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Final

from laptop.chaos.agenda import Agenda
from laptop.chaos.arena import Arena
from laptop.chaos.hands import Hands
from laptop.chaos.history import Seen
from laptop.chaos.ledger import Ledger
from laptop.chaos.plan import Event, JobPlan, Plan, Poison
from laptop.chaos.reactions import Reactions
from laptop.chaos.watcher import ENDS, Watcher
from laptop.waiting import wait_for

AT_ONCE: Final = 14
"""Jobs under way, but for bursts: about what two cores can work on without being the fault themselves."""
SLOT_SECONDS: Final = 60.0
"""After so long without a free slot the run goes on: a job that never ends is for the judge."""
RECONCILE_SECONDS: Final = 5.0
"""The schedule of the stack is once a minute; the run looks more often."""
GOOD_COMPANY: Final = 4
"""Good messages in a batch with a poisoned one."""
SHORT_DEADLINE: Final = 60
"""A deadline below this is meant to be missed."""


class Driver:
    """One run. `images` are the ids of the uploaded pictures, by name."""

    def __init__(self, plan: Plan, arena: Arena, ledger: Ledger, images: Mapping[str, str]) -> None:
        self._plan = plan
        self._arena = arena
        self._ledger = ledger
        self._images = images
        self._hands = Hands(arena, ledger)
        self._agenda = Agenda()
        self._jobs = {job.job_id: job for job in plan.jobs}
        self._handed_out: list[JobPlan] = []
        self._reconcilers = 1
        self._over = threading.Event()
        self._caretaker = threading.Thread(target=self._keep_reconciling, name="caretaker", daemon=True)
        self.watcher = Watcher(arena, self._changed)
        self._reactions = Reactions(self._hands, ledger, self._agenda, images, self.watcher.latest)
        self.phase = "starting"

    @property
    def submitted(self) -> int:
        """How many jobs were handed out so far."""
        return len(self._handed_out)

    def play(self) -> None:
        """Submit every job, and set off everything else."""
        self.watcher.start()
        self._caretaker.start()
        self._agenda.put(0, self._let_things_happen)
        self.phase = "submitting"
        for kind, block in groupby(self._plan.jobs, key=lambda job: job.block):
            self._submit_block(kind, list(block))
            self._agenda.check()
        self.phase = "waiting for ends"

    def wait_for_quiet(self, seconds: float) -> bool:
        """Wait until everything that is planned has happened; tell whether that was so in time."""
        return wait_for(self._is_quiet, seconds)

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is left to be done by anybody; tell whether that was so in time."""
        return wait_for(self._is_settled, seconds)

    def close(self) -> None:
        """End; raise what went wrong in the run itself."""
        self._over.set()
        self._caretaker.join()
        self.watcher.stop()
        self._agenda.close()

    def _is_quiet(self) -> bool:
        """A job that has not ended may still come to a moment for which something is planned."""
        time.sleep(0.5)
        self._agenda.check()
        return self._agenda.is_empty and self._have_ended()

    def _is_settled(self) -> bool:
        if not self._is_quiet():
            return False
        self.phase = "waiting for letters and late writers"
        is_watched = any("dueAt" in row for row in self.watcher.rows().values())
        return not is_watched and self._nothing_runs()

    def _have_ended(self) -> bool:
        statuses = self.watcher.statuses()
        return all(statuses.get(job) in ENDS for job in self._jobs)

    def _nothing_runs(self) -> bool:
        world = self._arena.world
        queues = ("JobQueueUrl", "IntakeDeadLetterQueueUrl")
        return not world.running() and all(world.is_empty(self._arena.outputs[name]) for name in queues)

    def _submit_block(self, kind: str | None, block: list[JobPlan]) -> None:
        if kind == "queue-unread":
            with self._hands.queue_unread():
                self._submit_at_once(block)
                for job in block:
                    self._ledger.fault(kind, job.job_id)
        elif kind == "execution-timed-out":
            self._wait_for_starts(self._handed_out)
            with self._hands.impatient():
                self._submit_at_once(block)
                self._wait_for_starts(block)
        else:
            for job in block:
                wait_for(lambda: self._under_way() < AT_ONCE, SLOT_SECONDS)
                self._hand_out(job)

    def _wait_for_starts(self, jobs: Iterable[JobPlan]) -> None:
        """Wait until these are started, as far as they soon will be: an execution takes the definition of its start."""
        wait_for(lambda: all(self.watcher.latest(job.job_id) for job in jobs), 20)
        time.sleep(1)  # the row comes before the execution

    def _submit_at_once(self, block: list[JobPlan]) -> None:
        for job in block:
            self._handed_out.append(job)
            self._submit(job)

    def _hand_out(self, job: JobPlan) -> None:
        self._handed_out.append(job)
        self._agenda.put(0, lambda: self._submit(job))

    def _under_way(self) -> int:
        statuses = self.watcher.statuses()
        return sum(statuses.get(job.job_id) not in ENDS for job in self._handed_out)

    def _submit(self, job: JobPlan) -> None:
        self._hands.submit(job, self._images[job.picture])
        if job.deadline is not None and job.deadline < SHORT_DEADLINE:
            self._ledger.fault("deadline", job.job_id)
        self._reactions.submitted(job)

    def _changed(self, job_id: str, before: Seen | None, now: Seen) -> None:
        if job_id in self._jobs:
            self._reactions.changed(self._jobs[job_id], before, now)

    def _keep_reconciling(self) -> None:
        while not self._over.wait(RECONCILE_SECONDS):
            side_by_side, self._reconcilers = self._reconcilers, 1
            self._hands.reconcile(side_by_side)
            if side_by_side > 1:
                self._ledger.fault("two-reconcilers")

    def _let_things_happen(self) -> None:
        """The plan's events and poisoned messages, one after the other, as the jobs are submitted."""
        happenings = [(event.after_jobs, self._happening(event)) for event in self._plan.events]
        happenings += [(poison.after_jobs, self._poisoning(poison)) for poison in self._plan.poisons]
        for after_jobs, happen in sorted(happenings, key=lambda happening: happening[0]):
            while self.submitted < after_jobs:
                if self._over.wait(0.1):
                    return
            happen()

    def _happening(self, event: Event) -> Callable[[], None]:
        return lambda: _EVENTS[event.kind](self, event)

    def _poisoning(self, poison: Poison) -> Callable[[], None]:
        def send() -> None:
            good = self._handed_out[-GOOD_COMPANY:]
            company = [(job, self._images[job.picture]) for job in good]
            self._hands.poison(poison, company)

        return send

    def _throttle(self, event: Event) -> None:
        self._hands.throttle(event.function or "", event.seconds)

    def _restart(self, event: Event) -> None:
        began, _ = self._arena.restart()
        self._ledger.fault(event.kind, since=began)

    def _double_the_reconciler(self, _event: Event) -> None:
        self._reconcilers = 2


_EVENTS: Final[Mapping[str, Callable[[Driver, Event], None]]] = {
    "function-throttled": Driver._throttle,
    "emulator-restarted": Driver._restart,
    "two-reconcilers": Driver._double_the_reconciler,
}
