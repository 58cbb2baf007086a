"""`make mutants`: breaks, on purpose, what keeps jobs from being lost, and shows that a test notices each time.

Works on a copy in a temporary folder. Exit code 0 only when every mutant was caught.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROPERTY = "tests/functional/test_job_life.py"
COPIED = ("app.py", "cdk.json", "openapi.yaml", "pyproject.toml")
FOLDERS = ("lambdas", "stacks", "statemachine", "tests", "client", "laptop", "photos")


@dataclass(frozen=True)
class Mutant:
    """One line of the code, broken; `test` is what has to fail."""

    what: str
    file: str
    line: str
    broken: str
    test: str = PROPERTY


TABLE = "lambdas/adapters/job_table.py"
WRITES = "lambdas/adapters/row_writes.py"
MUTANTS = (
    Mutant("writes are not fenced by attempt", WRITES, 'THIS_ATTEMPT = "attempt = :attempt"',
           'THIS_ATTEMPT = ":attempt = :attempt"'),
    Mutant("an end may be overwritten by an end", TABLE, 'f"{THIS_ATTEMPT} AND {from_there}"',
           'f"{THIS_ATTEMPT} AND ({from_there} OR attribute_exists(version))"'),
    Mutant("a row is put although there is one", TABLE,
           'f"attribute_not_exists({keys.JOB_ID}) OR {keys.EXPIRES_AT} < :present"',
           'f"attribute_not_exists({keys.JOB_ID}) OR {keys.EXPIRES_AT} > :present"'),
    Mutant("a stage that is done may be done again", WRITES, '"NOT stages.#stage.#status IN (:done, :skipped)"',
           '"NOT stages.#stage.#status IN (:skipped, :skipped) AND :done = :done"'),
    Mutant("progress may go down", TABLE, "AND stages.#stage.progress <= :percent", "AND :percent = :percent"),
    Mutant("a cancel that was accepted may end in success", "lambdas/jobs/status.py",
           "Status.CANCELLING: frozenset({Status.CANCELLED, Status.FAILED})",
           "Status.CANCELLING: frozenset({Status.CANCELLED, Status.FAILED, Status.SUCCEEDED})",
           "tests/unit/jobs/test_status.py"),
    Mutant("a redrive runs finished stages again", TABLE, "if record.status not in STAGE_CLOSED or", "if True or",
           "tests/functional/test_redrive.py"),
    Mutant("a letter counts as sent before it is", "lambdas/handlers/settling.py",
           "    send_dead_letter(config.text(config.Variable.DEAD_LETTER_QUEUE_URL), DeadLetter.owed_by(job))\n",
           "    DeadLetter.owed_by(job)\n"),
    Mutant("a job that is queued is not watched", "lambdas/handlers/new_jobs.py", "due_at=next_look(deadline_at),",
           "due_at=None,"),
    Mutant("two reconcilers deal with the same job", "lambdas/adapters/watch_list.py",
           'AND {keys.DUE_AT} = :seenDue"', 'AND :seenDue = :seenDue"', "tests/functional/test_reconcile.py"),
    Mutant("a cancelled job is failed", "lambdas/adapters/job_table.py",
           "if even_if_cancelling or status not in CANCELLATION", "if True", "tests/functional/test_settle_failed.py"),
)  # fmt: skip


def main() -> int:
    """Try every mutant and print what noticed it."""
    survived = [mutant for mutant in MUTANTS if not _is_caught(mutant)]
    print(f"{len(MUTANTS) - len(survived)} of {len(MUTANTS)} mutants were caught.")
    return 1 if survived else 0


def _is_caught(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copy(ROOT / name, copy / name)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / mutant.file
        text = file.read_text()
        if mutant.line not in text:
            print(f"  GONE      {mutant.what}: {mutant.file} has no such line any more")
            return False
        file.write_text(text.replace(mutant.line, mutant.broken))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.test]
        environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutants", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(  # noqa: S603 - our own tests
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
    # 1 is a test that fails; anything else, such as a broken import, is no proof.
    caught = done.returncode == 1
    print(f"  {'caught  ' if caught else 'SURVIVED'}  {mutant.what}: {mutant.test}", flush=True)
    return caught


if __name__ == "__main__":
    sys.exit(main())
