"""`python -m laptop.chaos --seed 1 --jobs 300`: the fault run. The Makefile calls this."""

import argparse
import os
import random
import signal
import sys
from types import FrameType

from laptop import environment
from laptop.assembly import CdkError
from laptop.chaos import table
from laptop.chaos.kinds import BY_NAME, FULL_RUN
from laptop.chaos.run import PATIENCE_SECONDS, run
from laptop.chaos.table import Outcome
from laptop.emulator import EmulatorError
from laptop.environment import NotLoopbackError
from laptop.places import HOME, ROOT

_EXPECTED = (CdkError, EmulatorError, NotLoopbackError, ValueError)
"""What says in its message what to do."""
_MOST_SHOWN = 20


def main() -> int:
    """Run, print the table, and return 0 only when nothing was violated and everything that was asked for happened."""
    options = _parse()
    # As ^C, so that what was begun is undone.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        environment.refuse_other_machines(os.environ)
        environment.isolate()
        folder = HOME / "chaos" / str(options.seed)
        outcome = run(
            options.seed, options.jobs, options.kinds, folder, minimum=options.at_least, patience=options.patience
        )
    except _EXPECTED as error:
        print(f"Darkroom: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    again = table.command(options.seed, options.jobs, frozenset(options.kinds))
    report = _report(outcome, again)
    (folder / "table.txt").write_text(report + "\n")
    print(report)
    print(f"\nThe evidence is in {folder.relative_to(ROOT)}; `{again}` plays the same plan again.", file=sys.stderr)
    return 0 if outcome.is_good else 1


def _report(outcome: Outcome, again: str) -> str:
    shown = outcome.violations[:_MOST_SHOWN]
    parts = [table.text(outcome), *(table.describe(violation, outcome.history, again) for violation in shown)]
    if len(outcome.violations) > len(shown):
        parts.append(f"and {len(outcome.violations) - len(shown)} more")
    return "\n\n".join(parts)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m laptop.chaos", description=__doc__)
    parser.add_argument("--seed", type=_seed, default=None, help="what the plan follows from; any, if not given")
    parser.add_argument("--jobs", type=_count, default=FULL_RUN)
    parser.add_argument(
        "--kinds", type=_kinds, default=(), help=f"of faults, with commas between: {', '.join(BY_NAME)}"
    )
    parser.add_argument("--at-least", type=int, default=None, help="how often each kind has to happen")
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, help="with jobs that stand still, seconds")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1, 10**6)
    return options


def _seed(text: str) -> int | None:
    return int(text) if text else None


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("at least one job")
    return int(text)


def _kinds(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
