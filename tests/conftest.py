"""What tests of more than one kind stand on."""

from pathlib import Path
from typing import Any

import pytest

PHOTOS = Path(__file__).parent.parent / "photos"


@pytest.fixture(scope="session")
def job_table_definition() -> dict[str, Any]:
    """The job table as the stack defines it, in the words of DynamoDB's CreateTable."""
    import aws_cdk
    from aws_cdk.assertions import Template

    from stacks.encryption import Encryption
    from stacks.job_table import JobTable

    stack = aws_cdk.Stack(aws_cdk.App(), "Tables")
    JobTable(
        stack,
        "Jobs",
        removal_policy=aws_cdk.RemovalPolicy.DESTROY,
        deletion_protection=False,
        point_in_time_recovery=False,
        encryption=Encryption(stack, "Encryption", own_key=False, removal_policy=aws_cdk.RemovalPolicy.DESTROY),
    )
    (table,) = Template.from_stack(stack).find_resources("AWS::DynamoDB::Table").values()
    taken = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    return {name: table["Properties"][name] for name in taken}


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs."""
    return PHOTOS
