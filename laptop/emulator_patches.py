"""What the emulator does not do as AWS does, mended inside it. Each is small; `gaps.py` mends the rest from outside.

1. Strings in mapping templates have Java's methods: `replaceAll`, `matches`. Here they rendered empty.
2. SQS refuses a message attribute with an empty value. Here it was dropped, and a job without an id was enqueued.
3. `$context.error.validationErrorString` in a gateway response tells what is wrong with a body. Here it was unknown.
4. A function behind the gateway may answer without a body, as with 304. Here the gateway broke down over it.
5. A Parallel state in JSONata has an `Output`. Here its branches' results were handed on instead.
6. A throttled function fails its task as `Lambda.TooManyRequestsException`. Here it was `Lambda.Unknown`.
7. A queue outlives a restart. Here its name held the port, and on another port nobody read it any more.
8. No execution of AWS ends for a restart of AWS. Here those that ran came back as FAILED, and no event told of it; they
   are gone instead, which is what the job's row alone is enough to mend.
9. An execution that runs for longer than the state machine's `TimeoutSeconds` is TIMED_OUT, and an event tells of it.
   Here it ran on.
10. Streams of tables are read beside queues, and at once. Here one reader took turns, once a second.
11. A stream outlives a restart. Here it began anew, and its reader went on from a place that it had yet to get to. The
    reader begins anew, too.

Runs inside the emulator's environment only.
"""

import contextvars
import hashlib
import importlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

Schema = dict[str, Any]
_STREAM_PAUSE_SECONDS: Final = 0.05


def apply() -> None:
    """Put the patches in place. Call before the emulator serves."""
    gateway = importlib.import_module("ministack.services.apigateway_v1")
    machines = importlib.import_module("ministack.services.stepfunctions")
    queues = importlib.import_module("ministack.services.sqs")
    _teach_templates_strings(gateway)
    _refuse_empty_attributes(queues)
    _say_what_is_wrong_with_a_body(gateway)
    _allow_answers_without_a_body(gateway)
    _give_parallel_states_their_output(machines)
    _name_throttles(machines)
    _name_queues_alike_on_every_port(queues)
    _forget_what_ran(machines)
    _end_executions_that_are_out_of_time(machines)
    _read_streams_by_themselves(importlib.import_module("ministack.services.lambda_svc"))


