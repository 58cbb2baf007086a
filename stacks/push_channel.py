"""Push: a WebSocket API by which owners are told of their jobs' events, its tickets, and who is connected."""

import json
from typing import cast

from aws_cdk import CfnElement, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_authorizers import WebSocketLambdaAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import WebSocketLambdaIntegration
from constructs import Construct, IConstruct

from lambdas.adapters import tickets, watchers
from stacks.encryption import ALL, Encryption
from stacks.findings import accept
from stacks.logs import LogKeeping

STAGE_NAME = "v1"
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "event": "$context.eventType",
    "status": "$context.status",
    "connectionId": "$context.connectionId",
    "owner": "$context.authorizer.owner",
    "error": "$context.error.messageString",
}
"""No query: it has the ticket. No message."""
AT_CONNECT = "WebSocket APIs authorize when a watcher connects, by its ticket; what follows belongs to the connection."


class PushChannel(Construct):
    """Billed by the message and by the minute of a connection; it costs nothing while nobody watches."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        messages_per_second: int,
        message_burst: int,
        log_keeping: LogKeeping,
        encryption: Encryption,
    ) -> None:
        super().__init__(scope, construct_id)
        self._encryption = encryption
        self.tickets = self._table("Tickets", partition_key=tickets.TICKET_HASH, expires_at=tickets.EXPIRES_AT)
        self.watchers = self._table(
            "Watchers",
            partition_key=watchers.OWNER,
            sort_key=watchers.CONNECTION_ID,
            expires_at=watchers.EXPIRES_AT,
        )
        self.api = gateway.WebSocketApi(
            self,
            "Api",
            api_name=f"{name}-push",
            description="Tells owners of their jobs' events.",
            route_selection_expression="$request.body.action",
        )
        self.stage = gateway.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self.api,
            stage_name=STAGE_NAME,
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=gateway.ThrottleSettings(rate_limit=messages_per_second, burst_limit=message_burst),
        )
        log_group = log_keeping.log_group(self, "AccessLog")
        resource = cast(gateway.CfnStage, self.stage.node.default_child)
        resource.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log_group.log_group_arn, format=json.dumps(ACCESS_LOG)
        )

    @property
    def url(self) -> str:
        """Where connections are managed; watchers connect there by `wss`."""
        stack = Stack.of(self)
        return f"https://{self.api.api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE_NAME}"

    def answer_with(self, watch: lambda_.IFunction, *, authorizer: lambda_.IFunction) -> None:
        """Have one function let watchers in, and another answer what they say."""
        ticket = WebSocketLambdaAuthorizer(
            "Authorizer", authorizer, identity_source=["route.request.querystring.ticket"]
        )
        answer = WebSocketLambdaIntegration("Integration", watch)
        self.api.add_route("$connect", integration=answer, authorizer=ticket)
        for route in ("$disconnect", "$default"):
            accept(self.api.add_route(route, integration=answer), {"AwsSolutions-APIG4": AT_CONNECT})

    def log_with(self, account: IConstruct) -> None:
        """Wait for the account's setting by which gateways may write logs."""
        self.stage.node.add_dependency(account)

    def grant_issuing(self, grantee: iam.IGrantable) -> None:
        """Let it make tickets, and not see any."""
        self._grant(grantee, self.tickets, "PutItem")

    def grant_redeeming(self, grantee: iam.IGrantable) -> None:
        """Let it use tickets up."""
        self._grant(grantee, self.tickets, "DeleteItem")

    def grant_watchers(self, grantee: iam.IGrantable, *actions: str) -> None:
        """Let it work on the rows of connections."""
        self._grant(grantee, self.watchers, *actions)

    def grant_telling(self, grantee: iam.IGrantable) -> None:
        """Let it send to connections of this API. Whose they are is known at the call."""
        stack = Stack.of(self)
        arn = f"{self.api.api_id}/{STAGE_NAME}/POST/@connections/*"
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["execute-api:ManageConnections"],
            resource_arns=[stack.format_arn(service="execute-api", resource=arn)],
        )
        api = stack.get_logical_id(cast(CfnElement, self.api.node.default_child))
        place = f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>/{STAGE_NAME}"
        accept(
            cast(IConstruct, grantee.grant_principal),
            {f"AwsSolutions-IAM5[Resource::{place}/POST/@connections/*]": "Who is connected is known at the call."},
        )

    def _grant(self, grantee: iam.IGrantable, table: dynamodb.Table, *actions: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"dynamodb:{action}" for action in actions],
            resource_arns=[table.table_arn],
        )
        self._encryption.grant(grantee, "dynamodb", *ALL)

    def _table(
        self, construct_id: str, *, partition_key: str, sort_key: str | None = None, expires_at: str
    ) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            construct_id,
            partition_key=dynamodb.Attribute(name=partition_key, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=sort_key, type=dynamodb.AttributeType.STRING) if sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=self._encryption.of_table,
            encryption_key=self._encryption.key,
            time_to_live_attribute=expires_at,
            removal_policy=RemovalPolicy.DESTROY,  # in two hours, nothing in it means anything
        )
        accept(table, {"AwsSolutions-DDB3": "What is in it is over in two hours; watchers connect again."})
        return table
