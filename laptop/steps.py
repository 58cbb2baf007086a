"""One line for each step: what it is and how long it took. A program, too: `steps.py LABEL COMMAND...`.

Standard library only, and nothing of this package: it runs before anything is installed.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_WIDTH: Final = 44


@contextmanager
def step(label: str) -> Iterator[None]:
    """Print the label, then the time that the block took, or that it failed."""
    sys.stdout.write(f"{label} ".ljust(_WIDTH, ".") + " ")
    sys.stdout.flush()
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def main(label: str, command: list[str]) -> int:
    """Run a command as a step; show what it said only when it fails."""
    try:
        with step(label):
            subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - ours
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stdout.decode(errors="replace"))
        return error.returncode
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
