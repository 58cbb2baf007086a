"""`python -m laptop.bench`: measure every goal, say which are met, and write all of it to a JSON file."""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from laptop import assembly, environment
from laptop.assembly import CdkError
from laptop.bench import cold_start, counts, images, memory, overhead, pictures
from laptop.bench.goals import MET, MISSED, Finding, document
from laptop.bench.machine import describe
from laptop.bench.pictures import NoPhotographsError, Picture
from laptop.bench.runtime_api import FunctionFailedError
from laptop.emulator import EmulatorError
from laptop.environment import NotLoopbackError
from laptop.places import HOME, PHOTOS
from laptop.steps import step
from stacks.bundling import BundlingError

TITLES: Final = {
    1: "What the analysis of an image costs, in decodes of that image (user processor time)",
    2: "What a cold start costs, in starts of a function that does nothing (processor time)",
    3: "What a job asks of AWS",
    4: "How large the packages are",
    5: "How much memory a stage takes, in a process of its own",
    6: "What Darkroom adds to the work, on this machine's emulator",
    7: "Whether it grows with the jobs there are",
}
JOBS: Final = 200
OVERHEAD_SECONDS: Final = 70.0
_EXPECTED: Final = (
    BundlingError,
    CdkError,
    EmulatorError,
    FunctionFailedError,
    NoPhotographsError,
    NotLoopbackError,
)


class Bench:
    """One run: its findings so far, and what it has to say beside them."""

    def __init__(self, photographs: list[Picture], jobs: int) -> None:
        self._photographs = photographs
        self._smallest = min(photographs, key=lambda picture: picture.megapixels)
        self._jobs = jobs
        self.findings: list[Finding] = []
        self.facts: dict[str, Any] = {}

    def images(self) -> None:
        """Goal 1, and the plot by megapixels."""
        self.findings += images.findings(self._photographs, say)
        self.facts["megapixelsSeries"] = images.series(self._smallest, say)

    def starts(self) -> None:
        """Goal 2."""
        self.findings += cold_start.findings(say)

    def counts(self) -> None:
        """Goals 3, 4 and 7."""
        found, facts = counts.findings(self._smallest.content, say)
        self.findings += found
        self.facts |= facts

    def memory(self) -> None:
        """Goal 5."""
        self.findings += memory.findings(self._photographs, say)

    def overhead(self) -> None:
        """Goal 6."""
        with tempfile.TemporaryDirectory() as folder:
            found, facts = overhead.findings(Path(folder), self._smallest, self._jobs, OVERHEAD_SECONDS, say)
        self.findings += found
        self.facts["overhead"] = facts


PARTS: Final[dict[str, Callable[[Bench], None]]] = {
    "images": Bench.images,
    "starts": Bench.starts,
    "memory": Bench.memory,
    "counts": Bench.counts,
    "overhead": Bench.overhead,
}


def say(what: str) -> None:
    """Show what is being measured now, on a terminal in one line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K    {what} ")
    else:
        sys.stderr.write(f"    {what}\n")
    sys.stderr.flush()


def run(photos: Path, jobs: int, parts: list[str], output: Path) -> int:
    """Measure, print and write; return 0 whether or not all goals are met: the bench tells, it does not judge."""
    began = time.monotonic()
    with step("Stack, synthesized"):
        assembly.synthesize()
    bench = Bench(pictures.photographs(photos), jobs)
    for name in parts:
        print(f"Measuring {name}", file=sys.stderr, flush=True)
        PARTS[name](bench)
    say("")
    report = document(
        sorted(bench.findings, key=lambda finding: finding.goal),
        {"machine": describe(), "seconds": round(time.monotonic() - began), **bench.facts},
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    _print(bench.findings, report)
    print(f"\nWritten to {output}, after {report['seconds']} s.")
    return 0


def _print(findings: list[Finding], report: dict[str, Any]) -> None:
    machine = report["machine"]
    print(f"\n{machine['cores']} cores, {machine['processor']}; Python {machine['python']}, Pillow {machine['pillow']}")
    for goal, title in TITLES.items():
        lines = [finding.line() for finding in findings if finding.goal == goal]
        if lines:
            print(f"\n{goal}. {title}", *lines, sep="\n")
    print(f"\n{report['met']} {MET}, {report['missed']} {MISSED}.")


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m laptop.bench", description=__doc__)
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="folder of .jpg files; default: the bundled ones")
    parser.add_argument("--jobs", type=int, default=JOBS, help="jobs of goal 6, as far as there is time for them")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="measure only these parts")
    parser.add_argument("--output", type=Path, default=HOME / "bench.json")
    arguments = parser.parse_args()
    # As ^C, so that the emulator is stopped.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        environment.refuse_other_machines(os.environ)
        environment.isolate()
        return run(arguments.photos, arguments.jobs, arguments.only, arguments.output)
    except _EXPECTED as error:
        print(f"Darkroom: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
