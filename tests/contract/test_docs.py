"""The documentation against the code: whatever has a name is explained, and links lead somewhere."""

import json
import re
from pathlib import Path

import pytest
import yaml

from lambdas.handlers import problems
from lambdas.jobs import errors
from lambdas.jobs.status import TRANSITIONS, StageStatus, Status
from lambdas.stages.catalogue import STAGES
from stacks import problems as gateway_problems

ROOT = Path(__file__).parents[2]
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
ARCHITECTURE = PAGES["architecture.md"]
API = PAGES["api.md"]
ASL = json.loads((ROOT / "statemachine" / "image_analysis.asl.json").read_text())
CONTRACT = yaml.safe_load((ROOT / "openapi.yaml").read_text())


def test_picture_of_statuses_is_the_table() -> None:
    drawn = set(re.findall(r"^    ([A-Z]+) --> ([A-Z]+)", ARCHITECTURE, re.MULTILINE))

    assert drawn == {(status.value, target.value) for status, targets in TRANSITIONS.items() for target in targets}


@pytest.mark.parametrize("status", [*Status, *StageStatus])
def test_status_is_explained(status: str) -> None:
    assert status in API


def test_every_error_class_is_explained() -> None:
    families = {"JobError", "InvalidInput"}
    names = {name for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, errors.JobError)}

    assert {name for name in names - families if f"`{name}`" not in ARCHITECTURE} == set()


def test_every_problem_is_explained() -> None:
    ours = {cls.slug for cls in [problems.ProblemError, *problems.ProblemError.__subclasses__()]}
    gateways = {problem.slug for _, problem in gateway_problems.BY_TYPE.values()}

    assert {slug for slug in ours | gateways if f"`/problems/{slug}`" not in API} == set()


def test_every_call_is_explained() -> None:
    calls = [
        f"{method.upper()} {path}"
        for path, item in CONTRACT["paths"].items()
        for method in item
        if method != "parameters"
    ]

    assert [call for call in calls if f"`{call}" not in API] == []


def test_every_state_and_stage_is_explained() -> None:
    names = [*ASL["States"], *(stage.state for stage in STAGES)]

    assert [name for name in names if name not in ARCHITECTURE] == []


def test_every_make_command_in_the_docs_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    mentioned = {target for text in PAGES.values() for target in re.findall(r"`(?:[A-Z]+=\S+ )*make ([a-z-]+)", text)}
    mentioned |= {target for text in PAGES.values() for target in re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)}

    assert mentioned - targets == set()


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name, text in PAGES.items()
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text)
        if not target.startswith("http") and not ((ROOT if name == "README.md" else ROOT / "docs") / target).exists()
    ]

    assert broken == []


def test_every_file_named_in_the_docs_exists() -> None:
    named = {
        match
        for text in PAGES.values()
        for match in re.findall(r"`((?:lambdas|stacks|statemachine|client|laptop|tests|docs|photos)/[\w./-]+)`", text)
    }
    made_up = {"lambdas/stages/sky.py"}  # the stage that adding-a-stage.md adds

    assert {name for name in named - made_up if not (ROOT / name).exists()} == set()
