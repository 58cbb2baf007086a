"""The HTTP API: every call of the API document, behind sign-in, validated and throttled."""

import json
from dataclasses import dataclass
from typing import Any, cast

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.findings import accept
from stacks.identity import scopes_for
from stacks.intake import Intake
from stacks.logs import LogKeeping
from stacks.openapi import Contract, Operation
from stacks.problems import answer_with_problems
from stacks.submission import Submission, method_responses

STAGE_NAME = "v1"
PLACES = {"path": "path", "query": "querystring", "header": "header"}
"""Where a parameter is: in OpenAPI's words and in the gateway's."""

OPERATIONS = "/operations"
"""Where the calls for operators are."""

READING = {"createTicket"}
"""Calls that change nothing of a job, though they are no GET: a ticket is leave to watch."""

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",  # the pattern of the path, without anybody's ids
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationStatus": "$context.integration.status",
    "errorType": "$context.error.responseType",
    "traceId": "$context.xrayTraceId",  # by which a submission is found again in the log of its job
    "owner": "$context.authorizer.claims.sub",
}
"""Says who was slow or refused; no payload, no address, no token."""


WATCHING: dict[str, Any] = {
    "metrics_enabled": True,
    "logging_level": apigateway.MethodLoggingLevel.ERROR,
    "data_trace_enabled": False,  # would log bodies and tokens
}
"""Of every method. One with a throttle of its own says all of it again: its settings replace the stage's."""


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Calls of one method in a second, every user together, and how many more at once after a pause."""

    per_second: int
    burst: int


@dataclass(frozen=True, kw_only=True)
class Throttles:
    """Apart, so that a flood of one kind of call leaves the others alone: one can still look at a job, and cancel."""

    submissions: Throttle
    uploads: Throttle
    others: Throttle


class Api(Construct):
    """A regional REST API, which alone can talk to SQS from a template and validate bodies. Billed by the request."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        contract: Contract,
        user_pool: cognito.UserPool,
        intake: Intake,
        handler: lambda_.IFunction,
        operations: lambda_.IFunction,
        throttles: Throttles,
        log_keeping: LogKeeping,
        tracing: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.access_log = log_keeping.log_group(self, "AccessLog")
        self.rest_api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=name,
            description="Image analysis as long-running work.",
            endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            # Lets the gateway write logs: one setting of the whole account and region, so it outlives this stack.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE_NAME,
                throttling_rate_limit=throttles.others.per_second,
                throttling_burst_limit=throttles.others.burst,
                **WATCHING,
                tracing_enabled=tracing,
                method_options=_method_options(contract, throttles),
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
            ),
        )
        self._refuse_old_tls()
        self.rest_api.node.try_remove_child("Endpoint")  # an output under a name of CDK's own
        accept(
            self.rest_api,
            {
                "AwsSolutions-APIG3": "A setting, on in production. Nothing is answered without a token of a pool "
                "whose users operators make, and a firewall is billed by the month.",
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]": "AWS's own policy for the role that writes gateways' logs.",
            },
        )
        self._keep_execution_log(log_keeping)
        answer_with_problems(self.rest_api)
        self._contract = contract
        self._authorizer = apigateway.CognitoUserPoolsAuthorizer(self, "Authorizer", cognito_user_pools=[user_pool])
        self._models = {name: self._model(name) for name in contract.models}
        self._body_validator = self._validator("BodyValidator", body=True)
        self._parameter_validator = self._validator("ParameterValidator", body=False)
        calls = apigateway.LambdaIntegration(handler, allow_test_invoke=False)
        # A function of their own, so that what answers everybody has no right to the dead letters.
        of_operators = apigateway.LambdaIntegration(operations, allow_test_invoke=False)
        submission = self._submission(intake, tracing=tracing)
        self._submitting = {
            "putJob": submission.under_own_id(),
            "submitJob": submission.under_message_id(),
        }
        for operation in contract.operations:
            self._add(operation, of_operators if operation.path.startswith(OPERATIONS) else calls)

    @property
    def url(self) -> str:
        """Without a slash at the end: the document's paths begin with one."""
        stack = Stack.of(self)
        return f"https://{self.rest_api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE_NAME}"

    def _add(self, operation: Operation, calls: apigateway.Integration) -> None:
        submitting = self._submitting.get(operation.operation_id)
        validator = self._body_validator if operation.body else self._parameter_validator
        self.rest_api.root.resource_for_path(operation.path).add_method(
            operation.method,
            submitting or calls,
            operation_name=operation.operation_id,
            # With scopes, the authorizer takes access tokens that have one of them, and refuses ID tokens.
            authorization_scopes=scopes_for(operation.method, reads=operation.operation_id in READING),
            authorization_type=apigateway.AuthorizationType.COGNITO,
            authorizer=self._authorizer,
            request_parameters=_request_parameters(operation),
            request_models={"application/json": self._models[operation.body]} if operation.body else None,
            request_validator=validator,
            method_responses=method_responses() if submitting else None,
        )

    def _submission(self, intake: Intake, *, tracing: bool) -> Submission:
        role = iam.Role(
            self,
            "SubmissionRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="Darkroom: the gateway puts accepted jobs into the job queue",
        )
        intake.grant_submitting(role)
        pattern = self._contract.pattern("JobId")
        return Submission(queue=intake.queue, role=role, job_id_pattern=pattern, tracing=tracing)

    def _model(self, name: str) -> apigateway.IModel:
        """The plain resource takes JSON Schema as it is; the construct wants it in a notation of its own."""
        schema = self._contract.models[name]
        model = apigateway.CfnModel(
            self,
            f"{name}Model",
            rest_api_id=self.rest_api.rest_api_id,
            name=name,
            content_type="application/json",
            schema=schema,
        )
        deployment = self.rest_api.latest_deployment
        if deployment is not None:  # or a changed model would wait for somebody to deploy the gateway's stage
            deployment.node.add_dependency(model)
            deployment.add_to_logical_id(schema)
        return apigateway.Model.from_model_name(self, name, model.ref)

    def _validator(self, construct_id: str, *, body: bool) -> apigateway.RequestValidator:
        return self.rest_api.add_request_validator(
            construct_id, validate_request_body=body, validate_request_parameters=True
        )

    def _refuse_old_tls(self) -> None:
        """Take TLS 1.2 and later, on the host name of this API only. The default would take TLS 1.0."""
        resource = cast(apigateway.CfnRestApi, self.rest_api.node.default_child)
        resource.security_policy = "SecurityPolicy_TLS13_1_2_PQ_2025_09"
        resource.endpoint_access_mode = "STRICT"

    def _keep_execution_log(self, log_keeping: LogKeeping) -> None:
        """Make this log before the gateway does, which would keep it for ever."""
        name = f"API-Gateway-Execution-Logs_{self.rest_api.rest_api_id}/{STAGE_NAME}"
        self.rest_api.deployment_stage.node.add_dependency(log_keeping.log_group(self, "ExecutionLog", name=name))


def _method_options(contract: Contract, throttles: Throttles) -> dict[str, apigateway.MethodDeploymentOptions]:
    """Settings of the methods that have a throttle of their own, by path and method as the stage names them."""
    own = {"putJob": throttles.submissions, "submitJob": throttles.submissions, "createUpload": throttles.uploads}
    return {
        f"{operation.path}/{operation.method}": apigateway.MethodDeploymentOptions(
            throttling_rate_limit=own[operation.operation_id].per_second,
            throttling_burst_limit=own[operation.operation_id].burst,
            **WATCHING,
        )
        for operation in contract.operations
        if operation.operation_id in own
    }


def _request_parameters(operation: Operation) -> dict[str, bool]:
    """Every parameter of the document, by the gateway's name for it, with whether it is required."""
    return {
        f"method.request.{PLACES[parameter['in']]}.{parameter['name']}": bool(parameter.get("required"))
        for parameter in operation.parameters
    }
