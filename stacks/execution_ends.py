"""Ends of executions that no Catch can see: an event tells them to the function that settles the job."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

UNSUCCESSFUL = ["FAILED", "TIMED_OUT", "ABORTED"]


class ExecutionEnds(Construct):
    """Told at least once; delivered for a day, and tried three times when the function fails.

    What is then still not settled is found by the reconciler. Events of AWS's own services cost nothing.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine: sfn.StateMachine,
        settler: lambda_.IFunction,
        dead_letter_queue: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.rule = events.Rule(
            self,
            "Rule",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": UNSUCCESSFUL, "stateMachineArn": [state_machine.state_machine_arn]},
            ),
            targets=[
                targets.LambdaFunction(
                    settler,
                    retry_attempts=185,
                    max_event_age=Duration.hours(24),
                    # An event that cannot be delivered for a day is for a person to look at.
                    dead_letter_queue=dead_letter_queue,
                )
            ],
        )
