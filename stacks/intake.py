"""The job queue, where an accepted job is durable, and the queue of messages that could not be read."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.encryption import WRITE, Encryption
from stacks.findings import accept
from stacks.releases import home_of

BATCH_SIZE = 10
MAX_RECEIVE_COUNT = 5
"""Lambda's pollers use up receives when the function is throttled: fewer than five buries healthy messages."""
BURIAL_RECEIVE_COUNT = 1000
"""The most that SQS has: two days of tries. Burying fails only when the table or the dead letters are out of reach."""
VISIBILITY_FACTOR = 6
"""AWS's advice: with less, a throttled batch reappears while it is still being tried."""
MAX_MESSAGE_BYTES = 262_144
"""SQS would take 1 MiB, but no submission that the contract allows comes near this."""


class Intake(Construct):
    """Two queues and their readers. SQS bills by the request; waiting costs nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        starter_timeout: Duration,
        burier_timeout: Duration,
        last_resort: sqs.Queue,
        encryption: Encryption,
    ) -> None:
        """`last_resort` keeps, as it is, a message that could be neither started nor buried."""
        super().__init__(scope, construct_id)
        self._encryption = encryption
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            # Longer than the job queue's, shorter than the last resort's: the clock runs from the first send.
            retention_period=Duration.days(10),
            visibility_timeout=_visibility(burier_timeout),
            encryption=encryption.of_queues,
            encryption_master_key=encryption.key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=last_resort, max_receive_count=BURIAL_RECEIVE_COUNT),
        )
        self.queue = sqs.Queue(
            self,
            "JobQueue",
            retention_period=Duration.days(4),
            visibility_timeout=_visibility(starter_timeout),
            max_message_size_bytes=MAX_MESSAGE_BYTES,
            encryption=encryption.of_queues,
            encryption_master_key=encryption.key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=MAX_RECEIVE_COUNT),
        )

    def grant_submitting(self, grantee: iam.IGrantable) -> None:
        """Let it put submissions into the job queue."""
        self.queue.grant(grantee, "sqs:SendMessage")
        self._encryption.grant(grantee, "sqs", *WRITE)

    def start_with(self, starter: lambda_.IFunction, *, max_concurrency: int) -> None:
        """Let it read the job queue, no more of them at once than this: back-pressure without throttled receives."""
        _read(self.queue, starter, max_concurrency=max_concurrency)

    def bury_with(self, burier: lambda_.IFunction) -> None:
        """Let it read what could not be started."""
        _read(self.dead_letter_queue, burier, max_concurrency=2)


def _read(queue: sqs.Queue, reader: lambda_.IFunction, *, max_concurrency: int) -> None:
    # What Lambda's pollers ask for: CDK's own event source would add the right to hide messages for longer.
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaSQSQueueExecutionRole.html
    allowed = queue.grant(reader, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    source = lambda_.EventSourceMapping(
        home_of(reader),
        "Messages",
        target=reader,
        event_source_arn=queue.queue_arn,
        batch_size=BATCH_SIZE,
        report_batch_item_failures=True,
        max_concurrency=max_concurrency,
    )
    allowed.apply_before(source)
    kept = "SQS keeps what failed, and moves it to the next queue in the end; destinations are for streams."
    accept(source, {"Serverless-LambdaEventSourceMappingDestination": kept})


def _visibility(reader_timeout: Duration) -> Duration:
    return Duration.seconds(VISIBILITY_FACTOR * int(reader_timeout.to_seconds()))
