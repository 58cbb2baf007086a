"""What `make mutants` breaks is there to be broken, and docs/security.md tells of it."""

import re
from pathlib import Path

import pytest

from tests.mutant import Mutant
from tests.mutants import LOSSES
from tests.security_mutants import SECURITY

ROOT = Path(__file__).parents[2]
SECURITY_PAGE = (ROOT / "docs" / "security.md").read_text()


@pytest.mark.parametrize("mutant", [*LOSSES, *SECURITY], ids=lambda mutant: mutant.what)
def test_line_and_test_of_a_mutant_are_there(mutant: Mutant) -> None:
    file, _, name = mutant.test.partition("::")

    assert mutant.line in (ROOT / mutant.file).read_text()
    assert mutant.broken != mutant.line
    assert re.search(rf"^def {name}\b" if name else r"^def test_|^class ", (ROOT / file).read_text(), re.MULTILINE)


def test_controls_that_are_taken_away_are_those_of_the_docs() -> None:
    (section,) = re.findall(r"^## Without its control\n(.*?)^## ", SECURITY_PAGE, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^\| (\d+) \| (.+?) \| `(.+?)` \|$", section, re.MULTILINE)

    expected = [(str(mutant.threat), mutant.what, mutant.test) for mutant in SECURITY]
    assert sorted(told) == sorted(expected)
    assert f"caught all {len(SECURITY)}." in section


def test_every_threat_has_a_control_that_is_taken_away() -> None:
    threats = {int(number) for number in re.findall(r"^\| (\d+) \| .+ \| .+ \| .+ \|$", SECURITY_PAGE, re.MULTILINE)}

    assert threats == {mutant.threat for mutant in SECURITY}
