"""A file that a process locks for as long as it lives, and that says who it is.

Whoever can take the lock knows that the process is gone: that needs no process list, and a process id that was given to
somebody else cannot be mistaken for it. Standard library only: the emulator's environment has nothing else.
"""

import fcntl
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any


def hold(path: Path, who: Mapping[str, Any]) -> IO[str] | None:
    """Lock the file and say in it who we are. Keep what is returned; None when another process holds it."""
    file = path.open("a+")
    for _ in range(20):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            # Perhaps only somebody who has a look whether we run.
            time.sleep(0.05)
    else:
        file.close()
        return None
    file.truncate(0)
    json.dump(dict(who), file)
    file.flush()
    return file


def holder(path: Path) -> dict[str, Any] | None:
    """Read who holds the file; None when nobody does."""
    try:
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                said: dict[str, Any] = json.load(file)
                return said
            return None
    except FileNotFoundError:
        return None


def wait_until_free(path: Path) -> None:
    """Return when nobody holds the file, or not any more."""
    with path.open("r") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
