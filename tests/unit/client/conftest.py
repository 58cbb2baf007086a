"""A Darkroom in memory, and a client and a command that speak to it from an empty home."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from darkroom import Client, Profile
from darkroom.cli import main
from darkroom.tokens import TokenFile, Tokens

from tests.unit.client.fake_darkroom import FakeDarkroom

REPORTS = Path(__file__).parent / "reports"


@dataclass
class Run:
    """What a run of the command has left."""

    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, object]]:
        """Read stdout as what `--json` promises."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith(("DARKROOM_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C means what it means at a terminal: whoever starts tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def fake() -> FakeDarkroom:
    return FakeDarkroom()


@pytest.fixture
def profile(fake: FakeDarkroom, home: Path) -> Profile:
    path = home / "work" / ".darkroom" / "profile.json"
    fake.profile().save(path)
    return Profile.load(path)


@pytest.fixture
def signed_in(fake: FakeDarkroom, profile: Profile) -> Tokens:
    tokens = Tokens(access_token=fake.issue(), refresh_token="refresh-ada")
    fake.refresh_tokens.add("refresh-ada")
    TokenFile(profile).save(tokens)
    return tokens


@pytest.fixture
def client(fake: FakeDarkroom, profile: Profile, signed_in: Tokens) -> Client:
    return Client(profile, surroundings=fake.surroundings)


@pytest.fixture
def run(fake: FakeDarkroom, profile: Profile, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def run_command(*arguments: object) -> Run:
        code = main([str(argument) for argument in arguments], fake.surroundings)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run_command


@pytest.fixture
def photo(home: Path) -> Path:
    path = home / "work" / "photo.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    return path


@pytest.fixture
def real_report() -> dict[str, Any]:
    """The report of photos/seeding.jpg, as the stages have written it."""
    return dict(json.loads((REPORTS / "seeding.json").read_text()))


@pytest.fixture
def real_report_shown() -> str:
    """How that report is shown on a terminal."""
    return (REPORTS / "seeding.txt").read_text()
