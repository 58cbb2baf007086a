"""Ports of this machine."""

import os
import socket
from pathlib import Path


class PortTakenError(RuntimeError):
    """The port that was asked for cannot be had; the message says what to do."""


def choose(variable: str, remembered: Path, usual: int) -> int:
    """Take the port that the environment names, else the last one, else the usual one, else any that is free."""
    wanted = os.environ.get(variable)
    if wanted:
        if not wanted.isdecimal() or not is_free(int(wanted)):
            raise PortTakenError(f"{variable} is {wanted}, which is not a free port. Choose another one or unset it.")
        return int(wanted)
    last = remembered.read_text().strip() if remembered.exists() else ""
    for port in ([int(last)] if last.isdecimal() else []) + [usual]:
        if is_free(port):
            return port
    return free()


def free() -> int:
    """Any port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Tell whether somebody could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True
