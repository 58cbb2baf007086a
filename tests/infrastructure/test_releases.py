"""Gradual deployments: who calls a new version, when, and what leads back to the one before."""

import copy
import re
from typing import Any

import pytest

from lambdas.stages.catalogue import STAGES
from stacks.settings import Settings, SettingsError
from tests.alarm_states import Datum, state
from tests.infrastructure.conftest import STACK
from tests.infrastructure.templates import Resources, listed, text_of
from tests.infrastructure.test_environments import differences

ALIAS = "AWS::Lambda::Alias"
CALLED = {
    "ApiCalls",
    "AuthorizeWatcher",
    "BuryMessage",
    "Operations",
    "PublishEvents",
    "Reconcile",
    "RedriveJob",
    "SettleEnded",
    "StartExecution",
    "Watch",
}
"""Functions that something outside the state machine calls."""
ADDED = {
    "AWS::CloudWatch::Alarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    ALIAS,
    "AWS::Lambda::Version",
    "AWS::StepFunctions::StateMachineAlias",
    "AWS::StepFunctions::StateMachineVersion",
}
DIFFERS = (
    # What is called.
    r"AWS::ApiGateway::Method/Properties/Integration/Uri/.*",
    r"AWS::ApiGatewayV2::(Authorizer/Properties/AuthorizerUri|Integration/Properties/IntegrationUri)/.*",
    r"AWS::ApiGateway::Stage/Properties/DeploymentId/Ref",
    r"AWS::Events::Rule/Properties/Targets/0/Arn/.*",
    r"AWS::Lambda::EventSourceMapping/Properties/FunctionName/.*",
    r"AWS::Lambda::Permission/Properties/FunctionName/.*",
    r"AWS::Lambda::Function/Properties/Environment/Variables/STATE_MACHINE_ARN/.*",
    r"AWS::StepFunctions::StateMachine/Properties/DefinitionSubstitutions/.*FunctionArn/.*",
    # Who may: the machine every version, the starters the alias alone.
    r"AWS::IAM::Policy/Properties/PolicyDocument/Statement(/.*)?",
    # Where the states of all alarms are drawn.
    r"AWS::CloudWatch::Dashboard/.*",
)
CHANGED_WITH_THEM = ("ApiRestApiDeployment", "ExecutionEndsRuleAllowEventRule", "ReconcilerRuleAllowEventRule")
"""Their names are made of what they call."""


@pytest.fixture(params=["dev", "prod"])
def gradual(request: pytest.FixtureRequest, templates: dict[str, Any]) -> Resources:
    return Resources(templates[request.param])


