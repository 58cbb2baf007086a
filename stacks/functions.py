"""The one place that creates Lambda functions, so that every function has the same care taken of it."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambdas.config import Variable
from stacks.findings import accept
from stacks.logs import LogKeeping

SERVICE = "darkroom"
PINNED = "The runtime changes when the pinned wheels exist for it and the tests have run on it, not by itself."
SYNCHRONOUS = (
    "Called by the gateway, by the state machine or by a queue's poller, all of which see its failure; what "
    "EventBridge calls is backed by the reconciler, which finds what was not dealt with."
)
TRACES = "X-Ray has no resources to name: the right to send traces can only be given on all."


class FunctionFactory:
    """Makes functions that share runtime, architecture and logging. Each has a role and a log group of its own."""

    def __init__(
        self, *, runtime: str, architecture: str, log_level: str, log_keeping: LogKeeping, tracing: bool
    ) -> None:
        self._runtime = _runtime(runtime)
        self._architecture = lambda_.Architecture.custom(architecture)
        self._log_level = log_level
        self._log_keeping = log_keeping
        self._tracing = lambda_.Tracing.ACTIVE if tracing else lambda_.Tracing.DISABLED
        self.log_groups: list[logs.LogGroup] = []
        """Of all functions that it has made."""

    def create(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        code: lambda_.Code,
        handler: str,
        memory_mb: int,
        timeout: Duration,
        environment: Mapping[Variable, str],
    ) -> lambda_.Function:
        """Make a function that may write its own log and nothing else. `memory_mb` buys processor time too."""
        home = Construct(scope, construct_id)
        log_group = self._log_keeping.log_group(home, "Log")
        self.log_groups.append(log_group)
        role = iam.Role(
            home,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Darkroom: {description}",
        )
        # Instead of AWS's managed policy, which lets every function write every log of the account.
        log_group.grant_write(role)
        function = lambda_.Function(
            home,
            "Function",
            description=description,
            code=code,
            handler=f"lambdas.handlers.{handler}.handler",
            runtime=self._runtime,
            architecture=self._architecture,
            memory_size=memory_mb,
            timeout=timeout,
            role=role,
            log_group=log_group,
            # Executions that are under way go on with the version that they began with, and a roll-back needs the last.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
            tracing=self._tracing,
            environment={
                **{str(variable): value for variable, value in environment.items()},
                "POWERTOOLS_SERVICE_NAME": SERVICE,
                "POWERTOOLS_LOG_LEVEL": self._log_level,
            },
        )
        accept(
            function,
            {
                "AwsSolutions-L1": PINNED,
                "Serverless-LambdaLatestVersion": PINNED,
                "Serverless-LambdaDLQ": SYNCHRONOUS,
            },
        )
        accept(role, {"AwsSolutions-IAM5[Resource::*]": TRACES})
        return function


def _runtime(name: str) -> lambda_.Runtime:
    family = lambda_.RuntimeFamily.PYTHON if name.startswith("python") else lambda_.RuntimeFamily.OTHER
    return lambda_.Runtime(name, family)
