"""What the driver can do to the deployment from outside: as an owner, an operator, or bad luck."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError
from darkroom.errors import ConflictError, NotFoundError

from lambdas.jobs.model import Attempt
from lambdas.stages.catalogue import STAGES
from laptop.chaos.arena import STAGE_CAPACITY, Arena
from laptop.chaos.history import ACCEPTED, Call, Seen
from laptop.chaos.ledger import Ledger
from laptop.chaos.persistence import persist
from laptop.chaos.plan import JobPlan, Poison

SHORT_SECONDS: Final = 4
"""How long an execution may take while the state machine is told to be impatient."""
_STATES: Final = frozenset(stage.state for stage in STAGES)
_ENDED_BADLY: Final = frozenset({"FAILED", "ABORTED", "TIMED_OUT"})


class Hands:
    """Acts on one arena, and writes down what it did."""

    def __init__(self, arena: Arena, ledger: Ledger) -> None:
        self._arena = arena
        self._ledger = ledger
        self._sqs = arena.aws("sqs")
        self._states = arena.aws("stepfunctions")
        self._lambda = arena.aws("lambda")
        self._events = arena.aws("events")
        self._rule_lock = threading.Lock()

    def submit(self, job: JobPlan, image_id: str) -> None:
        """Submit a job, by as many callers as planned."""
        body = submission(job, image_id)
        with ThreadPoolExecutor(job.callers) as callers:
            list(callers.map(lambda _: self._submit_once(job, body), range(job.callers)))
        if job.callers > 1:
            self._ledger.fault("repeated-submit", job.job_id)

    def _submit_once(self, job: JobPlan, body: Mapping[str, Any]) -> None:
        options = {name: body[name] for name in ("analyses", "options") if name in body}
        persist(lambda: self._arena.client.submit(body["imageId"], job_id=job.job_id, **options))
        self._note(job.job_id, "submit", ACCEPTED, None)

    def cancel(self, job_id: str, seen: Seen | None) -> None:
        """Cancel as the owner, and write down the answer."""
        self._ask("cancel", job_id, seen)

    def redrive(self, job_id: str, seen: Seen | None) -> None:
        """Redrive as the owner, from the attempt that the owner has seen, and write down the answer."""
        self._ask("redrive", job_id, seen, attempt=seen.attempt if seen else None)

    def _ask(self, what: str, job_id: str, seen: Seen | None, **details: Any) -> None:
        try:
            persist(lambda: getattr(self._arena.client, what)(job_id, **details))
            answer = ACCEPTED
        except (ConflictError, NotFoundError) as error:
            answer = error.problem.status
        self._note(job_id, what, answer, seen.status if seen else None)

    def send_again(self, job: JobPlan, image_id: str, times: int) -> None:
        """Put a job's message into the queue, as the gateway would, once more or more often."""
        for _ in range(times):
            persist(lambda: self._send(self._message(job.job_id, json.dumps(submission(job, image_id)))))
            self._note(job.job_id, "message", ACCEPTED, None)

    def poison(self, poison: Poison, good: Sequence[tuple[JobPlan, str]]) -> None:
        """Send a message that no job can be made of, alone or with good ones in the same batch."""
        messages = [self._poisoned(poison)]
        if not poison.alone:
            messages += [self._message(job.job_id, json.dumps(submission(job, image))) for job, image in good]
        entries = [{"Id": str(number), **message} for number, message in enumerate(messages)]
        queue = self._arena.outputs["JobQueueUrl"]
        persist(lambda: self._sqs.send_message_batch(QueueUrl=queue, Entries=entries))
        self._ledger.fault("poison-message", poison.job_id, place=poison.what)
        for job, _ in good[: len(messages) - 1]:
            self._note(job.job_id, "message", ACCEPTED, None)

    def abort(self, attempt: Attempt) -> bool:
        """Stop an execution, as somebody in the console would; return False when it was over already."""
        try:
            persist(lambda: self._arena.world.stop_execution(attempt.execution_name))
        except ClientError:
            return False
        return True

    def abort_unseen(self, attempt: Attempt) -> bool:
        """The same, while no event tells of it."""
        with self._rule_lock:
            rule = self._rule()
            persist(lambda: self._events.disable_rule(Name=rule))
            try:
                return self.abort(attempt)
            finally:
                persist(lambda: self._events.enable_rule(Name=rule))

    def replay_end(self, attempt: Attempt, times: int) -> bool:
        """Tell of an execution's end again; return False when there is none that would be told of."""
        try:
            execution = persist(lambda: self._arena.world.execution(attempt.execution_name))
        except ClientError:
            return False
        if execution["status"] not in _ENDED_BADLY:
            return False
        event = {"source": "aws.states", "detail": _detail(execution)}
        function = persist(lambda: self._arena.world.function("SettleEnded"))
        for _ in range(times):
            persist(lambda: self._lambda.invoke(FunctionName=function, Payload=json.dumps(event)))
        return True

    def reconcile(self, side_by_side: int = 1) -> None:
        """Have it looked after what stands still, by one reconciler or by several at once."""
        name = self._arena.outputs["ReconcileFunctionName"]
        with ThreadPoolExecutor(side_by_side) as pool:
            list(pool.map(lambda _: persist(lambda: self._lambda.invoke(FunctionName=name)), range(side_by_side)))

    def throttle(self, construct: str, seconds: float) -> None:
        """Take all capacity from a function for a while."""
        began = time.time()
        self._arena.set_capacity(construct, 0)
        time.sleep(seconds)
        self._arena.set_capacity(construct, STAGE_CAPACITY if construct in _STATES else None)
        self._ledger.fault("function-throttled", place=construct, since=began)

    @contextmanager
    def queue_unread(self) -> Iterator[None]:
        """Stop reading the job queue for the length of the block."""
        function = persist(lambda: self._arena.world.function("StartExecution"))
        mappings = persist(lambda: self._lambda.list_event_source_mappings(FunctionName=function))
        identity = mappings["EventSourceMappings"][0]["UUID"]
        persist(lambda: self._lambda.update_event_source_mapping(UUID=identity, Enabled=False))
        try:
            yield
        finally:
            persist(lambda: self._lambda.update_event_source_mapping(UUID=identity, Enabled=True))

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Update the state machine so that executions that start now have hardly any time, then back again."""
        machine = self._arena.outputs["StateMachineArn"]
        definition = persist(lambda: self._states.describe_state_machine(stateMachineArn=machine))["definition"]
        short = json.dumps(json.loads(definition) | {"TimeoutSeconds": SHORT_SECONDS})
        persist(lambda: self._states.update_state_machine(stateMachineArn=machine, definition=short))
        try:
            yield
        finally:
            persist(lambda: self._states.update_state_machine(stateMachineArn=machine, definition=definition))

    def attempt(self, job_id: str, number: int) -> Attempt:
        """One attempt of the demo user's job."""
        return Attempt(owner=self._arena.owner, job_id=job_id, number=number)

    def _rule(self) -> str:
        rules = persist(self._events.list_rules)["Rules"]
        return next(str(rule["Name"]) for rule in rules if "EventPattern" in rule)

    def _note(self, job_id: str, what: str, answer: int, status: str | None) -> None:
        self._ledger.call(Call(at=time.time(), what=what, job=job_id, answer=answer, job_status=status))

    def _send(self, message: Mapping[str, Any]) -> Any:
        return self._sqs.send_message(QueueUrl=self._arena.outputs["JobQueueUrl"], **message)

    def _message(self, job_id: str, body: str, **changed: str | None) -> dict[str, Any]:
        """A message as the gateway makes it, or with attributes changed or left out."""
        attributes = {"owner": self._arena.owner, "jobId": job_id, "schemaVersion": "1", **changed}
        texts = {name: value for name, value in attributes.items() if value is not None}
        return {
            "MessageBody": body,
            "MessageAttributes": {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()},
        }

    def _poisoned(self, poison: Poison) -> dict[str, Any]:
        mark = poison.job_id
        fine = json.dumps({"imageId": mark})
        if poison.what == "an owner that is no text":
            message = self._message(mark, fine, owner=None)
            message["MessageAttributes"]["owner"] = {"DataType": "Binary", "BinaryValue": b"\xff\x00"}
            return message
        return {
            "not JSON, from nobody": {"MessageBody": f"{mark} is not from the API"},
            "no owner": self._message(mark, fine, owner=None),
            "an id that is a path": self._message(f"../{mark}", fine),
            "no version": self._message(mark, fine, schemaVersion=None),
            "a version of the future": self._message(mark, fine, schemaVersion="99"),
            "a huge body": self._message(mark, json.dumps({"imageId": "x" * 200_000})),
            "a list where an object should be": self._message(mark, "[1, 2]"),
            "fields of the wrong types": self._message(mark, '{"imageId": 7, "analyses": "all", "tags": []}'),
            "not JSON, from somebody": self._message(mark, "{"),
        }[poison.what]


def submission(job: JobPlan, image_id: str) -> dict[str, Any]:
    """The body of a job's submission."""
    deadline = {} if job.deadline is None else {"options": {"deadlineSeconds": job.deadline}}
    return {"imageId": image_id, "analyses": list(job.analyses), **deadline}


def _detail(execution: Mapping[str, Any]) -> dict[str, Any]:
    """What the event tells of an execution."""
    times = {name: int(execution[name].timestamp() * 1000) for name in ("startDate", "stopDate")}
    words = {name: execution.get(name) for name in ("executionArn", "stateMachineArn", "name", "status", "input")}
    return {**words, **times, "error": execution.get("error"), "cause": execution.get("cause")}
