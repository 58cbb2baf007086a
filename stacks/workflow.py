"""The state machine: one execution is one attempt at one job."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from aws_cdk import ArnFormat, CfnDeletionPolicy, CfnElement, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct

from stacks.findings import accept
from stacks.logs import LogKeeping
from stacks.releases import LIVE, Callee

CANARY_PERCENT: Final = 10
CANARY_MINUTES: Final = 10
"""What CodeDeploy does for the functions."""


class UnmatchedPlaceholdersError(ValueError):
    """The definition and the functions do not name the same things: a stage lacks its row or its state."""


class Workflow(Construct):
    """Standard, not Express: executions start once by name and keep their history. Billed by the transition."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: str,
        functions: Mapping[str, Callee],
        dead_letter_queue: sqs.Queue,
        job_table_name: str,
        log_keeping: LogKeeping,
        tracing: bool,
        gradual: bool,
    ) -> None:
        """`functions` are by placeholder: each is substituted in the definition, and may be invoked.

        Raises UnmatchedPlaceholdersError when the definition names others.
        """
        super().__init__(scope, construct_id)
        _refuse_unmatched(definition, functions)
        arns = {placeholder: function.arn for placeholder, function in functions.items()}
        self.name = name
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            # From a string, so that the definition stays in the template, where tests and checkers can read it.
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions={
                **arns,
                "DeadLetterQueueUrl": dead_letter_queue.queue_url,
                "JobTableName": job_table_name,
            },
            logs=sfn.LogOptions(
                # This prefix spares the account's ten log policies, which fill up and then fail deploys.
                destination=log_keeping.log_group(self, "Log", name=f"/aws/vendedlogs/states/{name}"),
                level=sfn.LogLevel.ERROR,
                # Data would put owners' ids and causes into the log.
                include_execution_data=False,
            ),
            tracing_enabled=tracing,
        )
        accept(
            self.state_machine,
            {
                "AwsSolutions-SF1": "The history of every execution is kept for 90 days by Step Functions; a log "
                "of ALL events would cost more than the executions.",
                "AwsSolutions-IAM5[Resource::*]": "Log delivery and X-Ray have no resources to name.",
            },
        )
        # A definition from text grants nothing by itself.
        iam.Grant.add_to_principal(
            grantee=self.state_machine,
            actions=["lambda:InvokeFunction"],
            resource_arns=[one.allowed for one in functions.values()],
        )
        self._live = self._alias(functions.values()) if gradual else None

    @property
    def start_arn(self) -> str:
        """What is started: the machine or, where deployments are gradual, its alias. Executions are named the same."""
        return self._live.ref if self._live else self.state_machine.state_machine_arn

    def shift(self, *, alarms: Sequence[cloudwatch.IAlarm], at_once: bool) -> None:
        """Have CloudFormation lead the alias to its new version, and back when one of the alarms is on."""
        if self._live is None:
            return
        preference = sfn.CfnStateMachineAlias.DeploymentPreferenceProperty
        self._live.deployment_preference = (
            preference(type="ALL_AT_ONCE", state_machine_version_arn=self._version.ref)
            if at_once
            else preference(
                type="CANARY",
                percentage=CANARY_PERCENT,
                interval=CANARY_MINUTES,
                alarms=[alarm.alarm_name for alarm in alarms],
                state_machine_version_arn=self._version.ref,
            )
        )

    def _alias(self, functions: Iterable[Callee]) -> sfn.CfnStateMachineAlias:
        """Publish a version for each change. An execution ends as it began: with its definition and its functions."""
        resource = cast(sfn.CfnStateMachine, self.state_machine.node.default_child)
        self._version = sfn.CfnStateMachineVersion(
            self,
            "Version",
            state_machine_arn=resource.ref,
            state_machine_revision_id=resource.attr_state_machine_revision_id,
        )
        # A roll-back needs the last one. The definition of an execution that is under way is kept by Step Functions.
        self._version.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN
        self._version.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        ids = [Stack.of(self).get_logical_id(cast(CfnElement, one.function.node.default_child)) for one in functions]
        why = "Executions that are under way go on with the versions that they began with."
        accept(self.state_machine, {f"AwsSolutions-IAM5[Resource::<{name}.Arn>:*]": why for name in ids})
        return sfn.CfnStateMachineAlias(self, "Live", name=LIVE)

    def grant_starting(self, grantee: iam.IGrantable) -> None:
        """Let it start executions, where deployments are gradual by the alias alone.

        Step Functions asks for the right on the machine also when an alias is named, and tells its name as a condition.
        """
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["states:StartExecution"],
            resource_arns=[self.state_machine.state_machine_arn],
            conditions={"StringEquals": {"states:StateMachineQualifier": LIVE}} if self._live else None,
        )

    def grant_listing(self, grantee: iam.IGrantable) -> None:
        """Let it list this machine's executions."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["states:ListExecutions"],
            resource_arns=[self.state_machine.state_machine_arn],
        )

    def grant_executions(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it look at this machine's executions, or stop them, of any job: they are named when a job comes."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"states:{action}" for action in actions],
            resource_arns=[
                Stack.of(self).format_arn(
                    service="states",
                    resource="execution",
                    resource_name=f"{self.name}:*",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
        )
        arn = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{self.name}:*"
        accept(
            cast(IConstruct, grantee.grant_principal),
            {f"AwsSolutions-IAM5[Resource::{arn}]": "An execution is named after a job, which is known at the call."},
        )


def _refuse_unmatched(definition: str, functions: Mapping[str, Callee]) -> None:
    named = set(re.findall(r"\$\{(\w+FunctionArn)\}", definition))
    if named != functions.keys():
        raise UnmatchedPlaceholdersError(
            f"No row of the catalogue for {sorted(named - functions.keys())}, "
            f"no state for {sorted(functions.keys() - named)}: a stage is one file, one row and one state."
        )
