"""The state machine's frame: what it may do, and how its text is filled in. The text itself has its contract test."""

import json
import re
from typing import Any

from lambdas.stages.catalogue import STAGES
from tests.infrastructure.conftest import ROOT
from tests.infrastructure.templates import Resources, text_of

DEFINITION = (ROOT / "statemachine" / "image_analysis.asl.json").read_text()


def test_definition_is_in_the_template_as_it_was_written(template: Resources) -> None:
    assert json.loads(_machine(template)["DefinitionString"]) == json.loads(DEFINITION)


def test_every_placeholder_is_substituted_and_none_is_left_over(template: Resources) -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", DEFINITION))
    assert _machine(template)["DefinitionSubstitutions"].keys() == placeholders


def test_each_stage_is_substituted_by_its_own_function(template: Resources) -> None:
    substitutions = _machine(template)["DefinitionSubstitutions"]
    for stage in STAGES:
        assert template.called_by(substitutions[stage.placeholder]).startswith(f"Functions{stage.state}Function")


def test_machine_may_invoke_what_it_names_and_send_letters(template: Resources) -> None:
    granted = template.statements_of("WorkflowStateMachineRole")
    invoked = {text_of(resource).partition(".")[0] for resource in granted["lambda:InvokeFunction"]}
    substitutions = _machine(template)["DefinitionSubstitutions"]
    named = [value for name, value in substitutions.items() if name.endswith("FunctionArn")]
    assert invoked == {template.called_by(value) for value in named}
    (queue,) = granted["sqs:SendMessage"]
    assert queue["Fn::GetAtt"][0].startswith("DeadLettersQueue")


def test_functions_end_before_their_states_give_up(template: Resources) -> None:
    machine = _machine(template)
    for state in _tasks(json.loads(machine["DefinitionString"])):
        name = re.fullmatch(r"\$\{(\w+)\}", str(state["Arguments"].get("FunctionName")))
        if name:
            function = template.template["Resources"][template.called_by(machine["DefinitionSubstitutions"][name[1]])]
            assert function["Properties"]["Timeout"] < state["TimeoutSeconds"], name[1]


def test_ends_that_no_catch_sees_are_told_to_the_settler(template: Resources) -> None:
    rule = template.named("ExecutionEnds", "AWS::Events::Rule")
    pattern = rule["EventPattern"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert "StateMachine" in str(pattern["detail"]["stateMachineArn"])
    (target,) = rule["Targets"]
    assert "SettleEnded" in str(target["Arn"])
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_reconciler_looks_every_minute(template: Resources) -> None:
    rule = template.named("Reconciler", "AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["State"] == "ENABLED"
    (target,) = rule["Targets"]
    assert "Reconcile" in str(target["Arn"])


def test_machine_is_standard_and_logs_no_data(template: Resources) -> None:
    machine = _machine(template)
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["StateMachineName"].endswith("-image-analysis")
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)
    group = template.named("WorkflowLog", "AWS::Logs::LogGroup")
    assert group["LogGroupName"].startswith("/aws/vendedlogs/states/")


def _machine(template: Resources) -> dict[str, Any]:
    return template.named("Workflow", "AWS::StepFunctions::StateMachine")


def _tasks(definition: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for state in definition["States"].values():
        found += [state] if state["Type"] == "Task" else []
        for branch in state.get("Branches", []):
            found += _tasks(branch)
    return found
