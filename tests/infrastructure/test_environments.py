"""The same system everywhere: what differs between environments is listed here, and nothing else does."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.templates import Resources, listed

OUTPUTS = {
    "ApiUrl",
    "EventBusName",
    "PushUrl",
    "ReconcileFunctionName",
    "RedriveFunctionName",
    "Region",
    "UserPoolId",
    "UserPoolClientId",
    "TokenUrl",
    "JobQueueUrl",
    "IntakeDeadLetterQueueUrl",
    "DeadLetterQueueUrl",
    "StateMachineArn",
    "JobTableName",
    "ImageBucketName",
}
LAPTOP_DIFFERS = (
    # The host's Python, under AWS's runtime client.
    r"AWS::Lambda::Function/Properties/Runtime",
    # No traces: nobody there takes them.
    r"AWS::Lambda::Function/Properties/TracingConfig.*",
    r"AWS::StepFunctions::StateMachine/Properties/TracingConfiguration.*",
    r"AWS::ApiGateway::Stage/Properties/TracingEnabled",
    # Numbers.
    r"AWS::Logs::LogGroup/Properties/RetentionInDays",
    r"AWS::Lambda::Function/Properties/Environment/Variables/RETENTION_DAYS",
    r"AWS::Lambda::Function/Properties/Environment/Variables/PATIENCE_SECONDS",
    r"AWS::Lambda::Function/Properties/Environment/Variables/MAX_OPEN_JOBS",
    # No Rekognition: nothing there can stand in for it.
    r"AWS::Lambda::Function/Properties/Environment/Variables/LABELS",
    r"AWS::S3::Bucket/Properties/LifecycleConfiguration/Rules/\d+/ExpirationInDays",
    r"AWS::ApiGatewayV2::Stage/Properties/DefaultRouteSettings/Throttling(Rate|Burst)Limit",
    r"AWS::ApiGateway::Stage/Properties/MethodSettings/\d+/Throttling(Rate|Burst)Limit",
)


OF_SETTINGS = ("xray:", "rekognition:")
"""What begins so may be done only where a setting is on that is off on the laptop."""


WITH_TRACING = ("Sampling",)
"""Constructs that are there only where traces are."""
TRACE_IN_MESSAGES = re.compile(
    r"#if\([^)]+\)&MessageSystemAttribute\.1\.Name=AWSTraceHeader&MessageSystemAttribute\.1\.Value\.DataType=String"
    r"&MessageSystemAttribute\.1\.Value\.StringValue=[^&\"\\#]+#end"
)
DEPLOYMENT = re.compile(r"(ApiRestApiDeployment[0-9A-F]{8})[0-9a-f]{32}")
"""Its name is made of what is deployed by it."""

WITH_ALARMS = ("Alarms", "Topics", "Budget", "Dashboards", "Queries")
"""Constructs that the emulator cannot make: it refuses metric math and composite alarms, records few metrics, and takes
no queries."""


def test_outputs_are_what_clients_and_operators_need(template: Resources) -> None:
    assert set(template.template["Outputs"]) == OUTPUTS


def test_stack_depends_on_no_account_and_no_region(template: Resources) -> None:
    assert not re.search(r"\b\d{12}\b", str(template.template))
    assert not re.search(r"\b(eu|us|ap)-[a-z]+-\d\b", str(template.template))


def test_laptop_differs_from_dev_only_where_listed(templates: dict[str, Any], dev_at_once: dict[str, Any]) -> None:
    """Beside what gradual deployments add, which test_releases.py lists: the emulator refuses them."""
    dev, laptop = (_without_rights_of_settings(_untraced(one)) for one in (dev_at_once, templates["laptop"]))
    dev["Resources"] = {
        name: resource
        for name, resource in dev["Resources"].items()
        if not name.startswith((*WITH_ALARMS, *WITH_TRACING))
    }
    assert dev["Resources"].keys() == laptop["Resources"].keys()
    allowed = [re.compile(pattern) for pattern in LAPTOP_DIFFERS]
    unexpected = [
        path
        for name, resource in dev["Resources"].items()
        for path in differences(resource["Type"], resource, laptop["Resources"][name])
        if not any(pattern.fullmatch(path) for pattern in allowed)
    ]
    assert unexpected == []
    assert dev["Outputs"] == laptop["Outputs"]


def test_prod_keeps_what_dev_throws_away(templates: dict[str, Any]) -> None:
    for name, policy in {"dev": "Delete", "laptop": "Delete", "prod": "Retain"}.items():
        for logical_id, resource in templates[name]["Resources"].items():
            if logical_id.startswith("Push"):
                # Tickets and connections mean nothing two hours later.
                assert resource.get("DeletionPolicy", "Delete") == ("Delete" if "Log" not in logical_id else policy)
            elif resource["Type"] in {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"}:
                assert resource["DeletionPolicy"] == policy, (name, resource["Type"])


def test_prod_protects_its_data(prod: Resources) -> None:
    table = prod.named("JobTable", "AWS::DynamoDB::Table")
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert prod.named("Identity", "AWS::Cognito::UserPool")["DeletionProtection"] == "ACTIVE"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_accounts_run_a_managed_python(templates: dict[str, Any], name: str) -> None:
    for function in Resources(templates[name]).of_type("AWS::Lambda::Function").values():
        assert function["Runtime"].startswith("python3.")
        assert function["Architectures"] == ["arm64"]


def _untraced(template: dict[str, Any]) -> dict[str, Any]:
    """Leave out the one attribute by which messages carry a trace along."""
    text = TRACE_IN_MESSAGES.sub("", json.dumps(template))
    untraced: dict[str, Any] = json.loads(DEPLOYMENT.sub(r"\1", text))
    return untraced


def _without_rights_of_settings(template: dict[str, Any]) -> dict[str, Any]:
    """Leave out the rights to send traces and to ask Rekognition: they come with `tracing` and `labels`."""
    resources = {name: dict(resource) for name, resource in template["Resources"].items()}
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy":
            document = resource["Properties"]["PolicyDocument"]
            kept = [
                {**statement, "Action": action}
                for statement in document["Statement"]
                for action in listed(statement["Action"])
                if not action.startswith(OF_SETTINGS)
            ]
            kept.sort(key=str)
            resource["Properties"] = {**resource["Properties"], "PolicyDocument": {**document, "Statement": kept}}
    return {**template, "Resources": resources}


def differences(path: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differences(f"{path}/{key}", one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for position, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(f"{path}/{position}", *pair)
    elif one != other:
        yield path
