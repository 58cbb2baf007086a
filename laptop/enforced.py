"""Darkroom with its permissions enforced: deployed as usual, and then started again with a judge at every door.

The emulator cannot be deployed to while it enforces: the CDK's own roles ask for what it does not know.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from laptop import deployment, emulator
from laptop.deployment import Deployment
from laptop.enforcement import LEDGER
from laptop.places import Home

LEDGER_FILE: Final = "rights.jsonl"


def ledger(home: Home) -> Path:
    """Where each right that was used is noted, as one JSON object a line."""
    return home.path / LEDGER_FILE


def restart(deployed: Deployment, home: Home, extra: Mapping[str, str] | None = None) -> Deployment:
    """Stop the emulator and start it again with its state, enforcing; `extra` is added to its environment."""
    emulator.stop(deployed.emulator)
    enforcing = {"AUTH": "true", LEDGER: str(ledger(home)), **(extra or {})}
    return deployment.find(emulator.start(home, port=deployed.emulator.port, extra=enforcing))
