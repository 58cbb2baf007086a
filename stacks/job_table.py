"""The job table: one row per job, under its owner's key."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.adapters import keys
from stacks.encryption import ALL, Encryption
from stacks.findings import accept


class JobTable(Construct):
    """On demand: it costs nothing while nobody submits."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        removal_policy: RemovalPolicy,
        deletion_protection: bool,
        point_in_time_recovery: bool,
        encryption: Encryption,
    ) -> None:
        super().__init__(scope, construct_id)
        self._encryption = encryption
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text(keys.OWNER),
            sort_key=_text(keys.JOB_ID),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=encryption.of_table,
            encryption_key=encryption.key,
            time_to_live_attribute=keys.EXPIRES_AT,
            # Both, so that the reader of the stream can tell what has changed. A Lambda's reads of it are free.
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=point_in_time_recovery
            ),
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
        )
        accept(self.table, {"AwsSolutions-DDB3": "A setting: on in production, where rows are worth their backup."})
        self._add_index(keys.BY_OWNER_INDEX, keys.OWNER, keys.CREATED_KEY)
        self._add_index(keys.BY_OWNER_AND_STATUS_INDEX, keys.OWNER_AND_STATUS, keys.CREATED_KEY)
        # Sparse: a row has these attributes only while something could still go wrong with its job.
        self._add_index(keys.BY_DUE_INDEX, keys.WATCH_SHARD, keys.DUE_AT)

        # Sparse: a row has a fingerprint from the end of its job on, if that has succeeded.
        self._add_index(keys.BY_FINGERPRINT_INDEX, keys.OWNER, keys.FINGERPRINT)

    def _add_index(self, name: str, partition_key: str, sort_key: str) -> None:
        """Keys only, so that writing progress does not pay for the index as well."""
        self.table.add_global_secondary_index(
            index_name=name,
            partition_key=_text(partition_key),
            sort_key=_text(sort_key),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )

    def grant_rows(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it work on rows by their key. Names the table alone: CDK's own grant adds every index."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"dynamodb:{action}" for action in actions],
            resource_arns=[self.table.table_arn],
        )
        self._encryption.grant(grantee, "dynamodb", *ALL)

    def grant_listing(self, grantee: iam.IGrantable) -> None:
        """Let it list an owner's jobs: all, those in one status, those of one picture."""
        self._grant_query(grantee, keys.BY_OWNER_INDEX, keys.BY_OWNER_AND_STATUS_INDEX, keys.BY_FINGERPRINT_INDEX)

    def grant_counting(self, grantee: iam.IGrantable) -> None:
        """Let it count an owner's jobs of a status."""
        self._grant_query(grantee, keys.BY_OWNER_AND_STATUS_INDEX)

    def grant_listing_due(self, grantee: iam.IGrantable) -> None:
        """Let it list the jobs of everybody that are due."""
        self._grant_query(grantee, keys.BY_DUE_INDEX)

    def _grant_query(self, grantee: iam.IGrantable, *indexes: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:Query"],
            resource_arns=[f"{self.table.table_arn}/index/{index}" for index in indexes],
        )
        self._encryption.grant(grantee, "dynamodb", *ALL)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
