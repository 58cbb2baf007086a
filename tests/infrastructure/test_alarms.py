"""Alarms, the topics they go to and the budget, as the template has them."""

import copy
from typing import Any

import pytest

from stacks.settings import Settings, SettingsError
from tests.infrastructure.conftest import STACK
from tests.infrastructure.templates import Resources, listed

STACK_NAME = f"Darkroom-{STACK}"
ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
PAGES = {"stalled", "api-5xx", "failure-rate"}
"""What somebody is woken for; all else can wait until the morning."""


@pytest.fixture(params=["dev", "prod"])
def watched(request: pytest.FixtureRequest, templates: dict[str, Any]) -> Resources:
    return Resources(templates[request.param])


@pytest.fixture(scope="module")
def told(cdk_context: dict[str, Any], empty_packages: Any) -> Resources:
    """Production, with somebody who listens everywhere."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    context = copy.deepcopy(cdk_context)
    context["environments"]["prod"] |= {
        "page_email": "page@example.org",
        "ticket_email": "ticket@example.org",
        "slack_workspace": "T0123ABCD",
        "slack_channel": "C0123ABCD",
        "runbooks_url": "https://example.org/runbooks",
    }
    cdk_app = aws_cdk.App(analytics_reporting=False, context=context)
    stack = app.add_stack(cdk_app, STACK, app.settings_of(cdk_app, "prod"), empty_packages)
    return Resources(Template.from_stack(stack).to_json())


def alarms(resources: Resources) -> dict[str, dict[str, Any]]:
    """Every alarm by its name, without the stack's."""
    found = [*resources.of_type(ALARM).values(), *resources.of_type(COMPOSITE).values()]
    return {alarm["AlarmName"].removeprefix(f"{STACK_NAME}-"): alarm for alarm in found}


def topic_of(resources: Resources, severity: str) -> dict[str, str]:
    (found,) = (
        name
        for name, topic in resources.of_type("AWS::SNS::Topic").items()
        if topic["TopicName"] == f"{STACK_NAME}-{severity}"
    )
    return {"Ref": found}


def test_laptop_has_no_alarms(templates: dict[str, Any]) -> None:
    kinds = {resource["Type"] for resource in templates["laptop"]["Resources"].values()}
    assert not {kind for kind in kinds if kind.startswith(("AWS::CloudWatch", "AWS::SNS", "AWS::Budgets"))}


def test_every_alarm_says_how_bad_it_is_why_then_and_what_to_do(watched: Resources) -> None:
    for name, alarm in alarms(watched).items():
        severity = "page" if name in {*PAGES, "paged"} else "ticket"
        assert alarm["AlarmDescription"].startswith(f"[{severity}] "), name
        assert " Why then: " in alarm["AlarmDescription"], name
        assert alarm["AlarmDescription"].endswith(f" What to do: docs/operations.md#alarm-{name}"), name
        assert len(alarm["AlarmDescription"]) <= 1024


def test_alarms_refer_to_where_the_runbooks_are(told: Resources) -> None:
    for name, alarm in alarms(told).items():
        assert alarm["AlarmDescription"].endswith(f"https://example.org/runbooks#alarm-{name}")


def test_every_alarm_says_what_no_data_means(watched: Resources) -> None:
    for alarm in watched.of_type(ALARM).values():
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching", "ignore"}
        assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]


def test_tickets_tell_by_themselves_and_when_they_are_over(watched: Resources) -> None:
    for name, alarm in alarms(watched).items():
        if name not in {*PAGES, "paged"}:
            assert alarm["AlarmActions"] == [topic_of(watched, "ticket")], name
            assert alarm["OKActions"] == alarm["AlarmActions"], name


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("stalled", "IntakeJobQueue"),
        ("oldest-job", "IntakeJobQueue"),
        ("dead-letters", "DeadLettersQueue"),
        ("unread-messages", "IntakeDeadLetterQueue"),
        ("events-lost", "EventsFailures"),
        ("events-late", "FunctionsPublishEventsFunction"),
        ("reconciler", "FunctionsReconcileFunction"),
        ("throttled-executions", "WorkflowStateMachine"),
        ("throttled-writes", "JobTable"),
    ],
)
def test_alarm_looks_at_what_it_speaks_of(watched: Resources, name: str, beginning: str) -> None:
    alarm = alarms(watched)[name]
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    values = [dimension["Value"] for metric in metrics or [alarm] for dimension in metric["Dimensions"]]
    assert values
    for value in values:
        assert str(value.get("Ref") or value["Fn::GetAtt"][0]).startswith(beginning)


