"""The queue of dead letters: jobs that need a person, each with its explanation."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.encryption import READ, WRITE, Encryption
from stacks.findings import accept


class DeadLetters(Construct):
    """Nothing reads it but an operator."""

    def __init__(self, scope: Construct, construct_id: str, *, encryption: Encryption) -> None:
        super().__init__(scope, construct_id)
        self._encryption = encryption
        self.queue = sqs.Queue(
            self,
            "Queue",
            retention_period=Duration.days(14),  # the longest that SQS has
            visibility_timeout=Duration.minutes(1),  # long enough for a person's tool to look at a letter
            encryption=encryption.of_queues,
            encryption_master_key=encryption.key,
            enforce_ssl=True,
        )
        end = "It is the end of the line: nothing reads it by itself, so nothing is received too often."
        accept(self.queue, {"AwsSolutions-SQS3": end, "Serverless-SQSRedrivePolicy": end})

    def grant_sending(self, grantee: iam.IGrantable) -> None:
        """Let it send dead letters."""
        self.queue.grant(grantee, "sqs:SendMessage")
        self._encryption.grant(grantee, "sqs", *WRITE)

    def grant_sorting(self, grantee: iam.IGrantable) -> None:
        """Let it read dead letters, give them back and put them away."""
        rights = ("ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes")
        self.queue.grant(grantee, *(f"sqs:{right}" for right in rights))
        self._encryption.grant(grantee, "sqs", *READ)