def digest() -> str:
    """Tell this version of the patches from others: an emulator that runs keeps those that it was started with."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def _teach_templates_strings(gateway: Any) -> None:
    walk_one = gateway._vtl_walk

    def walk(node: Any, steps: list[tuple[str, str | None]], state: Any) -> Any:
        for name, arguments in steps:
            method = _STRING_METHODS.get(name) if isinstance(node, str) and arguments is not None else None
            if method:
                values = [gateway._vtl_value(argument, state) for argument in gateway._vtl_split_args(arguments)]
                node = method(node, *values)
            else:
                node = walk_one(node, [(name, arguments)], state)
            if node is None:
                return None
        return node

    gateway._vtl_walk = walk


def _replace_all(text: str, pattern: str, replacement: str) -> str:
    # Java writes groups as $1 where Python writes \1.
    return re.sub(pattern, re.sub(r"\$(\d)", r"\\\1", replacement), text)


_STRING_METHODS: Final[dict[str, Callable[..., Any]]] = {
    "replaceAll": _replace_all,
    "matches": lambda text, pattern: re.fullmatch(pattern, text) is not None,
}


def _refuse_empty_attributes(queues: Any) -> None:
    send = queues._act_send_message

    def send_checked(data: dict[str, Any], url: str) -> Any:
        for name, attribute in (data.get("MessageAttributes") or {}).items():
            if not attribute.get("StringValue") and not attribute.get("BinaryValue"):
                kind = attribute.get("DataType", "String")
                raise queues._Err(
                    "InvalidParameterValue",
                    f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.",
                )
        return send(data, url)

    queues._act_send_message = send_checked
    queues._HANDLERS["SendMessage"] = send_checked


def _say_what_is_wrong_with_a_body(gateway: Any) -> None:
    check = gateway._check_request_validation
    respond = gateway._gateway_error_response

    def check_and_explain(*request: Any) -> Any:
        error = check(*request)
        if error is not None and error.response_type == "BAD_REQUEST_BODY":
            method, api, _, _, body, _ = request
            error.reasons = _reasons(gateway, method, api, body)
        return error

    def respond_with_reasons(error: Any, request: Any) -> Any:
        status, headers, body = respond(error, request)
        reasons = ", ".join(getattr(error, "reasons", []))
        # The variable stands between quotes, in a JSON document.
        text = json.dumps(f"[{reasons}]" if reasons else "")[1:-1]
        return status, headers, body.replace(b"$context.error.validationErrorString", text.encode())

    gateway._check_request_validation = check_and_explain
    gateway._gateway_error_response = respond_with_reasons


def _allow_answers_without_a_body(gateway: Any) -> None:
    shape = gateway._lambda_proxy_response

    def shape_with_body(result: Any) -> Any:
        response, error = shape(result)
        if response and response.get("body") is None:
            response = {**response, "body": ""}
        return response, error

    gateway._lambda_proxy_response = shape_with_body


def _give_parallel_states_their_output(machines: Any) -> None:
    run = machines._run_parallel_branches

    def run_with_output(state: Schema, given: Any, execution: Any, context: Any) -> Any:
        results, following = run(state, given, execution, context)
        if machines._state_query_language(state, context) == "JSONata":
            results = machines._apply_jsonata_output(state, given, context, result=results, default=results)
        return results, following

    machines._run_parallel_branches = run_with_output


def _name_throttles(machines: Any) -> None:
    call = machines._call_lambda

    def call_and_name_throttles(function: Any, event: Any) -> Any:
        try:
            return call(function, event)
        except machines._ExecutionError as error:
            if error.error == "Lambda.Unknown" and '"__type": "TooManyRequestsException"' in error.cause:
                raise machines._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    machines._call_lambda = call_and_name_throttles


def _name_queues_alike_on_every_port(queues: Any) -> None:
    # SDKs send their requests to the endpoint and take the URL of a queue as no more than a name.
    queues.DEFAULT_PORT = "4566"
    queues._CANONICAL_NETLOC = f"{queues.DEFAULT_HOST}:{queues.DEFAULT_PORT}"


def _forget_what_ran(machines: Any) -> None:
    restore = machines._restore_state

    def restore_what_had_ended(data: Any) -> None:
        if data:
            kept = data["executions"]._data
            data["executions"]._data = {name: one for name, one in kept.items() if one["status"] != "RUNNING"}
        restore(data)

    machines._restore_state = restore_what_had_ended


def _end_executions_that_are_out_of_time(machines: Any) -> None:
    run = machines._run_execution

    def end(execution: Schema) -> None:
        if execution["status"] == "RUNNING":
            execution["status"] = "TIMED_OUT"
            execution["stopDate"] = machines.now_iso()
            machines._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
            machines._emit_execution_status_event(execution)

    def run_for_so_long(arn: str) -> None:
        execution = machines._executions[arn]
        definition = json.loads(machines._state_machines[execution["stateMachineArn"]]["definition"])
        # The account and the region of the caller go with a thread's context.
        in_this_context = contextvars.copy_context().run
        alarm = threading.Timer(
            definition.get("TimeoutSeconds", threading.TIMEOUT_MAX), in_this_context, (end, execution)
        )
        alarm.daemon = True
        alarm.start()
        try:
            run(arn)
        finally:
            alarm.cancel()

    machines._run_execution = run_for_so_long


def _read_streams_by_themselves(functions: Any) -> None:
    read, start, restore = functions._poll_dynamodb_streams, functions._ensure_poller, functions._restore_state
    started = threading.Event()

    def go_on_reading() -> None:
        while True:
            try:
                busy = read()
            except Exception:
                functions.logger.exception("Streams could not be read")
                busy = False
            if not busy:
                time.sleep(_STREAM_PAUSE_SECONDS)

    def restore_without_places(data: Any) -> None:
        restore(data)
        functions._dynamodb_stream_positions.clear()

    def start_both() -> None:
        start()
        if not started.is_set():
            started.set()
            threading.Thread(target=go_on_reading, daemon=True).start()

    functions._poll_dynamodb_streams = lambda: False
    functions._ensure_poller = start_both
    functions._restore_state = restore_without_places


def _reasons(gateway: Any, method: Any, api: str, body: bytes) -> list[str]:
    models = method.get("requestModels") or {}
    schema = gateway._model_schema(api, models.get("application/json", next(iter(models.values()), "")))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ["the body is not JSON"]
    explainer = _Explainer(gateway)
    return [f"{path or '/'}: {rule}" for path, rule in explainer.faults(schema, value, schema, "")]


class _Explainer:
    """Find which field breaks which rule, with the emulator's own judge of valid or not."""

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway

    def faults(self, schema: Any, value: Any, root: Any, path: str) -> Iterator[tuple[str, str]]:
        """Yield each broken rule as (JSON pointer, the words that API Gateway's validator has for it)."""
        while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
            schema, root = self._gateway._resolve_schema_ref(schema["$ref"], root)
        if not isinstance(schema, dict):
            return
        for keyword, describe in _RULES.items():
            if keyword in schema and not self._is_valid({keyword: schema[keyword]}, value, root):
                yield path, describe(schema[keyword], value)
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            for position, item in enumerate(value):
                yield from self.faults(schema["items"], item, root, f"{path}/{position}")
        if isinstance(value, dict):
            yield from self._faults_of_members(schema, value, root, path)

    def _faults_of_members(self, schema: Schema, value: Schema, root: Any, path: str) -> Iterator[tuple[str, str]]:
        known = schema.get("properties") or {}
        others = schema.get("additionalProperties", True)
        unwanted = sorted(set(value) - set(known)) if others is False else []
        if unwanted:
            yield path, f"object instance has properties which are not allowed by the schema: {_shown(unwanted)}"
        for name, item in value.items():
            member = known.get(name, others)
            if isinstance(member, dict):
                yield from self.faults(member, item, root, f"{path}/{name}")

    def _is_valid(self, schema: Schema, value: Any, root: Any) -> bool:
        return bool(self._gateway._json_schema_valid(schema, value, root))


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:100]


