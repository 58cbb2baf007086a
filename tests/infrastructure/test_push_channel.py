"""The WebSocket API: nobody connects without a ticket, and its logs have neither tickets nor messages."""

import json

from lambdas.adapters import tickets, watchers
from tests.infrastructure.templates import Resources


def test_only_a_ticket_lets_a_watcher_connect(template: Resources) -> None:
    routes = {route["RouteKey"]: route for route in template.of_type("AWS::ApiGatewayV2::Route").values()}
    authorizer = template.behind(routes["$connect"]["AuthorizerId"])

    assert routes.keys() == {"$connect", "$disconnect", "$default"}
    assert routes["$connect"]["AuthorizationType"] == "CUSTOM"
    assert authorizer["IdentitySource"] == ["route.request.querystring.ticket"]
    assert "AuthorizeWatcher" in str(authorizer["AuthorizerUri"])


def test_log_has_no_ticket_and_no_message(template: Resources) -> None:
    stage = template.named("PushStage", "AWS::ApiGatewayV2::Stage")
    log = stage["AccessLogSettings"]

    assert "Log" in str(log["DestinationArn"])
    told = ("requestId", "requestTime", "routeKey", "eventType", "status", "connectionId", "authorizer.owner")
    assert set(json.loads(log["Format"]).values()) <= {f"$context.{name}" for name in (*told, "error.messageString")}
    assert stage["DefaultRouteSettings"].get("DataTraceEnabled", False) is False
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0


def test_tickets_and_watchers_are_forgotten(template: Resources) -> None:
    for name, adapter in {"PushTickets": tickets, "PushWatchers": watchers}.items():
        table = template.named(name, "AWS::DynamoDB::Table")
        assert table["TimeToLiveSpecification"] == {"AttributeName": adapter.EXPIRES_AT, "Enabled": True}


def test_watchers_are_kept_under_their_owner(template: Resources) -> None:
    table = template.named("PushWatchers", "AWS::DynamoDB::Table")
    assert [key["AttributeName"] for key in table["KeySchema"]] == [watchers.OWNER, watchers.CONNECTION_ID]
    assert "GlobalSecondaryIndexes" not in table


def test_tickets_can_be_made_by_the_api_and_used_by_the_authorizer_only(template: Resources) -> None:
    users = {
        policy: statement["Action"]
        for policy, statement in template.statements()
        if "PushTickets" in str(statement["Resource"])
    }
    assert len(users) == 2
    assert {name.partition("Role")[0]: action for name, action in users.items()} == {
        "FunctionsApiCalls": "dynamodb:PutItem",
        "FunctionsAuthorizeWatcher": "dynamodb:DeleteItem",
    }
