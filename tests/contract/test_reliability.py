"""The table of faults in docs/reliability.md against what there is: the tests, and the kinds of the fault run."""

import re
from pathlib import Path

import pytest

from laptop.chaos.kinds import BY_NAME

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|(.*) \|$", (ROOT / "docs" / "reliability.md").read_text(), re.MULTILINE
)
NAMED = sorted({test for _, _, _, tests, _ in ROWS for test in re.findall(r"`(tests/[^`]+)`", tests)})


def test_faults_are_numbered_without_a_gap() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 23))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_fault_is_shown_by_a_test(row: tuple[str, str, str, str, str]) -> None:
    assert re.search(r"`tests/", row[3])


@pytest.mark.parametrize("test", NAMED)
def test_named_test_is_there(test: str) -> None:
    file, _, name = test.partition("::")

    text = (ROOT / file).read_text()

    assert re.search(rf"^def {name or 'test_'}", text, re.MULTILINE)


def test_kinds_of_the_fault_run_are_those_of_the_table() -> None:
    named = {kind for *_, kinds in ROWS for kind in re.findall(r"`([^`]+)`", kinds)}

    # A deadline is a wish of the owner; the run plays it among the faults.
    assert named == BY_NAME.keys() - {"deadline"}
