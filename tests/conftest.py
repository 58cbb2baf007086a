"""What tests of more than one kind stand on."""

from pathlib import Path
from typing import Any

import pytest

PHOTOS = Path(__file__).parent.parent / "photos"


@pytest.fixture(scope="session")
def job_table_definition() -> dict[str, Any]:
    """The job table as the stack defines it, in the words of DynamoDB's CreateTable."""
    import aws_cdk

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
    return _definition_in(stack)


@pytest.fixture(scope="session")
def event_table_definition() -> dict[str, Any]:
    """The log of events, likewise."""
    import aws_cdk

    from stacks.encryption import Encryption
    from stacks.event_stream import EventStream

    stack = aws_cdk.Stack(aws_cdk.App(), "Tables")
    EventStream(
        stack,
        "Events",
        bus_name="bus",
        removal_policy=aws_cdk.RemovalPolicy.DESTROY,
        encryption=Encryption(stack, "Encryption", own_key=False, removal_policy=aws_cdk.RemovalPolicy.DESTROY),
    )
    return _definition_in(stack)


@pytest.fixture(scope="session")
def push_table_definitions() -> dict[str, Any]:
    """The tables of tickets and of watchers, likewise."""
    import aws_cdk

    from stacks.encryption import Encryption
    from stacks.logs import LogKeeping
    from stacks.push_channel import PushChannel

    stack = aws_cdk.Stack(aws_cdk.App(), "Tables")
    PushChannel(
        stack,
        "Push",
        name="push",
        messages_per_second=1,
        message_burst=1,
        log_keeping=LogKeeping(retention_days=1, removal_policy=aws_cdk.RemovalPolicy.DESTROY, encryption_key=None),
        encryption=Encryption(stack, "Encryption", own_key=False, removal_policy=aws_cdk.RemovalPolicy.DESTROY),
    )
    return {name: _definition_in(stack, f"Push{name.title()}") for name in ("tickets", "watchers")}


def _definition_in(stack: Any, name: str = "") -> dict[str, Any]:
    """The one table of a stack whose logical id begins so, without what only CloudFormation understands."""
    from aws_cdk.assertions import Template

    tables = Template.from_stack(stack).find_resources("AWS::DynamoDB::Table")
    (properties,) = (table["Properties"] for logical_id, table in tables.items() if logical_id.startswith(name))
    taken = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    stream = properties.get("StreamSpecification")
    return {
        **{name: properties[name] for name in taken if name in properties},
        **({"StreamSpecification": {"StreamEnabled": True, **stream}} if stream else {}),
    }


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs."""
    return PHOTOS
