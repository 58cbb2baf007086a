"""`make mutants`: breaks, on purpose, what keeps jobs from being lost and from strangers; shows that a test notices.

With `--chaos`, a short fault run has to notice those that it can meet. Works on a copy in a temporary folder, in which
the tests have to pass before anything is broken. Exit code 0 only when every mutant was caught.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutant import PROPERTY, Mutant
from tests.security_mutants import SECURITY

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    *("app.py", "cdk.json", "openapi.yaml", "asyncapi.yaml", "package-lock.json", "pyproject.toml"),
    *("requirements.txt", "requirements-dev.txt"),
)
FOLDERS = ("lambdas", "stacks", "statemachine", "console", "tests", "client", "laptop", "photos")
INSTALLED = (".venv", "node_modules", ".laptop/venv", ".cache")
"""Not copied: what `make setup` has made."""
CHAOS = ("-m", "laptop.chaos", "--seed", "7", "--jobs", "100", "--at-least", "0", "--patience", "150", "--kinds")
RANDOM_TRIES = 4
"""Of the test that plays events in random orders: `make test` has as many as there are runs of it."""
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider")
VIOLATED = 1
"""Exit code of a test that fails, and of a fault run with violations; any other, as of a broken import, is no proof."""


TABLE = "lambdas/adapters/job_table.py"
WRITES = "lambdas/adapters/row_writes.py"
LOSSES = (
    Mutant("writes are not fenced by attempt", WRITES, 'THIS_ATTEMPT = "attempt = :attempt"',
           'THIS_ATTEMPT = ":attempt = :attempt"', chaos="execution-aborted,redrive"),
    Mutant("an end may be overwritten by an end", TABLE, 'f"{THIS_ATTEMPT} AND {from_there}"',
           'f"{THIS_ATTEMPT} AND ({from_there} OR attribute_exists(version))"'),
    Mutant("a row is put although there is one", TABLE,
           'f"attribute_not_exists({keys.JOB_ID}) OR {keys.EXPIRES_AT} < :present"',
           'f"attribute_not_exists({keys.JOB_ID}) OR {keys.EXPIRES_AT} > :present"',
           chaos="duplicate-message,delayed-message,repeated-submit"),
    Mutant("a stage that is done may be done again", WRITES, '"NOT stages.#stage.#status IN (:done, :skipped)"',
           '"NOT stages.#stage.#status IN (:skipped, :skipped) AND :done = :done"',
           chaos="kill-after-write,reply-lost"),
    Mutant("progress may go down", TABLE, "AND stages.#stage.progress <= :percent", "AND :percent = :percent"),
    Mutant("a cancel that was accepted may end in success", "lambdas/jobs/status.py",
           "Status.CANCELLING: frozenset({Status.CANCELLED, Status.FAILED})",
           "Status.CANCELLING: frozenset({Status.CANCELLED, Status.FAILED, Status.SUCCEEDED})",
           "tests/unit/jobs/test_status.py"),
    Mutant("a redrive runs finished stages again", TABLE, "if record.status not in STAGE_CLOSED or", "if True or",
           "tests/functional/test_redrive.py"),
    Mutant("a letter counts as sent before it is", "lambdas/handlers/settling.py",
           "    send_dead_letter(config.text(config.Variable.DEAD_LETTER_QUEUE_URL), DeadLetter.owed_by(job))\n",
           "    DeadLetter.owed_by(job)\n", chaos="execution-aborted,event-lost"),
    Mutant("a job that is queued is not watched", "lambdas/handlers/new_jobs.py", "due_at=next_look(deadline_at),",
           "due_at=None,"),
    Mutant("two reconcilers deal with the same job", "lambdas/adapters/watch_list.py",
           'AND {keys.DUE_AT} = :seenDue"', 'AND :seenDue = :seenDue"', "tests/functional/test_reconcile.py"),
    Mutant("a cancelled job is failed", "lambdas/adapters/job_table.py",
           "if even_if_cancelling or status not in CANCELLATION", "if True", "tests/functional/test_settle_failed.py"),
    Mutant("a job whose execution was stopped is not settled", "lambdas/handlers/settling.py",
           "if job.status in SETTLED_FROM:", "if job.status in ():", chaos="execution-aborted,event-lost"),
)  # fmt: skip


def main() -> int:
    """Try the mutants and print what noticed each."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--chaos", action="store_true", help="let a fault run notice them, not the tests")
    parser.add_argument("--security", action="store_true", help="only those that take a control of security away")
    options = parser.parse_args()
    mutants = [mutant for mutant in SECURITY if not options.chaos]
    mutants += [mutant for mutant in LOSSES if not options.security and (mutant.chaos or not options.chaos)]
    if not options.chaos and not _pass_unbroken(mutants):
        print("The tests do not pass before anything is broken, so they would prove nothing: run `make test-fast`.")
        return 2
    caught = [_is_caught(mutant, chaos=options.chaos) for mutant in mutants]
    print(f"{sum(caught)} of {len(mutants)} mutants were caught.")
    return 0 if all(caught) else 1


def _pass_unbroken(mutants: Sequence[Mutant]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return _run(_copy(Path(folder)), (*PYTEST, *sorted({mutant.test for mutant in mutants}))) == 0


def _is_caught(mutant: Mutant, *, chaos: bool) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(Path(folder))
        file = copy / mutant.file
        text = file.read_text()
        if mutant.line not in text:
            print(f"  GONE      {mutant.what}: {mutant.file} has no such line any more")
            return False
        file.write_text(text.replace(mutant.line, mutant.broken))
        judge = (*CHAOS, mutant.chaos) if chaos else (*PYTEST, mutant.test)
        tries = RANDOM_TRIES if mutant.test == PROPERTY and not chaos else 1
        caught = any(_run(copy, judge) == VIOLATED for _ in range(tries))
    by = f"make chaos KINDS={mutant.chaos}" if chaos else mutant.test
    print(f"  {'caught  ' if caught else 'SURVIVED'}  {mutant.what}: {by}", flush=True)
    return caught


def _copy(folder: Path) -> Path:
    for name in COPIED:
        shutil.copy(ROOT / name, folder / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in INSTALLED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    return folder


def _run(copy: Path, arguments: tuple[str, ...]) -> int:
    environment = {
        **os.environ,
        "HYPOTHESIS_PROFILE": "mutants",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Before what is installed, which leads to the code that is whole.
        "PYTHONPATH": os.pathsep.join([str(copy / "client"), str(copy)]),
    }
    done = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
