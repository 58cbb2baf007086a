"""The synthesized stack, kept until something that goes into it changes: synthesis is what takes time."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from laptop import environment
from laptop.places import ASSEMBLY, CDK_COMMAND, ENVIRONMENT_BIN, ROOT

ENVIRONMENT: Final = "laptop"
"""Which settings of `cdk.json`."""
_FILES: Final = (
    "app.py",
    "cdk.json",
    "openapi.yaml",
    "package-lock.json",
    "requirements.txt",
    "laptop/requirements-runtime.lock",
)
_FOLDERS: Final = ("stacks", "lambdas", "statemachine")
_DIGEST_FILE: Final = "inputs.sha256"


class CdkError(RuntimeError):
    """The CDK command failed; the message ends with what it said."""


def digest() -> str:
    """Hash of everything that goes into the synthesis, this Python included: the functions are packed for it."""
    found = hashlib.sha256(f"{sys.version} {sys.prefix}".encode())
    for path in sorted(_inputs()):
        found.update(f"\0{path.relative_to(ROOT)}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def synthesize() -> bool:
    """Bring the assembly up to date; tell whether there was anything to do. Raises CdkError."""
    ASSEMBLY.parent.mkdir(exist_ok=True)
    with (ASSEMBLY.parent / "synth.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = digest()
        if is_current(current):
            return False
        fresh = ASSEMBLY.with_name("cdk.out.new")
        shutil.rmtree(fresh, ignore_errors=True)
        run_cdk("synth", "--quiet", "--context", f"env={ENVIRONMENT}", "--output", str(fresh))
        (fresh / _DIGEST_FILE).write_text(current)
        shutil.rmtree(ASSEMBLY, ignore_errors=True)
        fresh.rename(ASSEMBLY)
        return True


def is_current(current: str) -> bool:
    """Tell whether the assembly was made of these inputs."""
    file = ASSEMBLY / _DIGEST_FILE
    return file.exists() and file.read_text() == current


def run_cdk(*arguments: str, endpoint: str | None = None) -> None:
    """Run the CDK command line; with an endpoint, against the emulator there. Raises CdkError."""
    if not CDK_COMMAND.exists():
        raise CdkError("The CDK command line is not installed. Run `make setup`.")
    command = [str(ENVIRONMENT_BIN / "node"), str(CDK_COMMAND), *arguments]
    common = ["--no-notices", "--no-color", "--no-version-reporting"]
    done = subprocess.run(  # noqa: S603 - our own program
        [*command, *common],
        cwd=ROOT,
        env=environment.for_tools(endpoint),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-4000:]
        raise CdkError(f"`cdk {arguments[0]}` failed:\n{said}")


def _inputs() -> Iterator[Path]:
    yield from (ROOT / name for name in _FILES)
    for folder in _FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
