"""The reconciler's clock: it looks every minute at what has stood still for too long."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.findings import accept

EVERY = Duration.minutes(1)
"""The shortest that EventBridge has. With nothing due, a look is four queries: some ten cents a month."""


class Reconciler(Construct):
    """A look that fails is no loss: the next minute is a try of its own."""

    def __init__(self, scope: Construct, construct_id: str, *, function: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        self.rule = events.Rule(
            self,
            "Rule",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(function, retry_attempts=0, max_event_age=EVERY)],
        )
        accept(self.rule, {"Serverless-EventBusDLQ": "A tick of the clock that is lost is followed by the next one."})
