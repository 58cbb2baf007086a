"""Encryption at rest: with the services' own keys, and with one of one's own."""

import copy
from typing import Any

import pytest

from tests.infrastructure.conftest import STACK
from tests.infrastructure.templates import Resources, listed

STACK_NAME = f"Darkroom-{STACK}"
MANAGING = {"kms:*"}
"""What the account keeps for its administrators, or nobody could ever change the key."""


@pytest.fixture(scope="module")
def own_key(cdk_context: dict[str, Any], empty_packages: Any) -> Resources:
    """Production, with a key of one's own."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    context = copy.deepcopy(cdk_context)
    context["environments"]["prod"]["customer_managed_key"] = True
    cdk_app = aws_cdk.App(analytics_reporting=False, context=context)
    stack = app.add_stack(cdk_app, STACK, app.settings_of(cdk_app, "prod"), empty_packages)
    return Resources(Template.from_stack(stack).to_json())


@pytest.fixture
def key_id(own_key: Resources) -> str:
    (found,) = (name for name in own_key.of_type("AWS::KMS::Key") if name.startswith("Encryption"))
    return found


def test_key_of_ones_own_is_where_the_settings_have_it(templates: dict[str, Any], environments: dict[str, Any]) -> None:
    for name, settings in environments.items():
        # But for the key of the alarms' topics, which has a test of its own.
        others = {
            logical_id: resource
            for logical_id, resource in templates[name]["Resources"].items()
            if not logical_id.startswith("Topics")
        }
        kinds = {resource["Type"] for resource in others.values()}
        assert ("AWS::KMS::Key" in kinds) == settings["customer_managed_key"]
        assert ("kms:" in str(others)) == settings["customer_managed_key"]


def test_key_of_ones_own_is_rotated_and_outlives_the_stack(own_key: Resources, key_id: str) -> None:
    assert own_key.of_type("AWS::KMS::Key")[key_id]["EnableKeyRotation"] is True
    assert own_key.template["Resources"][key_id]["DeletionPolicy"] == "Retain"


def test_everything_at_rest_is_encrypted_with_it(own_key: Resources, key_id: str) -> None:
    arn = {"Fn::GetAtt": [key_id, "Arn"]}
    for queue in own_key.of_type("AWS::SQS::Queue").values():
        assert queue["KmsMasterKeyId"] == arn
        assert "SqsManagedSseEnabled" not in queue
    for group in own_key.of_type("AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] == arn
    for table in own_key.of_type("AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"KMSMasterKeyId": arn, "SSEEnabled": True, "SSEType": "KMS"}
    (bucket,) = own_key.of_type("AWS::S3::Bucket").values()
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"KMSMasterKeyID": arn, "SSEAlgorithm": "aws:kms"},
        }
    ]


def test_only_services_that_write_by_themselves_are_in_its_policy(own_key: Resources, key_id: str) -> None:
    administrators, logs, events = own_key.of_type("AWS::KMS::Key")[key_id]["KeyPolicy"]["Statement"]
    assert set(listed(administrators["Action"])) == MANAGING
    assert ":root" in str(administrators["Principal"])
    assert "logs." in str(logs["Principal"])
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    for statement in (logs, events):
        assert not [action for action in listed(statement["Action"]) if "*" in action]


def test_services_in_its_policy_may_use_it_only_for_what_is_ours(own_key: Resources, key_id: str) -> None:
    _, logs, events = own_key.of_type("AWS::KMS::Key")[key_id]["KeyPolicy"]["Statement"]
    assert logs["Condition"].keys() == {"ArnLike"}
    groups = [str(group) for group in logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]]
    assert all(":log-group:" in group and "AWS::AccountId" in group and "AWS::Region" in group for group in groups)
    assert [f"{STACK_NAME}-*" in group or "API-Gateway-Execution-Logs_*" in group for group in groups] == [True] * 3
    assert events["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert f":rule/Darkroom-{STACK}-*" in str(events["Condition"]["ArnLike"]["aws:SourceArn"])


def test_named_log_groups_are_those_of_its_policy(own_key: Resources, key_id: str) -> None:
    (_, logs, _) = own_key.of_type("AWS::KMS::Key")[key_id]["KeyPolicy"]["Statement"]
    allowed = str(logs["Condition"])
    for group in own_key.of_type("AWS::Logs::LogGroup").values():
        # One without a name is given one by CloudFormation, which begins with the stack's.
        name = str(group.get("LogGroupName", f"{STACK_NAME}-"))
        prefix = next(
            each
            for each in (f"vendedlogs/states/{STACK_NAME}-", "API-Gateway-Execution-Logs_", f"{STACK_NAME}-")
            if each in name
        )
        assert f"{prefix}*" in allowed


def test_roles_may_use_it_only_through_the_services_that_they_work_with(own_key: Resources, key_id: str) -> None:
    seen = set()
    for policy, statement in own_key.statements():
        actions = set(listed(statement["Action"]))
        if not any(action.startswith("kms:") for action in actions):
            continue
        assert listed(statement["Resource"]) == [{"Fn::GetAtt": [key_id, "Arn"]}]
        assert actions.isdisjoint({"kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"})
        if "Condition" in statement:
            seen.add(str(statement["Condition"]["StringEquals"]["kms:ViaService"]).split("'")[5].rstrip("."))
        else:  # as CDK lets the readers of queues decrypt
            assert actions == {"kms:Decrypt"}
            assert policy.startswith(("FunctionsStartExecutionRole", "FunctionsBuryMessageRole"))
    assert seen == {"dynamodb", "s3", "sqs"}


@pytest.mark.parametrize(
    ("right", "service", "needs"),
    [
        ("sqs:SendMessage", "sqs", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("s3:GetObject", "s3", {"kms:Decrypt"}),
        ("s3:PutObject", "s3", {"kms:GenerateDataKey"}),
        ("dynamodb:GetItem", "dynamodb", {"kms:Decrypt"}),
        ("dynamodb:UpdateItem", "dynamodb", {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}),
        ("dynamodb:Query", "dynamodb", {"kms:Decrypt"}),
    ],
)
def test_whoever_works_on_what_it_encrypts_may_use_it(
    own_key: Resources, right: str, service: str, needs: set[str]
) -> None:
    holders = {policy for policy, statement in own_key.statements() if right in listed(statement["Action"])}
    assert holders
    for holder in holders:
        granted = {
            action
            for policy, statement in own_key.statements()
            if policy == holder and f"'{service}.'" in str(statement.get("Condition"))
            for action in listed(statement["Action"])
        }
        assert needs <= granted, holder
