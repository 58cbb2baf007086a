"""How many transitions a job is billed for, by the definition and by the history of an execution.

"Step Functions counts a state transition each time a step of your workflow is executed", says its page of prices: every
state that is entered counts once, a Parallel state too, and each of its retries.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from laptop.places import ROOT

_FILE = ROOT / "statemachine" / "image_analysis.asl.json"


def definition() -> dict[str, Any]:
    """Read the state machine."""
    loaded: dict[str, Any] = json.loads(_FILE.read_text())
    return loaded


def when_all_goes_well(machine: Mapping[str, Any]) -> list[str]:
    """Name the states that an ordinary job enters: along `Next`, and through every branch of a Parallel state.

    At a Choice it is the `Default` that an ordinary job takes. Raises ValueError at one without, and at a Map, whose
    number of states depends on the job.
    """
    entered = []
    name: str | None = machine["StartAt"]
    while name is not None:
        state = machine["States"][name]
        if state["Type"] == "Map" or (state["Type"] == "Choice" and "Default" not in state):
            raise ValueError(f"{name} is a {state['Type']}: how many states follow depends on the job. Teach me how.")
        entered.append(name)
        for branch in state.get("Branches", []):
            entered += when_all_goes_well(branch)
        name = state.get("Default" if state["Type"] == "Choice" else "Next")
    return entered


def in_history(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the states that an execution has entered, in order."""
    return [event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("StateEntered")]
