"""The queue of dead letters: jobs that need a person, each with its explanation."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.findings import accept


class DeadLetters(Construct):
    """Nothing reads it but an operator."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            retention_period=Duration.days(14),  # the longest that SQS has
            visibility_timeout=Duration.minutes(1),  # long enough for a person's tool to look at a letter
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        end = "It is the end of the line: nothing reads it by itself, so nothing is received too often."
        accept(self.queue, {"AwsSolutions-SQS3": end, "Serverless-SQSRedrivePolicy": end})
