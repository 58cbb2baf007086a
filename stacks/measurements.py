"""The right to read what CloudWatch has measured."""

from typing import cast

from aws_cdk import aws_iam as iam
from constructs import IConstruct

from stacks.findings import accept

NO_RESOURCES = (
    "Measurements have no resources to name, in X-Ray and in CloudWatch: they are read by name, and only read."
)


def grant_measurements(grantee: iam.IGrantable) -> None:
    """Let it read measurements."""
    iam.Grant.add_to_principal(grantee=grantee, actions=["cloudwatch:GetMetricData"], resource_arns=["*"])
    accept(cast(IConstruct, grantee.grant_principal), {"AwsSolutions-IAM5[Resource::*]": NO_RESOURCES})
