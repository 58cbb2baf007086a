"""A stage is one file, one row and one state: forgetting any of them is noticed, and named."""

import copy
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.stages.catalogue import STAGES, Reads, Stage

ROOT = Path(__file__).parents[2]
DEFINITION: dict[str, Any] = json.loads((ROOT / "statemachine" / "image_analysis.asl.json").read_text())
INVOKE = "arn:aws:states:::lambda:invoke"
NO_STAGES = {"CleanUp", "SettleFailed"}
"""States that invoke a function and are no stage."""
NEW = Stage(name="depth_map", reads=Reads.WORKING_COPY, memory_mb=512, timeout_seconds=30, weight=5, optional=True)


def forgotten(stages: Iterable[Stage], definition: dict[str, Any], files: Iterable[str]) -> list[str]:
    """List what the three places do not agree on."""
    rows = {stage.state: stage for stage in stages}
    states = dict(invoking_states(definition))
    return [
        *(f"no state {state}" for state in rows.keys() - states.keys()),
        *(f"no row for the state {state}" for state in states.keys() - rows.keys() - NO_STAGES),
        *(f"no file {stage.name}.py" for stage in rows.values() if stage.name not in files),
        *(f"no row for the file {name}.py" for name in set(files) - {stage.name for stage in rows.values()}),
        *(
            f"the state {state} does not invoke its own function"
            for state, stage in rows.items()
            if state in states and states[state]["Arguments"]["FunctionName"] != f"${{{stage.placeholder}}}"
        ),
    ]


def invoking_states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and bodies of all states that invoke a function, branches included."""
    for name, state in machine["States"].items():
        if state.get("Resource") == INVOKE:
            yield name, state
        for branch in state.get("Branches", []):
            yield from invoking_states(branch)


def stage_files() -> set[str]:
    """Names of the modules that are a stage: those that have a `run`."""
    folder = ROOT / "lambdas" / "stages"
    return {path.stem for path in folder.glob("*.py") if re.search(r"^def run\(", path.read_text(), re.MULTILINE)}


def with_new_state() -> dict[str, Any]:
    definition = copy.deepcopy(DEFINITION)
    state = {"Type": "Task", "Resource": INVOKE, "Arguments": {"FunctionName": f"${{{NEW.placeholder}}}"}}
    definition["States"]["Analyse"]["Branches"].append({"StartAt": NEW.state, "States": {NEW.state: state}})
    return definition


def test_the_three_places_agree() -> None:
    assert forgotten(STAGES, DEFINITION, stage_files()) == []


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_row_leads_to_a_file_that_can_run(stage: Stage) -> None:
    assert callable(stage.load().run)


def test_new_stage_with_all_three_is_complete() -> None:
    assert forgotten([*STAGES, NEW], with_new_state(), {*stage_files(), NEW.name}) == []


def test_new_stage_without_its_file_is_noticed() -> None:
    assert forgotten([*STAGES, NEW], with_new_state(), stage_files()) == ["no file depth_map.py"]
    with pytest.raises(ModuleNotFoundError):
        NEW.load()


def test_new_stage_without_its_row_is_noticed() -> None:
    assert set(forgotten(STAGES, with_new_state(), {*stage_files(), NEW.name})) == {
        "no row for the state DepthMap",
        "no row for the file depth_map.py",
    }


def test_new_stage_without_its_state_is_noticed() -> None:
    assert forgotten([*STAGES, NEW], DEFINITION, {*stage_files(), NEW.name}) == ["no state DepthMap"]


def test_new_stage_that_invokes_another_ones_function_is_noticed() -> None:
    definition = with_new_state()
    branch = definition["States"]["Analyse"]["Branches"][-1]
    branch["States"][NEW.state]["Arguments"]["FunctionName"] = "${PaletteFunctionArn}"

    assert forgotten([*STAGES, NEW], definition, {*stage_files(), NEW.name}) == [
        "the state DepthMap does not invoke its own function"
    ]