def _type_of(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


_RULES: Final[dict[str, Callable[[Any, Any], str]]] = {
    "type": lambda rule, value: (
        f"instance type ({_type_of(value)}) does not match any allowed primitive type "
        f"(allowed: {_shown([rule] if isinstance(rule, str) else rule)})"
    ),
    "required": lambda rule, value: (
        f"object has missing required properties ({_shown([name for name in rule if name not in value])})"
    ),
    "enum": lambda rule, value: f"instance value ({_shown(value)}) not found in enum (possible values: {_shown(rule)})",
    "pattern": lambda rule, value: f"ECMA 262 regex {_shown(rule)} does not match input string {_shown(value)}",
    "minimum": lambda rule, value: (
        f"numeric instance is lower than the required minimum (minimum: {rule}, found: {value})"
    ),
    "maximum": lambda rule, value: (
        f"numeric instance is greater than the required maximum (maximum: {rule}, found: {value})"
    ),
    "minLength": lambda rule, value: (
        f"string {_shown(value)} is too short (length: {len(value)}, required minimum: {rule})"
    ),
    "maxLength": lambda rule, value: (
        f"string {_shown(value)} is too long (length: {len(value)}, maximum allowed: {rule})"
    ),
    "minItems": lambda rule, value: (
        f"array is too short: must have at least {rule} elements but instance has {len(value)} elements"
    ),
    "maxItems": lambda rule, value: (
        f"array is too long: must have at most {rule} elements but instance has {len(value)} elements"
    ),
    "uniqueItems": lambda _rule, _value: "array must not contain duplicate elements",
    "minProperties": lambda rule, value: (
        f"object has too few properties (found {len(value)} but schema requires at least {rule})"
    ),
    "maxProperties": lambda rule, value: (
        f"object has too many properties (found {len(value)} but schema requires at most {rule})"
    ),
}
