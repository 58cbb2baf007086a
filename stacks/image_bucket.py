"""The bucket of uploads and artefacts. Nothing in it is public, and nothing in it is for ever."""

from typing import cast

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from lambdas.adapters import keys
from stacks.encryption import READ, WRITE, Encryption
from stacks.findings import accept


class ImageBucket(Construct):
    """Uploads are below one prefix and jobs' artefacts below another, so that rights and lifetimes go by prefix."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        removal_policy: RemovalPolicy,
        upload_retention_days: int,
        job_retention_days: int,
        encryption: Encryption,
    ) -> None:
        super().__init__(scope, construct_id)
        self._encryption = encryption
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=encryption.of_bucket,
            encryption_key=encryption.key,
            # One use of the key for many objects, where there is one.
            bucket_key_enabled=encryption.key is not None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            # No versions: an upload is written once under a key of its own, and what expires should be gone.
            versioned=False,
            removal_policy=removal_policy,
            lifecycle_rules=[
                _expire(keys.UPLOAD_PREFIX, days=upload_retention_days),
                _expire(keys.JOB_PREFIX, days=job_retention_days),
                # Parts of an upload that was never completed are invisible, and billed.
                s3.LifecycleRule(id="abandoned-parts", abort_incomplete_multipart_upload_after=Duration.days(1)),
            ],
        )

        accept(
            self.bucket,
            {
                "AwsSolutions-S1": "Only the functions read and write here, and log what they do; a log of every "
                "access would be a second bucket to pay for and to guard.",
            },
        )

    def grant_uploads(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it do this to uploads, of any owner: the key is made by the code, from the verified owner."""
        self._grant(grantee, keys.UPLOAD_PREFIX, actions)

    def grant_artefacts(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it do this to jobs' artefacts."""
        self._grant(grantee, keys.JOB_PREFIX, actions)

    def grant_listing_artefacts(self, grantee: iam.IGrantable) -> None:
        """Let it list artefacts, by naming a prefix below theirs."""
        self._grant_listing(grantee, {"StringLike": {"s3:prefix": f"{keys.JOB_PREFIX}*"}})

    def grant_telling_missing(self, grantee: iam.IGrantable, prefix: str) -> None:
        """Let S3 tell it that an object is missing: without the right to list, the answer is 403, not 404.

        Reading an object carries no prefix to compare, hence IfExists: it could list the bucket's keys, if it tried.
        """
        self._grant_listing(grantee, {"StringLikeIfExists": {"s3:prefix": f"{prefix}*"}})

    def _grant_listing(self, grantee: iam.IGrantable, conditions: dict[str, dict[str, str]]) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["s3:ListBucket"],
            resource_arns=[self.bucket.bucket_arn],
            conditions=conditions,
        )

    def _grant(self, grantee: iam.IGrantable, prefix: str, actions: tuple[str, ...]) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"s3:{action}" for action in actions],
            resource_arns=[self.bucket.arn_for_objects(f"{prefix}*")],
        )
        if "GetObject" in actions:
            self._encryption.grant(grantee, "s3", *READ)
        if "PutObject" in actions:
            self._encryption.grant(grantee, "s3", *WRITE)
        bucket = Stack.of(self).get_logical_id(cast(CfnElement, self.bucket.node.default_child))
        accept(
            cast(IConstruct, grantee.grant_principal),
            {f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/{prefix}*]": "The rest of a key is known at the call."},
        )


def _expire(prefix: str, *, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(id=f"expire-{prefix.rstrip('/')}", prefix=prefix, expiration=Duration.days(days))
