"""Every change of a job as an event: from the table's stream to a log, a bus, and whoever watches."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_event_sources import DynamoEventSource, SqsDlq
from constructs import Construct

from lambdas.adapters import event_log
from stacks.findings import accept

BATCH_SIZE = 100
"""Changes that are told at once, when there are as many: a job makes some fifteen in its life."""
RETRY_HOURS = 12
"""The stream itself forgets after 24 hours."""
PARALLEL_BATCHES = 4
"""Of one shard, side by side; the changes of one job stay in their order."""


class EventStream(Construct):
    """Nothing here can hold up a job: it reads what has happened already."""

    def __init__(self, scope: Construct, construct_id: str, *, bus_name: str, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.log = dynamodb.Table(
            self,
            "Log",
            partition_key=dynamodb.Attribute(name=event_log.OWNER_AND_JOB, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=event_log.SEQ, type=dynamodb.AttributeType.NUMBER),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.DEFAULT,
            time_to_live_attribute=event_log.EXPIRES_AT,
            removal_policy=removal_policy,
        )
        accept(self.log, {"AwsSolutions-DDB3": "It tells again what the job table says; losing it loses no job."})
        self.bus = events.EventBus(self, "Bus", event_bus_name=bus_name)
        self.failures = sqs.Queue(
            self,
            "Failures",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        end = "It is the end of the line: it says which part of the stream could not be told, for a person to look at."
        accept(self.failures, {"AwsSolutions-SQS3": end, "Serverless-SQSRedrivePolicy": end})

    def publish_with(self, publisher: lambda_.Function, *, table: dynamodb.Table) -> None:
        """Have the changes of a table told by this function. A batch that fails is halved until the one is found."""
        publisher.add_event_source(
            DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=BATCH_SIZE,
                parallelization_factor=PARALLEL_BATCHES,
                bisect_batch_on_error=True,
                max_record_age=Duration.hours(RETRY_HOURS),
                on_failure=SqsDlq(self.failures),
            )
        )
        self.grant_log(publisher, "BatchWriteItem")
        iam.Grant.add_to_principal(
            grantee=publisher, actions=["events:PutEvents"], resource_arns=[self.bus.event_bus_arn]
        )

    def grant_log(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it work on the log, and on nothing else."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"dynamodb:{action}" for action in actions],
            resource_arns=[self.log.table_arn],
        )
