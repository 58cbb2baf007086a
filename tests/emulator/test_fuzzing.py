"""A third party's opinion of the running API: a short run of what `make fuzz` does for longer."""

from pathlib import Path

from darkroom import Client

from laptop import fuzz
from laptop.deployment import Deployment

CASES = 8
SECONDS = 60


def test_schemathesis_finds_nothing(deployed: Deployment, client: Client, stranger: Client, tmp_path: Path) -> None:
    outcome = fuzz.run(deployed, [client, stranger], tmp_path / "run", cases=CASES, seconds=SECONDS)

    assert outcome.findings == []
    assert outcome.cases > 200
