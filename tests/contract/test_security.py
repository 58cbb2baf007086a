"""The table of threats in docs/security.md against what there is: each row has a control, and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.*) \|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE)
NAMED = sorted({test for *_, tests in ROWS for test in re.findall(r"`(tests/[^`]+)`", tests)})


def test_threats_are_numbered_without_a_gap() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 20))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_threat_has_a_control_that_is_shown_by_a_test(row: tuple[str, str, str, str]) -> None:
    _, threat, control, tests = row

    assert threat
    assert control
    assert re.search(r"`tests/", tests)


@pytest.mark.parametrize("test", NAMED)
def test_named_test_is_there(test: str) -> None:
    file, _, name = test.partition("::")

    text = (ROOT / file).read_text()

    assert re.search(rf"^def {name}\b" if name else r"^def test_", text, re.MULTILINE)
