"""How far a run has come, on the standard error: one line that is rewritten, or one every few seconds in a log."""

import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from laptop.chaos.driver import Driver
from laptop.chaos.ledger import Ledger

_ON_TERMINAL_SECONDS: Final = 0.5
_IN_LOG_SECONDS: Final = 10.0


class Progress:
    """Tells for as long as the block lasts."""

    def __init__(self, driver: Driver, ledger: Ledger, jobs: int) -> None:
        self._driver = driver
        self._ledger = ledger
        self._jobs = jobs
        self._began = time.monotonic()
        self._over = threading.Event()
        self._is_terminal = sys.stderr.isatty()
        self._thread = threading.Thread(target=self._tell, name="progress", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, with a last line."""
        self._over.set()
        self._thread.join()
        print(self._line(), file=sys.stderr)

    def _tell(self) -> None:
        pause = _ON_TERMINAL_SECONDS if self._is_terminal else _IN_LOG_SECONDS
        while not self._over.wait(pause):
            if self._is_terminal:
                print(f"\r\x1b[2K{self._line()}", end="", file=sys.stderr, flush=True)
            else:
                print(self._line(), file=sys.stderr, flush=True)
        if self._is_terminal:
            print("\r\x1b[2K", end="", file=sys.stderr)

    def _line(self) -> str:
        statuses = Counter(self._driver.watcher.statuses().values())
        counted = ", ".join(f"{count} {status.lower()}" for status, count in sorted(statuses.items()))
        faults = sum(self._ledger.counts().values())
        seconds = time.monotonic() - self._began
        return (
            f"{seconds:4.0f} s  {self._driver.phase}: {self._driver.submitted} of {self._jobs} submitted, "
            f"{counted or 'none seen yet'}; {faults} faults"
        )
