"""Permissions, enforced: what the emulator lacks of it when it is started with `AUTH=true`. See `docs/laptop.md`.

By itself it then holds every call that comes over HTTP to the policies of its caller's role, and of bucket and queue.
Added here:

1. What comes from this machine counts as TLS, or bucket and queues would refuse all of it, as they should.
2. The state machine, the gateway and the readers of queues call other services inside the emulator, past its door: they
   are held to their roles, too.
3. Each right that was used is noted, with the statements that gave it, in the file that RIGHTS_LEDGER names.

Runs inside the emulator's environment only, after the patches.
"""

import contextvars
import importlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

LEDGER: Final = "RIGHTS_LEDGER"
PLAIN_HTTP: Final = "LOOPBACK_IS_PLAIN_HTTP"
"""Set, to see bucket and queues refuse plain HTTP."""

_role: contextvars.ContextVar[str] = contextvars.ContextVar("role of the execution")


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether the emulator was started to enforce permissions."""
    return environ.get("AUTH") == "true"


def apply() -> None:
    """Put it in place. Call before the emulator serves."""
    evaluator = importlib.import_module("ministack.core.iam_evaluator")
    if not os.environ.get(PLAIN_HTTP):
        _take_loopback_for_tls(importlib.import_module("ministack.app"), evaluator)
    if os.environ.get(LEDGER):
        _note_what_is_allowed(evaluator, os.environ[LEDGER])
    may = _Asker(evaluator)
    _hold_the_state_machine_to_its_role(importlib.import_module("ministack.services.stepfunctions"), may)
    _hold_the_gateway_to_its_role(importlib.import_module("ministack.services.apigateway_v1"), may)
    functions = importlib.import_module("ministack.services.lambda_svc")
    _hold_readers_to_their_roles(importlib.import_module("ministack.services.sqs"), functions, may)
    _hold_readers_of_streams_to_their_roles(importlib.import_module("ministack.services.dynamodb"), functions, may)


_BATCHES: Final = {f"sqs:{action}Batch" for action in ("ChangeMessageVisibility", "DeleteMessage", "SendMessage")}
"""SQS has no right of its own for these: AWS asks for that of one message."""


class _Asker:
    """Asks the emulator's own judge whether a role may do something."""

    def __init__(self, evaluator: Any) -> None:
        self._evaluator = evaluator

    def __call__(self, role_arn: str, action: str, resource: str) -> bool:
        account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        context = self._evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=os.environ["MINISTACK_REGION"],
            secure_transport=True,
        )
        policies = self._evaluator._gather_role_policies(name, account)
        return bool(self._evaluator.evaluate(context, policies).decision == "Allow")


def _take_loopback_for_tls(app: Any, evaluator: Any) -> None:
    app.pin_request_origin = lambda address, _secure: evaluator.pin_request_origin(address, True)


def _note_what_is_allowed(evaluator: Any, path: str) -> None:
    judge = evaluator.evaluate

    def judge_and_note(context: Any, policies: Any, *limits: Any) -> Any:
        if context.action in _BATCHES:
            context = replace(context, action=context.action.removesuffix("Batch"))
        found = judge(context, policies, *limits)
        if ":assumed-role/" in context.principal_arn:
            statements = [statement for policy in policies for statement in policy]
            note = {
                "role": context.principal_arn.split("/")[1],
                "action": context.action,
                "resource": context.resource_arn,
                "decision": found.decision,
                # Their places in the role's policies, in order.
                "by": [i for i, each in enumerate(statements) if evaluator._first_match(context, [each], "Allow")],
            }
            with open(path, "a", encoding="utf-8") as ledger:
                ledger.write(json.dumps(note) + "\n")
        return found

    evaluator.evaluate = judge_and_note


