"""What comes from elsewhere: named in a few files, to the release, and locked in others, to the byte."""

import json
import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for pattern in ("*requirements*.txt", "client/*requirements*.txt", "lambdas/**/*requirements*.txt", "laptop/*.txt")
    for path in ROOT.glob(pattern)
)
LOCKS = (
    "requirements-dev",
    "requirements-audit",
    "laptop/requirements",
    "laptop/requirements-runtime",
    "laptop/requirements-uv",
    "lambdas/requirements",
    "lambdas/stages/requirements",
)
"""Without their endings: what is wanted is in the .txt, all that comes of it in the .lock."""
PINNED = re.compile(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][0-9A-Za-z.+-]*")
LOCKED = re.compile(rf"{PINNED.pattern}( ; [a-zA-Z_0-9!=<>'. ]+)?( --hash=sha256:[0-9a-f]{{64}})+")


def pins_in(file: Path) -> list[str]:
    """The packages that a file names itself."""
    lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("-r ")]


def all_pins_of(file: Path) -> set[str]:
    """The packages that a file names, itself or by another file; names in small letters."""
    named = re.findall(r"^-r (\S+)", file.read_text(), re.MULTILINE)
    return {pin.lower() for pin in pins_in(file)}.union(*(all_pins_of(file.parent / other) for other in named))


def entries_of(lock: str) -> list[str]:
    """What is locked: a package in each, with its hashes."""
    lines = (ROOT / f"{lock}.lock").read_text().replace("\\\n", "").splitlines()
    return [re.sub(" +", " ", line) for line in lines]


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_package_is_pinned_to_a_release(file: Path) -> None:
    assert [line for line in pins_in(file) if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_its_hashes(lock: str) -> None:
    entries = entries_of(lock)

    assert entries
    assert [entry for entry in entries if not LOCKED.fullmatch(entry)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_what_is_wanted(lock: str) -> None:
    """`make lock` makes it do so."""
    assert all_pins_of(ROOT / f"{lock}.txt") - {entry.split()[0].lower() for entry in entries_of(lock)} == set()


def test_locks_are_all_that_are_made_and_all_that_there_are() -> None:
    (made,) = re.findall(r"^LOCKS := (.+?[^\\])\n", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)
    patterns = ("*.lock", "client/**/*.lock", "lambdas/**/*.lock", "laptop/*.lock")
    there = {path for pattern in patterns for path in ROOT.glob(pattern)}

    assert tuple(made.replace("\\", "").split()) == LOCKS
    assert there == {ROOT / f"{lock}.lock" for lock in LOCKS}


def test_what_is_installed_from_elsewhere_is_compared_with_its_hashes() -> None:
    """All but our own client, which is installed from this folder and brings nothing along."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    definition = "LOCKED := $(PIP) --require-hashes -r"
    installs = [line for line in lines if re.search(r"\$\((PIP|LOCKED)\)|pip install", line) and line != definition]

    assert definition in lines
    assert len(installs) == 5
    for line in installs:
        assert re.search(r"\$\(LOCKED\) \S+\.lock$|--no-build-isolation --no-deps -e \.$", line)


def test_what_is_deployed_is_listed_with_its_licence() -> None:
    (section,) = re.findall(
        r"^## What runs in AWS and is not ours\n(.*?)^## ",
        (ROOT / "docs" / "security.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    listed = dict(re.findall(r"^\| `(.+?)` \| (.+?) \|", section, re.MULTILINE))
    deployed = [entry.partition("==")[0] for lock in LOCKS if lock.startswith("lambdas") for entry in entries_of(lock)]

    assert listed == {package: licence_of(package) for package in deployed}


def licence_of(package: str) -> str:
    """As the package says itself."""
    says = metadata(package)
    return str(says["License-Expression"] or says["License"])


def test_what_builds_the_client_is_pinned_to_a_release() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert [line for line in wanted if not PINNED.fullmatch(line)] == []


def test_every_node_package_is_locked_by_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert len(packages) > 1
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
