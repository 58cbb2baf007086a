"""Where alarms go: one topic for what wakes somebody, one for what can wait until the morning."""

from collections.abc import Mapping
from enum import StrEnum

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.encryption import WRITE
from stacks.findings import accept

UNDELIVERED = "A mail that is not delivered is no loss: the alarm stays on, and on the dashboards, until it is over."


class Severity(StrEnum):
    """Who is to look, and when."""

    PAGE = "page"
    """Somebody, now: jobs are refused, stand still or fail."""
    TICKET = "ticket"
    """Somebody, on the next working day: nothing gets worse by itself until then."""


class Topics(Construct):
    """Billed by the message; the key costs a dollar a month.

    The key is one of its own: AWS's key for SNS does not let CloudWatch and Budgets publish, and who may read what
    alarms say need not be able to read jobs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        emails: Mapping[Severity, str],
        slack_workspace: str,
        slack_channel: str,
    ) -> None:
        """An empty e-mail address, workspace or channel is none: the topics are there, and nobody listens."""
        super().__init__(scope, construct_id)
        self._name = name
        self.key = kms.Key(self, "Key", description=f"{name}: what alarms say", enable_key_rotation=True)
        self.topics = {severity: self._topic(severity) for severity in Severity}
        for severity, topic in self.topics.items():
            if emails[severity]:
                mail = topic.add_subscription(subscriptions.EmailSubscription(emails[severity]))
                accept(mail, {"Serverless-SNSRedrivePolicy": UNDELIVERED})
        self._let_publish(
            "cloudwatch.amazonaws.com",
            Stack.of(self).format_arn(
                service="cloudwatch",
                resource="alarm",
                resource_name=f"{name}-*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
        )
        if slack_channel:
            self._tell_slack(slack_workspace, slack_channel)

    def let_budgets_publish(self) -> None:
        """Let AWS Budgets of this account publish. Budgets belong to no region."""
        stack = Stack.of(self)
        self._let_publish("budgets.amazonaws.com", f"arn:{stack.partition}:budgets::{stack.account}:*")

    def _topic(self, severity: Severity) -> sns.Topic:
        return sns.Topic(
            self,
            severity.title(),
            topic_name=f"{self._name}-{severity}",
            display_name=f"{self._name} {severity}",
            master_key=self.key,
            enforce_ssl=True,
        )

    def _let_publish(self, service: str, source: str) -> None:
        """Let a service of AWS publish, and use the key for it, on behalf of what is ours."""
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        for topic in self.topics.values():
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={**account, "ArnLike": {"aws:SourceArn": source}},
                )
            )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=list(WRITE),
                resources=["*"],  # the key that this is the policy of
                conditions=account,
            )
        )

    def _tell_slack(self, workspace: str, channel: str) -> None:
        """Let Amazon Q Developer (formerly AWS Chatbot) tell a Slack channel. It may look at alarms, and no more."""
        role = iam.Role(
            self,
            "SlackRole",
            assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"),
            description="Darkroom: what the chat channel of the alarms may look at",
        )
        chatbot.CfnSlackChannelConfiguration(
            self,
            "Slack",
            configuration_name=self._name,
            slack_workspace_id=workspace,
            slack_channel_id=channel,
            iam_role_arn=role.role_arn,
            sns_topic_arns=[topic.topic_arn for topic in self.topics.values()],
            guardrail_policies=[
                f"arn:{Stack.of(self).partition}:iam::aws:policy/CloudWatchReadOnlyAccess",
            ],
            logging_level="ERROR",
        )
