"""Submitting a job: the gateway puts the body into the job queue itself, with no function between.

An accepted job is durable before it is answered. The templates keep to what API Gateway and the laptop's emulator both
understand. Every value that comes from the request is urlEncoded, or a caller could add parameters to the SQS call.
"""

import json

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from stacks.problems import RETRY_AFTER, SERVER_ERROR, Problem

SCHEMA_VERSION = "1"
"""Of the message, so that one which waits in the queue during a deployment can still be read."""

REFUSED = Problem(
    slug="bad-request",
    title="The request breaks a rule",
    status=400,
    detail="A jobId has 1 to 64 of the characters A-Z a-z 0-9 _ and -, and a body at most 256 KiB of text. "
    "Nothing was enqueued.",
)
REFUSED_ERRORS = [
    {"field": "jobId", "rule": "1 to 64 of A-Za-z0-9_-"},
    {"field": "body", "rule": "JSON of at most 256 KiB"},
]
"""SQS does not say which of the two it was."""

# Never from the body or a header: the owner is who the verified token says.
_OWNER = "$context.authorizer.claims.sub"

# Recorded, as `sampling.py` has it of every submission: or each service behind it would decide that for itself.
_TRACE = "Root%3D$util.urlEncode($context.xrayTraceId)%3BSampled%3D1"
# SQS refuses a message with half a trace; a call without one is to be accepted all the same.
_IF_TRACED = '#if("$!context.xrayTraceId" != "")&{}#end'


class Submission:
    """The integration of the submitting calls with the job queue."""

    def __init__(self, *, queue: sqs.Queue, role: iam.IRole, job_id_pattern: str, tracing: bool) -> None:
        """With `tracing`, which the gateway has to have on too, a message carries the trace of its call along."""
        self._queue = queue
        self._role = role
        self._job_id_pattern = job_id_pattern
        self._tracing = tracing

    def under_own_id(self) -> apigateway.AwsIntegration:
        """For PUT: the id is in the path. One that breaks the rule becomes empty; SQS refuses empty attributes."""
        request = "\n".join(
            [
                "#set($jobId = $input.params('jobId'))",
                # A line of its own, because a template engine that lacks replaceAll then leaves the id as it was.
                f"#set($jobId = $jobId.replaceAll('{_everything_but(self._job_id_pattern)}', ''))",
                self._send_message(jobId="$jobId"),
            ]
        )
        return self._integration(request, accepted_id="$input.params('jobId')")

    def under_message_id(self) -> apigateway.AwsIntegration:
        """For POST: the id is the one that SQS gives to the message."""
        message_id = "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"
        return self._integration(self._send_message(), accepted_id=message_id)

    def _send_message(self, **attributes: str) -> str:
        """Write the form of SQS's query protocol: the body whole and each attribute by itself, all urlEncoded."""
        parts = ["Action=SendMessage", "MessageBody=$util.urlEncode($input.body)"]
        # Makes the queue a fair one: an owner with a long backlog does not hold up the others.
        parts.append(f"MessageGroupId=$util.urlEncode({_OWNER})")
        values = {
            "owner": f"$util.urlEncode({_OWNER})",
            "schemaVersion": SCHEMA_VERSION,
            **{name: f"$util.urlEncode({value})" for name, value in attributes.items()},
        }
        for number, (name, value) in enumerate(values.items(), start=1):
            parts += _attribute("MessageAttribute", number, name, value)
        trace = "&".join(_attribute("MessageSystemAttribute", 1, "AWSTraceHeader", _TRACE))
        return "&".join(parts) + (_IF_TRACED.format(trace) if self._tracing else "")

    def _integration(self, request: str, *, accepted_id: str) -> apigateway.AwsIntegration:
        return apigateway.AwsIntegration(
            service="sqs",
            path=f"{Stack.of(self._queue).account}/{self._queue.queue_name}",
            integration_http_method="POST",
            options=apigateway.IntegrationOptions(
                credentials_role=self._role,
                # Any other content type would reach SQS as it is, past the template: 415 instead.
                passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
                request_parameters={
                    "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
                },
                request_templates={"application/json": request},
                integration_responses=_responses(accepted_id),
            ),
        )


def method_responses() -> list[apigateway.MethodResponse]:
    """What the gateway must know beforehand of the answers."""
    content_type = {"method.response.header.Content-Type": True}
    return [
        apigateway.MethodResponse(status_code="202", response_parameters=content_type),
        apigateway.MethodResponse(status_code="400", response_parameters=content_type),
        apigateway.MethodResponse(
            status_code="500", response_parameters={**content_type, "method.response.header.Retry-After": True}
        ),
    ]


def _attribute(kind: str, number: int, name: str, value: str) -> list[str]:
    return [
        f"{kind}.{number}.Name={name}",
        f"{kind}.{number}.Value.DataType=String",
        f"{kind}.{number}.Value.StringValue={value}",
    ]


def _everything_but(pattern: str) -> str:
    """Match the whole of any text that the pattern does not match.

    The end is written as "no character follows": Java's `$` would let a last line feed pass.
    """
    inner = pattern.removeprefix("^").removesuffix("$")
    return f"(?s)^(?!{inner}(?!.)).+"


def _responses(accepted_id: str) -> list[apigateway.IntegrationResponse]:
    """Only what SQS confirmed is accepted. What is neither confirmed nor refused is our own fault."""
    refused = json.dumps({**json.loads(REFUSED.body), "errors": REFUSED_ERRORS})
    retry = {f"method.response.header.{name}": value for name, value in RETRY_AFTER.items()}
    return [
        apigateway.IntegrationResponse(
            status_code="202",
            selection_pattern="200",
            response_parameters=_content_type("application/json"),
            response_templates={"application/json": _accepted(accepted_id)},
        ),
        apigateway.IntegrationResponse(
            status_code="400",
            selection_pattern="400",
            response_parameters=_content_type("application/problem+json"),
            response_templates={"application/json": refused},
        ),
        apigateway.IntegrationResponse(
            status_code="500",
            response_parameters={**_content_type("application/problem+json"), **retry},
            response_templates={"application/json": SERVER_ERROR.body},
        ),
    ]


def _accepted(job_id: str) -> str:
    calls = ("cancel", "redrive", "result")
    links = {"self": "/jobs/$jobId", **{call: f"/jobs/$jobId/{call}" for call in calls}}
    body = json.dumps({"jobId": "$jobId", "status": "QUEUED", "links": links})
    return f"#set($jobId = {job_id})\n{body}"


def _content_type(value: str) -> dict[str, str]:
    return {"method.response.header.Content-Type": f"'{value}'"}
