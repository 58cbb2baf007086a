"""Finding a Python whose bytecode the functions' runtime takes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

TIMEOUT_SECONDS = 20


def override_variable(version: str) -> str:
    """Name of the environment variable that says where this version is: `DARKROOM_PYTHON313`."""
    return f"DARKROOM_PYTHON{version.replace('.', '')}"


def find(version: str) -> Path | None:
    """Find an interpreter of this minor version, such as `3.13`, or None when the machine has none that runs."""
    return next((path for path in _candidates(version) if _runs_as(path, version)), None)


def _candidates(version: str) -> Iterator[Path]:
    """In the order of how clearly somebody asked for it."""
    if named := os.environ.get(override_variable(version)):
        yield Path(named)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/python"), reverse=True)
    if uv := shutil.which("uv"):
        found = _run([uv, "python", "find", "--no-python-downloads", version])
        if found:
            yield Path(found)


def _runs_as(path: Path, version: str) -> bool:
    """Try it: what is on the PATH may be a shim without anything behind it."""
    return _run([str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]) == version


def _run(command: list[str]) -> str | None:
    """Run a command and return what it printed, or None when it failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
