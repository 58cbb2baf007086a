"""Run the emulator: the program that `laptop.emulator` starts, inside the emulator's own environment.

Must not be imported by the rest of the package, nor import more of it than patches and the lock: it lives among other
libraries.
"""

import importlib
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final

from laptop import emulator_patches, enforcement, held_file

TRIED_VERSION: Final = "1.5.33"
"""The patches reach into its insides, so they are good for this release and no other."""


def main(lock_file: str) -> None:
    """Hold the lock, mend the gaps, serve until told to stop."""
    installed = version("ministack")
    if installed != TRIED_VERSION:
        sys.exit(
            f"The emulator is ministack {installed}, but laptop/emulator_patches.py is written for {TRIED_VERSION}. "
            "Run `make clean setup`; for another release, try the patches against it and change TRIED_VERSION."
        )
    lock = _hold(Path(lock_file))
    watchdog = _watch_over_the_group()
    emulator_patches.apply()
    if enforcement.is_wanted(os.environ):
        enforcement.apply()
    # It parses the command line, where our own argument is not known.
    sys.argv = sys.argv[:1]
    try:
        importlib.import_module("ministack.app").main()
    finally:
        lock.close()
        if watchdog.stdin:
            watchdog.stdin.close()


def _hold(path: Path) -> IO[str]:
    """Lock the file for as long as this process lives, and say in it who we are."""
    who = {"process": os.getpid(), "port": int(os.environ["GATEWAY_PORT"]), "patches": emulator_patches.digest()}
    file = held_file.hold(path, who)
    if file is None:
        sys.exit("The emulator of this folder runs already.")
    return file


def _watch_over_the_group() -> "subprocess.Popen[bytes]":
    """End every process of our group when we are gone, even killed: a function must not work on for the next emulator.

    The watchdog reads from a pipe that only we hold open; its end is the end of us.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", "trap '' TERM INT; cat >/dev/null; kill -KILL 0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main(sys.argv[1])
