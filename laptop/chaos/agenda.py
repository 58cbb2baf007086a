"""Things to do at moments to come, done side by side."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_WORKERS: Final = 10
_PAUSE_SECONDS: Final = 0.05


class Agenda:
    """Does what is put on it, each when its time has come. What goes wrong is kept, to be raised at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._at_work = 0
        self._errors: list[BaseException] = []
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="agenda")
        self._clock = threading.Thread(target=self._tick, name="agenda", daemon=True)
        self._clock.start()

    def put(self, after: float, do: Callable[[], object]) -> None:
        """Have it done so many seconds from now."""
        with self._lock:
            heapq.heappush(self._later, (time.monotonic() + after, next(self._order), do))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done any more, and nothing is being done."""
        with self._lock:
            return not self._later and not self._at_work

    def close(self) -> None:
        """End; raise what went wrong first, if anything did."""
        self._closed.set()
        self._clock.join()
        self._pool.shutdown(cancel_futures=True)
        self.check()

    def check(self) -> None:
        """Raise what went wrong first, if anything did."""
        if self._errors:
            raise self._errors[0]

    def _tick(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                while self._later and self._later[0][0] <= time.monotonic():
                    self._at_work += 1
                    self._pool.submit(self._do, heapq.heappop(self._later)[2])
            time.sleep(_PAUSE_SECONDS)

    def _do(self, do: Callable[[], object]) -> None:
        try:
            do()
        except BaseException as error:  # noqa: BLE001 - raised again by `check`
            self._errors.append(error)
        finally:
            with self._lock:
                self._at_work -= 1
