"""The right to have pictures looked at by Amazon Rekognition: three of its actions, nothing stored."""

from typing import cast

from aws_cdk import aws_iam as iam
from constructs import IConstruct

from stacks.findings import accept

ACTIONS = ("DetectLabels", "DetectText", "DetectModerationLabels")
NO_RESOURCES = (
    "X-Ray and Rekognition's detections have no resources to name: a picture comes with the call, and nothing is kept."
)


def grant_looking(grantee: iam.IGrantable) -> None:
    """Let it send pictures and be told what they show."""
    iam.Grant.add_to_principal(
        grantee=grantee, actions=[f"rekognition:{action}" for action in ACTIONS], resource_arns=["*"]
    )
    accept(cast(IConstruct, grantee.grant_principal), {"AwsSolutions-IAM5[Resource::*]": NO_RESOURCES})
