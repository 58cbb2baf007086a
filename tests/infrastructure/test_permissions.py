"""Who may do what to which: exactly what the code does, and no wildcard without a reason."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.stages.catalogue import STAGES, Reads
from tests.infrastructure.templates import Resources, listed

ANY_RESOURCE = {
    # It tells which streams there are, so it can be given on all or not at all; Lambda's poller asks for it.
    "dynamodb:ListStreams",
    # X-Ray has no resources to name.
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    # Neither has the delivery of logs, by which Step Functions writes its own.
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    # Nor has a picture that comes with the call.
    "rekognition:DetectLabels",
    "rekognition:DetectText",
    "rekognition:DetectModerationLabels",
    # Nor has what CloudWatch has measured.
    "cloudwatch:GetMetricData",
    # Nor has a list of alarms, which CodeDeploy looks at.
    "cloudwatch:DescribeAlarms",
}
BELOW_A_PREFIX = ("/uploads/*", "/jobs/*")
"""The rest of an object's key begins with its owner, who is known only when the call is made."""

STARTING = {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:Query",
    "states:StartExecution",
    "states:DescribeExecution",
    "sqs:SendMessage",
}
RIGHTS = {
    "ApiCalls": {
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:Query",
        "s3:PutObject",
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:ListBucket",
        "sqs:GetQueueAttributes",
        "states:StartExecution",
        "states:DescribeExecution",
    },
    "StartExecution": STARTING,
    "BuryMessage": STARTING,
    "CleanUp": {"dynamodb:GetItem", "dynamodb:UpdateItem", "s3:ListBucket", "s3:DeleteObject"},
    "SettleEnded": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "s3:ListBucket",
        "s3:DeleteObject",
        "sqs:SendMessage",
    },
    "Reconcile": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "dynamodb:Query",
        "s3:ListBucket",
        "s3:DeleteObject",
        "sqs:SendMessage",
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
    },
    "PublishEvents": {
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        "dynamodb:Query",
        "events:PutEvents",
        "execute-api:ManageConnections",
        # Where the poller reports what could not be told.
        "sqs:SendMessage",
    },
    "AuthorizeWatcher": {"dynamodb:DeleteItem"},
    "Watch": {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "execute-api:ManageConnections",
    },
    "RedriveJob": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "states:StartExecution",
        "states:DescribeExecution",
    },
    "SettleFailed": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    "Operations": {
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "states:StartExecution",
        "states:DescribeExecution",
        "states:ListExecutions",
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "cloudwatch:GetMetricData",
    },
}
STAGE_RIGHTS = {"dynamodb:UpdateItem", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
LOOKING = {"rekognition:DetectLabels", "rekognition:DetectText", "rekognition:DetectModerationLabels"}
READING_A_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
OF_EVERY_FUNCTION = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_no_action_is_a_wildcard(template: Resources) -> None:
    for policy, statement in template.statements():
        assert not [action for action in listed(statement["Action"]) if "*" in action], policy


def test_every_wildcard_resource_has_a_reason(template: Resources) -> None:
    for policy, statement in template.statements():
        actions = set(listed(statement["Action"]))
        for resource in listed(statement["Resource"]):
            if resource == "*":
                assert actions <= ANY_RESOURCE, policy
            elif actions <= {"states:DescribeExecution", "states:StopExecution"}:
                # Of this state machine; an execution is named after a job that is not known yet.
                assert ":execution:" in str(resource), policy
            elif actions == {"lambda:InvokeFunction"}:
                # Of one function; executions that are under way go on with the version that they began with.
                assert policy.startswith("WorkflowStateMachineRole"), policy
                assert not any("*" in text for text in _texts(resource) if text != ":*"), policy
            elif actions == {"execute-api:ManageConnections"}:
                # Of this API; a connection is made by a watcher who is not there yet.
                assert "/v1/POST/@connections/*" in str(resource), policy
            else:
                assert all(text.endswith(BELOW_A_PREFIX) for text in _texts(resource) if "*" in text), (
                    policy,
                    resource,
                )


def test_policies_only_allow(template: Resources) -> None:
    assert {statement["Effect"] for _, statement in template.statements()} == {"Allow"}


@pytest.mark.parametrize(("construct_id", "rights"), RIGHTS.items())
def test_function_may_do_what_its_code_does(template: Resources, construct_id: str, rights: set[str]) -> None:
    granted = template.statements_of(f"Functions{construct_id}Role").keys() - OF_EVERY_FUNCTION
    reads_a_queue = construct_id in {"StartExecution", "BuryMessage"}
    assert granted == (rights | READING_A_QUEUE if reads_a_queue else rights)


def test_only_stages_that_read_uploads_may(template: Resources) -> None:
    for stage in STAGES:
        granted = template.statements_of(f"Functions{stage.state}Role")
        of_uploads = {"s3:ListBucket"} if stage.reads is Reads.UPLOAD else set()
        assert granted.keys() - OF_EVERY_FUNCTION - LOOKING == STAGE_RIGHTS | of_uploads
        assert ("/uploads/*" in str(granted["s3:GetObject"])) == (stage.reads is Reads.UPLOAD)
        assert "/uploads/*" not in str(granted["s3:PutObject"] + granted["s3:DeleteObject"])


@pytest.mark.parametrize(("environment", "rights"), [("dev", LOOKING), ("laptop", set())])
def test_only_labels_may_ask_rekognition_and_only_where_the_setting_is_on(
    templates: dict[str, Any], environment: str, rights: set[str]
) -> None:
    resources = Resources(templates[environment])
    for stage in STAGES:
        granted = resources.statements_of(f"Functions{stage.state}Role").keys() & LOOKING
        assert granted == (rights if stage.asks_rekognition else set())
    others = resources.statements_of("FunctionsApiCallsRole").keys() | resources.statements_of("Workflow").keys()
    assert not others & LOOKING


def test_listing_the_bucket_is_limited_by_prefix(template: Resources) -> None:
    listing = [statement for _, statement in template.statements() if "s3:ListBucket" in listed(statement["Action"])]
    assert listing
    for statement in listing:
        ((_, condition),) = statement["Condition"].items()
        assert condition["s3:prefix"] in ("jobs/*", "uploads/*")


def test_gateway_may_send_to_the_job_queue_and_nothing_else(template: Resources) -> None:
    granted = template.statements_of("ApiSubmissionRole")
    assert granted.keys() == {"sqs:SendMessage"}
    (queue,) = granted["sqs:SendMessage"]
    assert queue["Fn::GetAtt"][0].startswith("IntakeJobQueue")


def test_services_may_call_functions_only_for_what_is_ours(template: Resources) -> None:
    callers = {
        "apigateway.amazonaws.com": {"ApiRestApi", "PushApi"},
        "events.amazonaws.com": {"ExecutionEndsRule", "ReconcilerRule"},
    }
    unseen = {source for sources in callers.values() for source in sources}
    for permission in template.of_type("AWS::Lambda::Permission").values():
        (source,) = [name for name in callers[permission["Principal"]] if name in str(permission["SourceArn"])]
        unseen.discard(source)
    assert not unseen


def test_state_machine_may_do_what_its_states_do(template: Resources) -> None:
    granted = template.statements_of("WorkflowStateMachineRole").keys() - ANY_RESOURCE
    assert granted == {"lambda:InvokeFunction", "sqs:SendMessage", "dynamodb:UpdateItem"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
