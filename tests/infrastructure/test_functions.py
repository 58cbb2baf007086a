"""The functions: each has what its code asks for, and a role and a log of its own."""

import re
from pathlib import Path

import pytest

from lambdas.config import FUNCTION_MEMORY_MB, OFF, ON, Variable
from lambdas.stages.catalogue import STAGES, Stage
from tests.infrastructure.conftest import ROOT
from tests.infrastructure.templates import Resources

OTHERS = {
    "ApiCalls": "api",
    "StartExecution": "start_execution",
    "AuthorizeWatcher": "authorize_watcher",
    "BuryMessage": "bury_message",
    "CleanUp": "clean_up",
    "Operations": "operations",
    "PublishEvents": "publish_events",
    "Reconcile": "reconcile",
    "RedriveJob": "redrive_job",
    "SettleEnded": "settle_ended",
    "Watch": "watch",
    "SettleFailed": "settle_failed",
}


def test_there_is_a_function_for_each_stage_and_each_handler(template: Resources) -> None:
    expected = len(STAGES) + len(OTHERS)
    assert len(template.of_type("AWS::Lambda::Function")) == expected


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_stage_has_what_its_row_says(template: Resources, stage: Stage) -> None:
    function = template.function(stage.state)
    assert function["Handler"] == "lambdas.handlers.run_stage.handler"
    assert (function["MemorySize"], function["Timeout"]) == (stage.memory_mb, stage.timeout_seconds)
    variables = function["Environment"]["Variables"]
    assert variables[Variable.STAGE] == stage.name
    assert {Variable.JOB_TABLE, Variable.IMAGE_BUCKET} <= variables.keys()


@pytest.mark.parametrize("construct_id", OTHERS)
def test_function_that_is_no_stage_has_the_memory_that_costs_are_computed_with(
    template: Resources, construct_id: str
) -> None:
    assert template.function(construct_id)["MemorySize"] == FUNCTION_MEMORY_MB


def test_whoever_plans_a_job_is_told_whether_rekognition_may_be_asked(dev: Resources, prod: Resources) -> None:
    for construct_id in ("StartExecution", "BuryMessage"):
        assert dev.function(construct_id)["Environment"]["Variables"][Variable.LABELS] == ON
        assert prod.function(construct_id)["Environment"]["Variables"][Variable.LABELS] == OFF


@pytest.mark.parametrize(("construct_id", "handler"), OTHERS.items())
def test_handler_exists_and_is_told_what_it_asks_for(template: Resources, construct_id: str, handler: str) -> None:
    function = template.function(construct_id)
    assert function["Handler"] == f"lambdas.handlers.{handler}.handler"
    path = ROOT / "lambdas" / "handlers" / f"{handler}.py"
    assert _variables_of(path) <= function["Environment"]["Variables"].keys()


def test_variables_are_those_of_config_and_powertools(template: Resources) -> None:
    known = {*Variable, "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
    for function in template.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"].keys() <= known
        assert function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == "darkroom"


def test_api_answers_before_the_gateway_gives_up(template: Resources) -> None:
    assert template.function("ApiCalls")["Timeout"] <= 29


def test_roles_are_not_shared(template: Resources) -> None:
    functions = template.of_type("AWS::Lambda::Function").values()
    assert len({str(function["Role"]) for function in functions}) == len(functions)


def test_logs_are_not_shared_and_end(template: Resources) -> None:
    functions = template.of_type("AWS::Lambda::Function").values()
    groups = {str(function["LoggingConfig"]["LogGroup"]) for function in functions}
    assert len(groups) == len(functions)
    assert all(group["RetentionInDays"] > 0 for group in template.of_type("AWS::Logs::LogGroup").values())


def _variables_of(module: Path) -> set[str]:
    """Find the variables that a handler, or a handler's module that it imports, reads."""
    text = module.read_text()
    found = set(re.findall(r"Variable\.([A-Z_]+)", text))
    for name in re.findall(r"^from lambdas\.handlers\.(\w+) import", text, re.MULTILINE):
        found |= _variables_of(module.with_name(f"{name}.py"))
    return found
