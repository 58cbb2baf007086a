"""A fault run that is short enough for every change: each kind that costs little, a few times, and a restart."""

from pathlib import Path

from laptop.chaos.kinds import BY_NAME
from laptop.chaos.run import run
from laptop.chaos.table import text

SEED = 11
JOBS = 22
SLOW = {"hang", "execution-timed-out", "delayed-message", "function-throttled", "letter-not-sent", "reconciler-dies"}
"""What has to be waited for. `make chaos` has these as well, and ten of each."""


def test_run_of_a_few_jobs_among_many_faults_violates_nothing(no_account: None, tmp_path: Path) -> None:
    kinds = sorted(BY_NAME.keys() - SLOW)
    outcome = run(SEED, JOBS, kinds, tmp_path / "run", minimum=0, hurry=True)
    assert outcome.settled
    assert not outcome.violations, text(outcome)
    assert outcome.counts["emulator-restarted"] >= 1
    assert len([kind for kind in kinds if outcome.counts[kind]]) >= 25, text(outcome)