@pytest.fixture(scope="module")
def in_a_hurry(cdk_context: dict[str, Any], empty_packages: Any) -> Resources:
    """Production, deployed with `-c at_once=true`."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    cdk_app = aws_cdk.App(analytics_reporting=False, context={**copy.deepcopy(cdk_context), "at_once": "true"})
    stack = app.add_stack(cdk_app, STACK, app.settings_of(cdk_app, "prod"), empty_packages)
    return Resources(Template.from_stack(stack).to_json())


def test_setting_adds_what_is_listed_and_changes_nothing_but_who_is_called(
    templates: dict[str, Any], dev_at_once: dict[str, Any]
) -> None:
    on, off = (
        {name: one for name, one in template["Resources"].items() if not name.startswith(CHANGED_WITH_THEM)}
        for template in (templates["dev"], dev_at_once)
    )
    assert off.keys() <= on.keys()
    assert {on[name]["Type"] for name in on.keys() - off.keys()} == ADDED
    allowed = [re.compile(pattern) for pattern in DIFFERS]
    unexpected = [
        path
        for name, resource in off.items()
        for path in differences(resource["Type"], resource, on[name])
        if not any(pattern.fullmatch(path) for pattern in allowed)
    ]
    assert unexpected == []


def test_rights_differ_in_what_is_invoked_and_started_only(
    templates: dict[str, Any], dev_at_once: dict[str, Any]
) -> None:
    on, off = Resources(templates["dev"]), Resources(dev_at_once)
    added = {name for name in on.of_type("AWS::IAM::Policy") if name.startswith("ReleasesRole")}
    for name, policy in on.of_type("AWS::IAM::Policy").items():
        if name in added:
            continue
        changed = _rights(policy) ^ _rights(off.of_type("AWS::IAM::Policy")[name])
        assert {action for action, _, _ in changed} <= {"lambda:InvokeFunction", "states:StartExecution"}, name


def test_everybody_outside_calls_the_alias(gradual: Resources) -> None:
    aliases = gradual.of_type(ALIAS)
    assert {name.removeprefix("Functions").partition("Live")[0] for name in aliases} == CALLED
    assert {alias["Name"] for alias in aliases.values()} == {"live"}
    for permission in gradual.of_type("AWS::Lambda::Permission").values():
        assert permission["FunctionName"]["Ref"] in aliases
    for mapping in gradual.of_type("AWS::Lambda::EventSourceMapping").values():
        assert any(name in str(mapping["FunctionName"]) for name in aliases)
    calls = [
        str(target["Arn"]) for rule in gradual.of_type("AWS::Events::Rule").values() for target in rule["Targets"]
    ] + [
        str(method["Integration"]["Uri"])
        for method in gradual.of_type("AWS::ApiGateway::Method").values()
        if method["Integration"]["Type"] == "AWS_PROXY"
    ]
    assert len(calls) > len(CALLED)
    assert [call for call in calls if not any(name in call for name in aliases)] == []


def test_operators_are_told_the_alias(gradual: Resources) -> None:
    for name in ("RedriveFunctionName", "ReconcileFunctionName"):
        assert str(gradual.template["Outputs"][name]["Value"]).endswith("':live']]}")


def test_execution_ends_with_the_code_that_it_began_with(gradual: Resources) -> None:
    substitutions = gradual.named("Workflow", "AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    named = {value["Ref"] for name, value in substitutions.items() if name.endswith("FunctionArn")}
    assert len(named) == len(STAGES) + 2
    for name in named:
        version = gradual.template["Resources"][name]
        assert version["Type"] == "AWS::Lambda::Version"
        # A version that is deleted takes its code from the executions that still call it.
        assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Retain"


def test_machine_may_invoke_versions_of_what_it_names_and_nothing_else(gradual: Resources) -> None:
    invoked = gradual.statements_of("WorkflowStateMachineRole")["lambda:InvokeFunction"]
    assert [text_of(one) for one in invoked if not text_of(one).endswith(".Arn:*")] == []


def test_every_change_of_the_machine_is_a_version_that_stays(gradual: Resources) -> None:
    (version,) = (
        one
        for one in gradual.template["Resources"].values()
        if one["Type"] == "AWS::StepFunctions::StateMachineVersion"
    )
    assert version["Properties"]["StateMachineRevisionId"]["Fn::GetAtt"][1] == "StateMachineRevisionId"
    assert version["DeletionPolicy"] == version["UpdateReplacePolicy"] == "Retain"


def test_starters_may_start_the_alias_only(gradual: Resources) -> None:
    starting = [one for _, one in gradual.statements() if "states:StartExecution" in listed(one["Action"])]
    assert len(starting) == 6
    for statement in starting:
        assert statement["Condition"] == {"StringEquals": {"states:StateMachineQualifier": "live"}}
    machine = next(iter(gradual.of_type("AWS::StepFunctions::StateMachineAlias")))
    for function in gradual.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"].get("STATE_MACHINE_ARN", {"Ref": machine}) == {"Ref": machine}


def test_new_versions_go_back_when_an_alarm_is_on(gradual: Resources) -> None:
    groups = gradual.of_type("AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) == len(CALLED)
    assert len(gradual.of_type("AWS::CodeDeploy::Application")) == 1
    for group in groups.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent10Minutes"
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert group["AlarmConfiguration"]["Enabled"] is True
        looked_at = [alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]]
        assert _names(gradual, looked_at) == {"new-functions", "stalled", "api-5xx", "failure-rate"}
    for alias in gradual.template["Resources"].values():
        if alias["Type"] == ALIAS:
            assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"] in groups


def test_new_definition_goes_back_when_an_alarm_is_on(gradual: Resources) -> None:
    preference = _preference(gradual)
    assert (preference["Type"], preference["Percentage"], preference["Interval"]) == ("CANARY", 10, 10)
    assert _names(gradual, preference["Alarms"]) == {"new-stages", "stalled", "api-5xx", "failure-rate"}


def test_alarms_are_about_the_versions_that_are_published(gradual: Resources) -> None:
    published = gradual.of_type("AWS::Lambda::Version")
    functions = gradual.named("AlarmsNewFunctions", "AWS::CloudWatch::Alarm")
    errors = [query["MetricStat"]["Metric"] for query in functions["Metrics"] if "MetricStat" in query]
    assert len(errors) == len(CALLED)
    for metric in errors:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        assert dimensions["ExecutedVersion"]["Fn::GetAtt"][0] in published
        assert str(dimensions["Resource"]).endswith("':live']]}")
    stages = gradual.named("AlarmsNewStages", "AWS::CloudWatch::Alarm")
    by_id = {query["Id"]: str(query["MetricStat"]) for query in stages["Metrics"] if "MetricStat" in query}
    assert "InspectFunctionCurrentVersion" in by_id["begun"]
    assert "SettleFailedFunctionCurrentVersion" in by_id["failed"]


def test_new_functions_rings_when_new_versions_fail_twice_and_not_for_one_hiccup(prod: Resources) -> None:
    alarm = prod.named("AlarmsNewFunctions", "AWS::CloudWatch::Alarm")

    def errors(*functions: str) -> str:
        data = [
            Datum(metric="AWS/Lambda/Errors", value=1, at=1, about=f"Functions{name}FunctionCurrentVersion")
            for name in functions
        ]
        return state(alarm, data, now=300)

    assert errors() == errors("Watch") == "OK"
    assert errors("Watch", "ApiCalls") == errors("Watch", "Watch") == "ALARM"


@pytest.mark.parametrize(
    ("begun", "failed", "expected"),
    [(3, 3, "ALARM"), (12, 3, "ALARM"), (13, 3, "OK"), (2, 2, "OK"), (100, 0, "OK"), (0, 0, "OK")],
)
def test_new_stages_rings_when_a_quarter_of_the_new_executions_fails(
    prod: Resources, begun: int, failed: int, expected: str
) -> None:
    alarm = prod.named("AlarmsNewStages", "AWS::CloudWatch::Alarm")
    versions = {"FunctionsInspectFunctionCurrentVersion": begun, "FunctionsSettleFailedFunctionCurrentVersion": failed}
    data = [
        Datum(metric="AWS/Lambda/Invocations", value=1, at=1, about=name)
        for name, number in versions.items()
        for _ in range(number)
    ]
    assert state(alarm, data, now=300) == expected


def test_codedeploy_may_move_our_aliases_and_nothing_else(gradual: Resources) -> None:
    role = gradual.named("ReleasesRole", "AWS::IAM::Role")
    assert "ManagedPolicyArns" not in role
    granted = gradual.statements_of("ReleasesRole")
    assert granted.keys() == {
        "lambda:GetAlias",
        "lambda:GetProvisionedConcurrencyConfig",
        "lambda:UpdateAlias",
        "cloudwatch:DescribeAlarms",
    }
    moved = [text_of(one) for one in granted["lambda:UpdateAlias"]]
    assert len(moved) == 2 * len(CALLED)
    assert all(re.fullmatch(r"Functions\w+\.Arn(:live)?", one) for one in moved)


def test_what_is_broken_can_be_mended_while_its_alarm_is_on(in_a_hurry: Resources, prod: Resources) -> None:
    for group in in_a_hurry.of_type("AWS::CodeDeploy::DeploymentGroup").values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
        assert not group.get("AlarmConfiguration", {}).get("Alarms")
    assert _preference(in_a_hurry)["Type"] == "ALL_AT_ONCE"
    assert "Alarms" not in _preference(in_a_hurry)
    assert in_a_hurry.template["Resources"].keys() == prod.template["Resources"].keys()


def test_gradual_deployment_without_alarms_is_refused(environments: dict[str, Any]) -> None:
    one = {"prod": {**environments["prod"], "alarms": False}}
    with pytest.raises(SettingsError, match="gradual_deployment without alarms"):
        Settings.from_context(one, "prod")


def _rights(policy: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Action, resource and condition, one by one: CDK joins statements that differ in one of them only."""
    return {
        (action, text_of(resource), str(statement.get("Condition")))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def _preference(resources: Resources) -> dict[str, Any]:
    (alias,) = resources.of_type("AWS::StepFunctions::StateMachineAlias").values()
    found: dict[str, Any] = alias["DeploymentPreference"]
    return found


def _names(resources: Resources, references: list[dict[str, str]]) -> set[str]:
    return {resources.behind(one)["AlarmName"].removeprefix(f"Darkroom-{STACK}-") for one in references}
