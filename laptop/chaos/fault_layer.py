"""Runs a function of the laptop with faults in it: `fault_layer.py HANDLER`, in place of AWS's runtime client.

A program of its own, under the function's bare Python, with nothing on its path but the function's package. Which fault
hits which job where is in the plan, made up front; here it is only looked up, and written down when it happens. What is
deployed knows nothing of this: it is wrapped from outside, at its adapters and at the network's edge.
"""

import functools
import importlib
import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn, cast

FOLDER: Final = "DARKROOM_FAULTS"
"""Names the variable that names the folder of the plan, of the log, and of the notes of what is used up."""
HURRY: Final = "hurry"
"""Names a file in it that says by how many seconds the reconciler is to be early."""
JOB_ID: Final = re.compile(r"chaos-\d+-\w+")
SPARE_BYTES: Final = 256 * 1024 * 1024
"""What a function that is to run out of memory may take beyond what it has."""
PIECE_BYTES: Final = 16 * 1024 * 1024
FUNCTION: Final = os.getpid()
"""The function's own process. A stage that decodes foreign bytes works in a child of it (`containment.py`)."""

Fault = Mapping[str, Any]


class Layer:
    """What is planned for this function, and which job it is at work on."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self._place = place
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        for fault in json.loads((folder / "plan.json").read_text())["faults"]:
            if place in fault["places"]:
                self._faults.setdefault((fault["job"], fault["kind"]), []).append(fault)
        self.job = ""
        """The last one that was named in an event or in a call of AWS."""

    @property
    def is_stage(self) -> bool:
        """Whether this function is a stage: those have points of their own at which they die."""
        return "STAGE" in os.environ

    @property
    def hurry(self) -> float:
        """Seconds by which the reconciler's clock is ahead, so that nobody has to wait for what it waits for."""
        file = self._folder / HURRY
        return float(file.read_text()) if self._place == "reconcile" and file.exists() else 0.0

    def take(self, kind: str, **wanted: object) -> Fault | None:
        """Return a fault that is planned for the job here and now, written down; None when there is none."""
        for fault in self._faults.get((self.job, kind), ()):
            if all(fault.get(name) in (None, value) for name, value in wanted.items()) and self._claim(fault):
                self._note(fault)
                return fault
        return None

    def _claim(self, fault: Fault) -> bool:
        """Use the fault up by one time, among all processes; tell whether one was left."""
        for time_of_it in range(fault["times"]):
            try:
                (self._folder / "used" / f"{fault['id']}-{time_of_it}").open("x").close()
            except FileExistsError:
                continue
            return True
        return False

    def _note(self, fault: Fault) -> None:
        line = {"at": time.time(), "kind": fault["kind"], "job": self.job, "place": self._place, "fault": fault["id"]}
        log = os.open(self._folder / "faults.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(log, json.dumps(line).encode() + b"\n")
        os.close(log)


def die() -> NoReturn:
    """End the function as the kernel ends a process: at once, and without a word.

    Were it only the child that a stage works in, the function would live and judge the image by the child's end.
    """
    if os.getppid() == FUNCTION:
        os.kill(FUNCTION, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing outlives SIGKILL")


def pause(seconds: float) -> None:
    """Stand still, as a frozen process does; a child wakes this one up."""
    frozen, waker = os.getpid(), os.fork()
    if waker == 0:
        # Not before it stands still: a process that is woken while it is awake would sleep for ever.
        while _state_of(frozen) != "T":
            time.sleep(0.01)
        time.sleep(seconds)
        os.kill(frozen, signal.SIGCONT)
        os._exit(0)
    os.kill(frozen, signal.SIGSTOP)
    os.waitpid(waker, 0)


def live_on(seconds: float) -> None:
    """Die for everybody who waits, and go on unseen some time later: the writer that comes when its try is given up."""
    if os.fork():
        die()
    time.sleep(seconds)


def run_out_of_memory() -> NoReturn:
    """Take memory until there is none, then end as the kernel's reaper ends a process."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)  # a contained stage may not have it raised
    limit = taken + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))
    pieces = []
    try:
        while True:
            pieces.append(bytearray(PIECE_BYTES))
    except MemoryError:
        die()


def _state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def spoil_stages(layer: Layer) -> None:
    """Let stages die, stall and fail: at the two writes that they begin and end with, and in their work."""
    table = importlib.import_module("lambdas.adapters.job_table").JobTable
    catalogue = importlib.import_module("lambdas.stages.catalogue")
    errors = importlib.import_module("lambdas.jobs.errors")
    begin, end, load = table.begin_stage, table.end_stage, catalogue.Stage.load

    @functools.wraps(begin)
    def begin_stage(self: Any, attempt: Any, stage: str, **values: Any) -> Any:
        layer.job = attempt.job_id
        job = begin(self, attempt, stage, **values)
        if layer.take("kill-before-work"):
            die()
        return job

    @functools.wraps(end)
    def end_stage(self: Any, attempt: Any, stage: str, **values: Any) -> Any:
        if layer.take("kill-after-work"):
            die()
        if fault := layer.take("pause"):
            pause(fault["seconds"])
        if fault := layer.take("late-writer"):
            live_on(fault["seconds"])
        job = end(self, attempt, stage, **values)
        _spoil_objects(layer, attempt, values["folder"])
        if layer.take("kill-after-write"):
            die()
        return job

    def run(module: Any, stage_input: Any) -> Any:
        _fail(layer, errors)
        checkpoint = stage_input.checkpoint

        def checkpoint_and_die(fraction: float) -> None:
            checkpoint(fraction)
            if layer.take("kill-mid-work"):
                die()

        return module.run(importlib.import_module("dataclasses").replace(stage_input, checkpoint=checkpoint_and_die))

    class Spoiled:
        """A stage's module, with faults in its work."""

        def __init__(self, module: Any) -> None:
            self.run = functools.partial(run, module)

    table.begin_stage, table.end_stage = begin_stage, end_stage
    catalogue.Stage.load = lambda stage: Spoiled(load(stage))


def _fail(layer: Layer, errors: Any) -> None:
    if fault := layer.take("hang"):
        time.sleep(fault["seconds"])
    if layer.take("out-of-memory"):
        run_out_of_memory()
    if layer.take("transient"):
        raise errors.TransientError("Something that passes was not there for a moment.")
    if layer.take("unknown-error"):
        raise ZeroDivisionError("nobody has thought of this")
    if layer.take("dies-for-ever"):
        die()
    if layer.take("fails-for-ever"):
        raise ArithmeticError("this will never work")


def _spoil_objects(layer: Layer, attempt: Any, folder: str) -> None:
    """Take away or replace the working copy, just after the row has come to promise it."""
    place = os.environ["IMAGE_BUCKET"], f"jobs/{attempt.owner}/{attempt.job_id}/{folder}/working-copy.jpg"
    store = importlib.import_module("lambdas.adapters.clients").client("s3")
    if layer.take("object-deleted"):
        store.delete_object(*place)
    if layer.take("object-replaced"):
        store.put_object(*place, b"something else", "image/jpeg")


class Call:
    """A request to AWS, as far as faults look at it."""

    def __init__(self, request: Any) -> None:
        target = request.headers.get("x-amz-target", "")
        host, _, self.operation = target.partition(".")
        self.service = next((name for prefix, name in _SERVICES.items() if host.startswith(prefix)), "s3")
        body = request.body[:100_000].decode(errors="replace") if target else ""
        found = JOB_ID.findall(f"{request.url} {body}")
        self.job = found[0] if found else None

    @property
    def writes(self) -> bool:
        """Whether something is different after it."""
        return self.operation in {"PutItem", "UpdateItem", "StartExecution", "SendMessage"}


_SERVICES: Final = {"DynamoDB_": "dynamodb", "AWSStepFunctions": "start", "AmazonSQS": "sqs"}
_THROTTLES: Final = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "start": (400, "ThrottlingException"),
    "sqs": (400, "RequestThrottled"),
    "s3": (503, "SlowDown"),
}


def spoil_calls(layer: Layer) -> None:
    """Let calls of AWS be throttled, refused, or lose their answer; and let the function die around them."""
    wire: Any = importlib.import_module("lambdas.adapters.wire")
    send = wire.transmit

    @functools.wraps(send)
    def send_spoiled(request: Any) -> Any:
        call = Call(request)
        layer.job = call.job or layer.job
        if refused := _refusal(layer, call):
            return wire.Response(status=refused[0], headers={}, body=_error(request, refused[1]))
        if _dies(layer, call, "before"):
            die()
        answer = send(request)
        if _dies(layer, call, "after"):
            die()
        if call.writes and layer.take("reply-lost", service=call.service):
            raise wire.UnreachedError("ReadTimeout")
        return answer

    wire.transmit = send_spoiled


def _refusal(layer: Layer, call: Call) -> tuple[int, str] | None:
    """What AWS would answer instead of doing it; None when it is done."""
    is_meant = call.service != "start" or call.operation == "StartExecution"
    if is_meant and layer.take(f"throttled-{call.service}"):
        return _THROTTLES[call.service]
    if call.service == "s3" and layer.take("access-denied"):
        return 403, "AccessDenied"
    if call.operation == "SendMessage" and layer.take("letter-not-sent"):
        return 400, "AWS.SimpleQueueService.NonExistentQueue"
    return None


def _dies(layer: Layer, call: Call, when: str) -> bool:
    """Tell whether the function dies here; stages have points of their own for that."""
    if call.operation == "StartExecution":
        kind = "crash-between-row-and-start" if when == "before" else "crash-after-start"
        if layer.take(kind):
            return True
    if layer.is_stage or not call.writes:
        return False
    other = "kill-before-work" if when == "before" else "kill-after-write"
    return (layer.take(other) or layer.take("reconciler-dies", when=when)) is not None


def _error(request: Any, code: str) -> bytes:
    """Write an error as the service would."""
    if "x-amz-target" in request.headers:
        return json.dumps({"__type": code, "message": "A fault that was planned."}).encode()
    return f"<Error><Code>{code}</Code><Message>A fault that was planned.</Message></Error>".encode()


class Clock:
    """The present, as far off as the plan says; everything else as `datetime` has it."""

    def __init__(self) -> None:
        self.skew = timedelta()

    def now(self, zone: Any = None) -> datetime:
        """Tell the time, wrongly."""
        return datetime.now(zone) + self.skew

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


def spoil_invocations(layer: Layer) -> None:
    """Learn from each event which job it is about, and set the clock for it."""
    runtime: Any = importlib.import_module("awslambdaric.bootstrap")
    times: Any = importlib.import_module("lambdas.jobs.times")
    clock = Clock()
    times.datetime = clock
    find_handler = runtime._get_handler

    def find_spoiled_handler(name: str) -> Callable[[Any, Any], Any]:
        handler = find_handler(name)

        @functools.wraps(handler)
        def handle(event: Any, context: Any) -> Any:
            layer.job = next(_job_ids(event), "")
            skew = layer.take("clock-skew")
            clock.skew = timedelta(seconds=skew["seconds"] if skew else layer.hurry)
            return handler(event, context)

        return cast(Callable[[Any, Any], Any], handle)

    runtime._get_handler = find_spoiled_handler


def _job_ids(event: Any) -> Iterator[str]:
    return (found.group() for found in JOB_ID.finditer(json.dumps(event)))


def place_of(environment: Mapping[str, str]) -> str:
    """Name this function: a stage by its name, another by the module of its handler."""
    return environment.get("STAGE") or environment["_HANDLER"].split(".")[-2]


def main() -> None:
    """Put the faults in place, then be AWS's runtime client."""
    layer = Layer(Path(os.environ[FOLDER]), place_of(os.environ))
    spoil_invocations(layer)
    spoil_calls(layer)
    if layer.is_stage:
        spoil_stages(layer)
    importlib.import_module("awslambdaric.__main__").main(sys.argv)


if __name__ == "__main__":
    main()
