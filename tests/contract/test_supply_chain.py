"""What comes from elsewhere: named in a few files, to the release."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for pattern in ("*requirements*.txt", "client/*requirements*.txt", "lambdas/**/*requirements*.txt", "laptop/*.txt")
    for path in ROOT.glob(pattern)
)
PINNED = re.compile(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][0-9A-Za-z.+-]*")


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_package_is_pinned_to_a_release(file: Path) -> None:
    lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
    wanted = [line for line in lines if line and not line.startswith("-r ")]
    assert [line for line in wanted if not PINNED.fullmatch(line)] == []


def test_what_builds_the_client_is_pinned_to_a_release() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert [line for line in wanted if not PINNED.fullmatch(line)] == []


def test_every_node_package_is_locked_by_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert len(packages) > 1
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