def test_one_page_for_each_incident(watched: Resources) -> None:
    (paged,) = watched.of_type(COMPOSITE).values()
    paging = {
        logical_id: alarm
        for logical_id, alarm in watched.of_type(ALARM).items()
        if alarm["AlarmName"].removeprefix(f"{STACK_NAME}-") in PAGES
    }
    assert len(paging) == len(PAGES)
    for logical_id, alarm in paging.items():
        assert "AlarmActions" not in alarm
        assert logical_id in str(paged["AlarmRule"])
    assert str(paged["AlarmRule"]).count("ALARM(") == len(PAGES)
    assert paged["AlarmActions"] == paged["OKActions"] == [topic_of(watched, "page")]


def test_topics_are_encrypted_and_refuse_plain_http(watched: Resources) -> None:
    (key,) = (name for name in watched.of_type("AWS::KMS::Key") if name.startswith("Topics"))
    for topic in watched.of_type("AWS::SNS::Topic").values():
        assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert watched.of_type("AWS::KMS::Key")[key]["EnableKeyRotation"] is True
    refusing = [
        statement
        for policy in watched.of_type("AWS::SNS::TopicPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert len(refusing) == len(watched.of_type("AWS::SNS::Topic"))


def test_only_our_alarms_and_budgets_may_publish(watched: Resources) -> None:
    for policy in watched.of_type("AWS::SNS::TopicPolicy").values():
        allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
        sources = {one["Principal"]["Service"]: str(one["Condition"]["ArnLike"]["aws:SourceArn"]) for one in allowed}
        assert sources.keys() == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
        assert f":alarm:{STACK_NAME}-*" in sources["cloudwatch.amazonaws.com"]
        assert ":budgets::" in sources["budgets.amazonaws.com"]
        for statement in allowed:
            assert statement["Action"] == "sns:Publish"
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_who_may_publish_may_use_the_key(watched: Resources) -> None:
    # Without it, CloudWatch's messages are dropped, and nothing tells so.
    key = watched.named("TopicsKey", "AWS::KMS::Key")
    services = {
        service: set(listed(statement["Action"]))
        for statement in key["KeyPolicy"]["Statement"]
        for service in listed(statement["Principal"].get("Service", []))
    }
    assert services.keys() == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    assert all(actions == {"kms:Decrypt", "kms:GenerateDataKey"} for actions in services.values())


def test_nobody_listens_until_the_settings_say_who(watched: Resources) -> None:
    kinds = {resource["Type"] for resource in watched.template["Resources"].values()}
    assert not kinds & {"AWS::SNS::Subscription", "AWS::Chatbot::SlackChannelConfiguration"}


def test_mail_goes_by_severity(told: Resources) -> None:
    mails = {
        str(mail["TopicArn"]): mail["Endpoint"]
        for mail in told.of_type("AWS::SNS::Subscription").values()
        if mail["Protocol"] == "email"
    }
    assert mails == {
        str(topic_of(told, "page")): "page@example.org",
        str(topic_of(told, "ticket")): "ticket@example.org",
    }


def test_slack_hears_of_all_and_may_look_at_alarms_only(told: Resources) -> None:
    (channel,) = told.of_type("AWS::Chatbot::SlackChannelConfiguration").values()
    assert channel["SlackWorkspaceId"] == "T0123ABCD"
    assert channel["SlackChannelId"] == "C0123ABCD"
    assert len(channel["SnsTopicArns"]) == 2
    assert [str(policy).endswith("CloudWatchReadOnlyAccess']]}") for policy in channel["GuardrailPolicies"]] == [True]
    role = told.behind(channel["IamRoleArn"])
    assert role.keys() == {"AssumeRolePolicyDocument", "Description"}


def test_workspace_without_channel_is_refused(environments: dict[str, Any]) -> None:
    one = {"prod": {**environments["prod"], "slack_workspace": "T0123ABCD"}}
    with pytest.raises(SettingsError, match="slack_workspace and slack_channel"):
        Settings.from_context(one, "prod")


def test_budget_tells_before_the_money_is_spent(watched: Resources, environments: dict[str, Any]) -> None:
    (budget,) = watched.of_type("AWS::Budgets::Budget").values()
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    assert budget["Budget"]["BudgetLimit"]["Amount"] in {
        settings["monthly_budget_dollars"] for settings in environments.values()
    }
    told = {
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"]): one["Subscribers"]
        for one in budget["NotificationsWithSubscribers"]
    }
    assert told.keys() == {("ACTUAL", 80), ("FORECASTED", 100)}
    for subscribers in told.values():
        assert subscribers == [{"SubscriptionType": "SNS", "Address": topic_of(watched, "ticket")}]


def test_no_budget_where_none_is_set(cdk_context: dict[str, Any], empty_packages: Any) -> None:
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    context = copy.deepcopy(cdk_context)
    context["environments"]["dev"]["monthly_budget_dollars"] = 0
    cdk_app = aws_cdk.App(analytics_reporting=False, context=context)
    template = Template.from_stack(
        app.add_stack(cdk_app, STACK, app.settings_of(cdk_app, "dev"), empty_packages)
    ).to_json()
    assert "budgets" not in str(template)
