"""The console's own modules, run by Node: `tests/console/*.test.mjs`."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="Node is needed; `make setup` installs it, and puts it into .venv/bin")
@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda file: file.name)
def test_module_does_what_its_tests_say(file: Path) -> None:
    finished = subprocess.run([str(NODE), "--test", str(file)], capture_output=True, text=True, check=False)  # noqa: S603
    assert finished.returncode == 0, finished.stdout + finished.stderr
