"""One run from the plan to the verdict."""

import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from laptop.chaos import evidence, pictures, plan
from laptop.chaos.arena import Arena
from laptop.chaos.driver import Driver
from laptop.chaos.invariants import violations
from laptop.chaos.kinds import at_least
from laptop.chaos.ledger import Ledger
from laptop.chaos.plan import LONGEST_PAUSE
from laptop.chaos.progress import Progress
from laptop.chaos.table import Outcome

PATIENCE_SECONDS: Final = 8 * 60.0
"""From the last submission until the last planned thing has happened, and from then until nothing is left to be done: a
job that takes longer is stuck."""


def run(
    seed: int,
    jobs: int,
    kinds: Collection[str],
    folder: Path,
    *,
    minimum: int | None = None,
    patience: float = PATIENCE_SECONDS,
    hurry: bool = False,
) -> Outcome:
    """Play the plan of a seed on an emulator in the folder, which is emptied first; return the outcome.

    In a hurry, the reconciler is told in the end that it is later than it is: what late writers may leave behind is
    looked for a minute and a half after a cancel, and all of them are over by then.
    """
    began = time.monotonic()
    made = plan.make(seed, jobs, kinds)
    shutil.rmtree(folder, ignore_errors=True)
    ledger = Ledger(folder)
    (folder / "plan.json").write_text(made.to_json())
    arena = Arena(folder / "emulator", folder)
    try:
        driver = Driver(made, arena, ledger, _upload(arena))
        try:
            with Progress(driver, ledger, jobs):
                driver.play()
                settled = driver.wait_for_quiet(patience)
                if hurry:
                    time.sleep(LONGEST_PAUSE + 1)
                    ledger.hurry()
                settled = settled and driver.settle(patience)
                history = evidence.gather(made, arena, driver, ledger)
                evidence.keep(history, folder)
        finally:
            driver.close()
    finally:
        arena.close()
    return Outcome(
        history=history,
        violations=violations(history),
        wanted_kinds=frozenset(kinds) or made.kinds,
        at_least=at_least(jobs) if minimum is None else minimum,
        seconds=time.monotonic() - began,
        settled=settled,
    )


def _upload(arena: Arena) -> dict[str, str]:
    """Upload each picture once; many jobs look at the same."""
    kinds = {pictures.BROKEN: "image/jpeg"}
    names = (*pictures.PICTURES, pictures.BROKEN)
    images = {name: arena.client.upload(pictures.content(name), kinds.get(name)) for name in names}
    return {**images, pictures.MISSING: "nothing-was-uploaded"}
