"""The state machine: one execution is one attempt at one job."""

import re
from collections.abc import Mapping
from typing import cast

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct

from stacks.findings import accept
from stacks.logs import LogKeeping


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
        functions: Mapping[str, lambda_.Function],
        dead_letter_queue: sqs.Queue,
        job_table_name: str,
        log_keeping: LogKeeping,
        tracing: bool,
    ) -> None:
        """`functions` are by placeholder: each is substituted in the definition, and may be invoked.

        Raises UnmatchedPlaceholdersError when the definition names others.
        """
        super().__init__(scope, construct_id)
        _refuse_unmatched(definition, functions)
        arns = {placeholder: function.function_arn for placeholder, function in functions.items()}
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
            grantee=self.state_machine, actions=["lambda:InvokeFunction"], resource_arns=list(arns.values())
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


def _refuse_unmatched(definition: str, functions: Mapping[str, lambda_.Function]) -> None:
    named = set(re.findall(r"\$\{(\w+FunctionArn)\}", definition))
    if named != functions.keys():
        raise UnmatchedPlaceholdersError(
            f"No row of the catalogue for {sorted(named - functions.keys())}, "
            f"no state for {sorted(functions.keys() - named)}: a stage is one file, one row and one state."
        )
