"""Processor time, which is what is paid for and what a shared machine does not falsify as it does a wall clock."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spent:
    """Processor time in milliseconds: in the program itself, and with what the kernel did for it."""

    user: float
    total: float


def spent_by(work: Callable[[], Any]) -> tuple[Any, Spent]:
    """Do it, and return what it returned and what it took."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    user = (after.ru_utime - before.ru_utime) * 1000
    return result, Spent(user, user + (after.ru_stime - before.ru_stime) * 1000)


def of_child(usage: resource.struct_rusage) -> float:
    """Milliseconds that a process which has ended took in all."""
    return (usage.ru_utime + usage.ru_stime) * 1000
