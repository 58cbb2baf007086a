"""Writes down what happens as it happens: faults in the file that the fault layer writes to too, calls beside it."""

import json
import os
import threading
import time
from collections import Counter
from pathlib import Path

from lambdas.handlers.watching import LATE_WRITERS_SECONDS
from laptop.chaos.fault_layer import HURRY
from laptop.chaos.history import Call, Fault


class Ledger:
    """The folder of one run's evidence. May be shared between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        (folder / "used").mkdir(parents=True)

    def fault(self, kind: str, job: str = "", place: str = "", since: float | None = None) -> None:
        """Write down a fault that was done from outside; `since` when it took a while."""
        at = time.time()
        line = {"at": since or at, "kind": kind, "job": job, "place": place, "until": at if since else None}
        self._append("faults.jsonl", line)

    def call(self, call: Call) -> None:
        """Write down what the API answered."""
        with self._lock:
            self._calls.append(call)
        self._append("calls.jsonl", vars(call))

    @property
    def calls(self) -> list[Call]:
        """All so far."""
        with self._lock:
            return list(self._calls)

    def faults(self) -> list[Fault]:
        """Everything that has happened so far, inside and outside of functions."""
        file = self.folder / "faults.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        documents = [json.loads(line) for line in lines]
        known = ("at", "kind", "job", "place", "until")
        return [Fault(**{name: document.get(name) for name in known}) for document in documents]

    def counts(self) -> Counter[str]:
        """How often each kind has happened."""
        return Counter(fault.kind for fault in self.faults())

    def hurry(self) -> None:
        """Have the reconciler believe that what it waits for is over."""
        (self.folder / HURRY).write_text(str(LATE_WRITERS_SECONDS))

    def _append(self, name: str, line: object) -> None:
        # In one write, so that lines of several processes do not mix.
        file = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(file, json.dumps(line).encode() + b"\n")
        os.close(file)
