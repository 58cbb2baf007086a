"""What callers invoke: a function itself or, where deployments are gradual, its alias `live` or one of its versions.

The one place that decides it. With gradual deployments, what calls from outside (gateways, queues, rules, operators)
calls the alias, which CodeDeploy shifts to a new version; the state machine's definition names versions, so that an
execution ends with the code that it began with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from stacks.findings import accept

LIVE: Final = "live"
"""Of functions and of the state machine."""


@dataclass(frozen=True, kw_only=True)
class Callee:
    """A function as a state machine calls it."""

    function: lambda_.Function
    arn: str
    """What the definition names."""
    allowed: str
    """What the machine may invoke: every version, for executions that are under way go on with theirs."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A function, the version that the template publishes, and the alias that is led to it."""

    function: lambda_.Function
    version: lambda_.Version
    alias: lambda_.Alias


class Releases(Construct):
    """Versions and aliases cost nothing; CodeDeploy costs nothing for Lambda."""

    def __init__(self, scope: Construct, construct_id: str, *, gradual: bool) -> None:
        super().__init__(scope, construct_id)
        self.gradual = gradual
        self._live: dict[str, Release] = {}

    @property
    def live(self) -> Mapping[str, Release]:
        """What is called by its alias, by its construct's id; empty where deployments are not gradual."""
        return self._live

    def called(self, function: lambda_.Function) -> lambda_.IFunction:
        """Tell what a caller from outside invokes, and what its permission is for."""
        if not self.gradual:
            return function
        name = home_of(function).node.id
        if name not in self._live:
            version = function.current_version
            alias = lambda_.Alias(home_of(function), "Live", alias_name=LIVE, version=version)
            self._live[name] = Release(function=function, version=version, alias=alias)
        return self._live[name].alias

    def frozen(self, function: lambda_.Function) -> Callee:
        """Tell what a state machine calls."""
        if not self.gradual:
            return Callee(function=function, arn=function.function_arn, allowed=function.function_arn)
        return Callee(
            function=function, arn=function.current_version.function_arn, allowed=f"{function.function_arn}:*"
        )

    def shift(self, *, alarms: Sequence[cloudwatch.IAlarm], at_once: bool) -> None:
        """Have CodeDeploy lead every alias to its new version, and back when one of the alarms is on."""
        application = codedeploy.LambdaApplication(self, "Application")
        role = self._role()
        config = codedeploy.LambdaDeploymentConfig
        for name, release in self._live.items():
            codedeploy.LambdaDeploymentGroup(
                self,
                name,
                application=application,
                alias=release.alias,
                # CDK's own policy of AWS would let it change every function of the account.
                role=role.without_policy_updates(),
                deployment_config=config.ALL_AT_ONCE if at_once else config.CANARY_10_PERCENT_10_MINUTES,
                alarms=None if at_once else list(alarms),
                auto_rollback=codedeploy.AutoRollbackConfig(
                    failed_deployment=True, stopped_deployment=True, deployment_in_alarm=not at_once
                ),
            )

    def _role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            description="Darkroom: CodeDeploy leads callers to new versions of functions",
        )
        functions = [release.function.function_arn for release in self._live.values()]
        iam.Grant.add_to_principal(
            grantee=role,
            actions=["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"],
            resource_arns=[*functions, *(f"{arn}:{LIVE}" for arn in functions)],
        )
        iam.Grant.add_to_principal(grantee=role, actions=["cloudwatch:DescribeAlarms"], resource_arns=["*"])
        accept(role, {"AwsSolutions-IAM5[Resource::*]": "Alarms are looked at in a list, which has no resource."})
        return role


def home_of(function: lambda_.IFunction) -> Construct:
    """The construct that a function, its log, its role and its alias are in."""
    return cast(Construct, cast(IConstruct, function).node.scope)
