"""With which key everything is encrypted at rest: those of AWS's services, or one of one's own.

A key of one's own can be taken away from everybody at once, and its uses are on record. Whoever works on what it
encrypts needs it too: functions by their roles, through the service that holds the data and through no other; services
that write by themselves by the key's policy, each for what is this stack's.
"""

from typing import Final

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

READ: Final = ("kms:Decrypt",)
WRITE: Final = ("kms:Decrypt", "kms:GenerateDataKey")
"""SQS checks the right to decrypt of whoever sends, too; S3 needs it for uploads in parts."""
ALL: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What DynamoDB does for whoever reads or writes a row, and CloudWatch for itself: all but managing the key."""


class Encryption(Construct):
    """The services' own keys cost nothing; one's own costs a dollar a month, and every use."""

    def __init__(self, scope: Construct, construct_id: str, *, own_key: bool, removal_policy: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.Key | None = None
        if own_key:
            self.key = self._own_key(removal_policy)

    @property
    def of_queues(self) -> sqs.QueueEncryption:
        """How queues are encrypted."""
        return sqs.QueueEncryption.KMS if self.key else sqs.QueueEncryption.SQS_MANAGED

    @property
    def of_bucket(self) -> s3.BucketEncryption:
        """How the bucket is encrypted."""
        return s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED

    @property
    def of_table(self) -> dynamodb.TableEncryption:
        """How the table is encrypted."""
        return dynamodb.TableEncryption.CUSTOMER_MANAGED if self.key else dynamodb.TableEncryption.DEFAULT

    def grant(self, grantee: iam.IGrantable, service: str, *actions: str) -> None:
        """Let it use one's own key, if there is one, through a service: `s3`, `sqs` or `dynamodb`."""
        if self.key is None:
            return
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(actions),
            resource_arns=[self.key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"{service}.{Stack.of(self).region}.amazonaws.com"}},
        )

    def _own_key(self, removal_policy: RemovalPolicy) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            description=f"{Stack.of(self).stack_name}: rows, images, messages and logs",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        key.add_to_resource_policy(self._logs_may_use_it())
        key.add_to_resource_policy(self._events_may_use_it())
        return key

    def _logs_may_use_it(self) -> iam.PolicyStatement:
        """CloudWatch encrypts each log group by itself, and says which one it is for."""
        stack = Stack.of(self)
        # As CloudFormation, Step Functions and the gateway name the log groups of this stack.
        names = (
            f"{stack.stack_name}-*",
            f"/aws/vendedlogs/states/{stack.stack_name}-*",
            "API-Gateway-Execution-Logs_*",
        )
        groups = [self._arn("logs", "log-group", name, ArnFormat.COLON_RESOURCE_NAME) for name in names]
        return iam.PolicyStatement(
            sid="LogsOfThisStack",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            actions=list(ALL),
            resources=["*"],  # the key that this is the policy of
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )

    def _events_may_use_it(self) -> iam.PolicyStatement:
        """EventBridge sends what it cannot deliver to the dead letters, in its own name and not by a role."""
        stack = Stack.of(self)
        return iam.PolicyStatement(
            sid="EventsOfThisStack",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=list(WRITE),
            resources=["*"],
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": self._arn("events", "rule", f"{stack.stack_name}-*")},
            },
        )

    def _arn(
        self, service: str, resource: str, name: str, arn_format: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME
    ) -> str:
        return Stack.of(self).format_arn(service=service, resource=resource, resource_name=name, arn_format=arn_format)
