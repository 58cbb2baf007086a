"""Every change of a job as an event: from the table's stream to a log, a bus, and whoever watches."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.adapters import event_log
from stacks.encryption import ALL, WRITE, Encryption
from stacks.findings import accept

BATCH_SIZE = 100
"""Changes that are told at once, when there are as many: a job makes some fifteen in its life."""
RETRY_ATTEMPTS = 100
"""Of a batch that fails, each half of it anew. Lambda waits longer and longer in between."""
RETRY_HOURS = 2
"""What cannot be told for so long is left to a person: the changes behind it wait, and the stream forgets in a day."""
PARALLEL_BATCHES = 4
"""Of one shard, side by side; the changes of one job stay in their order."""


class EventStream(Construct):
    """Nothing here can hold up a job: it reads what has happened already."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus_name: str,
        removal_policy: RemovalPolicy,
        encryption: Encryption,
    ) -> None:
        super().__init__(scope, construct_id)
        self._encryption = encryption
        self.log = dynamodb.Table(
            self,
            "Log",
            partition_key=dynamodb.Attribute(name=event_log.OWNER_AND_JOB, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=event_log.SEQ, type=dynamodb.AttributeType.NUMBER),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=encryption.of_table,
            encryption_key=encryption.key,
            time_to_live_attribute=event_log.EXPIRES_AT,
            removal_policy=removal_policy,
        )
        accept(self.log, {"AwsSolutions-DDB3": "It tells again what the job table says; losing it loses no job."})
        self.bus = events.EventBus(self, "Bus", event_bus_name=bus_name)
        self.failures = sqs.Queue(
            self,
            "Failures",
            retention_period=Duration.days(14),
            encryption=encryption.of_queues,
            encryption_master_key=encryption.key,
            enforce_ssl=True,
        )
        end = "It is the end of the line: it says which part of the stream could not be told, for a person to look at."
        accept(self.failures, {"AwsSolutions-SQS3": end, "Serverless-SQSRedrivePolicy": end})

    def publish_with(self, publisher: lambda_.IFunction, *, table: dynamodb.Table) -> None:
        """Have the changes of a table told by this function. A batch that fails is halved until the one is found."""
        # Not CDK's event source: it grants more of the key and of the queue than the poller needs.
        lambda_.CfnEventSourceMapping(
            self,
            "Changes",
            function_name=publisher.function_arn,
            event_source_arn=table.table_stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=BATCH_SIZE,
            parallelization_factor=PARALLEL_BATCHES,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=RETRY_ATTEMPTS,
            maximum_record_age_in_seconds=RETRY_HOURS * 3600,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.failures.queue_arn)
            ),
        )
        _grant(publisher, table.table_stream_arn, "dynamodb", "DescribeStream", "GetRecords", "GetShardIterator")
        _grant(publisher, "*", "dynamodb", "ListStreams")  # it has no resource to name
        _grant(publisher, self.failures.queue_arn, "sqs", "SendMessage")
        self._encryption.grant(publisher, "sqs", *WRITE)
        self.grant_log(publisher, "BatchWriteItem")
        _grant(publisher, self.bus.event_bus_arn, "events", "PutEvents")

    def grant_log(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it work on the log, and on nothing else."""
        _grant(grantee, self.log.table_arn, "dynamodb", *actions)
        self._encryption.grant(grantee, "dynamodb", *ALL)


def _grant(grantee: iam.IGrantable, resource: str | None, service: str, *actions: str) -> None:
    iam.Grant.add_to_principal(
        grantee=grantee, actions=[f"{service}:{action}" for action in actions], resource_arns=[str(resource)]
    )
