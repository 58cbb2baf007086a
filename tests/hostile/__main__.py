"""`make corpus`: puts a whole corpus, or a folder, through the stages and prints what became of it.

Exit code 0 only when every file ended in a report or in InvalidImage, within its memory and time, as was expected.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hostile import table
from tests.hostile.building import build
from tests.hostile.case import Expected
from tests.hostile.judging import Outcome, run_all
from tests.hostile.seeds import seeds

_SHOW_EVERY = 200


def main() -> int:
    """Build, run, print the table."""
    options = _parse()
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        if options.folder:
            files = {path: Expected.EITHER for path in sorted(options.folder.rglob("*")) if path.is_file()}
        else:
            mutations = max(0, options.files) // len(seeds())
            files = build(Path(folder), seed=options.seed, mutations=mutations, thorough=True)
        outcomes = _watched(files)
    print(table.text(outcomes, files))
    return 1 if table.faults(outcomes, files) else 0


def _watched(files: dict[Path, Expected]) -> list[Outcome]:
    outcomes = []
    for number, outcome in enumerate(run_all(files), start=1):
        outcomes.append(outcome)
        if number % _SHOW_EVERY == 0:
            print(f"{number} of {len(files)}", file=sys.stderr)
    return outcomes


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what the mutations follow from")
    parser.add_argument("--files", type=int, default=3_000, help="about how many mutations, beside the corpus")
    parser.add_argument("--folder", type=Path, default=None, help="run these files instead")
    options = parser.parse_args()
    if options.folder and not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    return options


if __name__ == "__main__":
    sys.exit(main())