def _hold_the_state_machine_to_its_role(machines: Any, may: Callable[[str, str, str], bool]) -> None:
    run, call = machines._run_execution, machines._call_lambda

    def run_as_its_role(arn: str) -> None:
        _role.set(machines._state_machines[machines._executions[arn]["stateMachineArn"]]["roleArn"])
        run(arn)

    def demand(action: str, resource: str, error: str) -> None:
        if not may(_role.get(), action, resource):
            raise machines._ExecutionError(error, f"{_role.get()} is not authorized to perform: {action} on {resource}")

    def call_if_allowed(function: str, event: Any) -> Any:
        demand("lambda:InvokeFunction", function, "Lambda.AWSLambdaException")
        return call(function, event)

    def integrate_if_allowed(integrate: Callable[..., Any], action: str, name: str, kind: str) -> Callable[..., Any]:
        def allowed(resource: str, given: Any) -> Any:
            target = str(given[name]).rpartition("/")[2]
            demand(action, _arn(kind, target), f"{kind}.AccessDeniedException")
            return integrate(resource, given)

        return allowed

    machines._run_execution = run_as_its_role
    machines._call_lambda = call_if_allowed
    for integration, action, name, kind in (
        ("sqs:sendMessage", "sqs:SendMessage", "QueueUrl", "SQS"),
        ("dynamodb:updateItem", "dynamodb:UpdateItem", "TableName", "DynamoDB"),
    ):
        resource = f"arn:aws:states:::{integration}"
        integrate = machines._SERVICE_DISPATCH[resource]
        machines._SERVICE_DISPATCH[resource] = integrate_if_allowed(integrate, action, name, kind)


def _hold_the_gateway_to_its_role(gateway: Any, may: Callable[[str, str, str], bool]) -> None:
    send = gateway._invoke_sqs_v1

    async def send_if_allowed(integration: Any, *request: Any, **more: Any) -> Any:
        queue = _arn("SQS", integration["uri"].rpartition("/")[2])
        if may(integration["credentials"], "sqs:SendMessage", queue):
            return await send(integration, *request, **more)
        return gateway._service_integration_response(integration, 403, "", "application/json", {})

    gateway._invoke_sqs_v1 = send_if_allowed


def _hold_readers_to_their_roles(queues: Any, functions: Any, may: Callable[[str, str, str], bool]) -> None:
    receive, delete = queues._receive_messages_for_esm, queues._delete_messages_for_esm

    def reader_may(queue_url: str, *actions: str) -> bool:
        queue = _arn("SQS", queue_url.rpartition("/")[2])
        return all(may(role, action, queue) for role in _readers_of(queue, functions) for action in actions)

    def receive_if_allowed(queue_url: str, number: int) -> Any:
        # Only for a message that is there: the pollers ask many times a second.
        if not queues._get_q(queue_url)["messages"]:
            return []
        allowed = reader_may(queue_url, "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
        return receive(queue_url, number) if allowed else []

    def delete_if_allowed(queue_url: str, handles: Any) -> None:
        if handles and reader_may(queue_url, "sqs:DeleteMessage"):
            delete(queue_url, handles)

    queues._receive_messages_for_esm = receive_if_allowed
    queues._delete_messages_for_esm = delete_if_allowed


def _hold_readers_of_streams_to_their_roles(tables: Any, functions: Any, may: Callable[[str, str, str], bool]) -> None:
    read = tables.stream_records_since

    def read_if_allowed(table: str, *where: Any, **scope: Any) -> Any:
        found = read(table, *where, **scope)
        stream = tables._tables[table]["LatestStreamArn"]
        # Only for a change that is there: the poller asks many times a second.
        for role in _readers_of(stream, functions) if found else []:
            if not may(role, "dynamodb:ListStreams", "*"):
                return []
            if not all(may(role, f"dynamodb:{action}", stream) for action in _READING_A_STREAM):
                return []
        return found

    tables.stream_records_since = read_if_allowed


_READING_A_STREAM: Final = ("DescribeStream", "GetShardIterator", "GetRecords")


def _readers_of(source: str, functions: Any) -> list[str]:
    """Roles of the functions that read a queue or a stream."""
    return [
        functions._functions[mapping["FunctionName"]]["config"]["Role"]
        for *_, mapping in functions._iter_all_esms()
        if mapping.get("EventSourceArn") == source
    ]


def _arn(service: str, name: str) -> str:
    kind = {"SQS": "", "DynamoDB": "table/"}[service]
    region, account = os.environ["MINISTACK_REGION"], os.environ["MINISTACK_ACCOUNT_ID"]
    return f"arn:aws:{service.lower()}:{region}:{account}:{kind}{name}"
