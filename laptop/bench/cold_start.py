"""Goal 2: what a function's cold start costs, in starts of a function that does nothing.

The real package under AWS's real runtime client, in a fresh process, as the laptop deploys it. Two things are measured:
the initialisation, until the function asks for its first event; and all of it, until it has answered that event. The
second is what is judged: a job waits and pays for it, and it has the clients, their connections, and Pillow, which a
stage imports at first use.
"""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import boto3
from PIL import Image

from lambdas.adapters.job_items import marshal, to_row
from lambdas.config import Variable
from lambdas.jobs.model import Attempt, Job, StageRecord
from lambdas.jobs.status import StageStatus, Status
from lambdas.stages.catalogue import ORDINARY
from laptop.bench.answering_aws import AnsweringAws
from laptop.bench.goals import Finding, median_ratio
from laptop.bench.images import Say
from laptop.bench.pipeline import DEFAULTS, run_all
from laptop.bench.processor import of_child
from laptop.bench.runtime_api import RuntimeApi
from laptop.places import ROOT
from stacks import bundling

ROUNDS: Final = 7
STAGE_LIMIT: Final = 2.5
OTHER_LIMIT: Final = 7.0
NOTHING: Final = "nothing"
_RUNTIME_CLIENT: Final = ("awslambdaric", "simplejson", "snapshot_restore_py", "runtime_client", "typing_extensions")
_ATTEMPT: Final = Attempt(owner="0b5c8d0e-7a1f-4a52-9d1c-2f6f3f1d7c11", job_id="bench")


@dataclass(frozen=True, kw_only=True)
class Function:
    """One to start: where its package is unpacked, its handler, and the event that it answers first."""

    name: str
    folder: Path
    handler: str
    event: Mapping[str, Any]
    environment: Mapping[str, str]
    limit: float | None


@dataclass(frozen=True)
class Start:
    """Processor time of one cold start, in milliseconds."""

    init: float
    whole: float

    def between(self, other: "Start") -> "Start":
        """The mean of two: what a start in between would have taken, on a machine that changes its speed."""
        return Start((self.init + other.init) / 2, (self.whole + other.whole) / 2)


def findings(say: Say, rounds: int = ROUNDS) -> list[Finding]:
    """Start every function cold, each between two starts of the one that does nothing."""
    with _functions() as (nothing, functions, aws), closing(RuntimeApi()) as runtime:
        starts: dict[str, list[Start]] = {function.name: [] for function in functions}
        units: dict[str, list[Start]] = {function.name: [] for function in functions}
        for turn in range(rounds):
            say(f"cold starts, round {turn + 1} of {rounds}")
            before = _start(nothing, runtime, aws)
            for function in functions:
                starts[function.name].append(_start(function, runtime, aws))
                after = _start(nothing, runtime, aws)
                units[function.name].append(before.between(after))
                before = after
    return [_finding(function, starts[function.name], units[function.name]) for function in functions]


def _finding(function: Function, starts: list[Start], units: list[Start]) -> Finding:
    whole = median_ratio([start.whole for start in starts], [unit.whole for unit in units])
    init = median_ratio([start.init for start in starts], [unit.init for unit in units])
    return Finding(
        goal=2,
        name=f"cold start {function.name}, to its first answer",
        value=whole,
        limit=function.limit,
        unit="starts",
        peer=f"until it is initialised {init:.2f}; a function that does nothing "
        f"{median(unit.whole for unit in units):.0f} ms",
    )


def _start(function: Function, runtime: RuntimeApi, aws: AnsweringAws) -> Start:
    """Start it twice: the processor time of a process is known exactly only when it has ended."""
    init = _run(function, runtime, aws, answer=False)
    return Start(init, _run(function, runtime, aws, answer=True))


def _run(function: Function, runtime: RuntimeApi, aws: AnsweringAws, *, answer: bool) -> float:
    process = subprocess.Popen(  # noqa: S603 - our own package
        [str(function.folder / "bootstrap")],
        cwd=function.folder,
        env=_environment(function, runtime, aws),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        runtime.wait_until_asked()
        if answer:
            runtime.answer_to(function.event)
            runtime.wait_until_asked()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        usage = os.wait4(process.pid, 0)[2]
        process.returncode = -signal.SIGKILL
    runtime.forget()
    return of_child(usage)


def _environment(function: Function, runtime: RuntimeApi, aws: AnsweringAws) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(function.folder),
        "AWS_LAMBDA_RUNTIME_API": runtime.address,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_SESSION_TOKEN": "bench",
        "AWS_ENDPOINT_URL": aws.endpoint,
        "POWERTOOLS_SERVICE_NAME": "darkroom",
        Variable.JOB_TABLE: "jobs",
        Variable.IMAGE_BUCKET: "images",
        Variable.STATE_MACHINE_ARN: "arn:aws:states:eu-central-1:000000000000:stateMachine:m",
        Variable.DEAD_LETTER_QUEUE_URL: f"{aws.endpoint}/000000000000/letters",
        Variable.JOB_QUEUE_URL: f"{aws.endpoint}/000000000000/jobs",
        Variable.INTAKE_DEAD_LETTER_QUEUE_URL: f"{aws.endpoint}/000000000000/intake",
        Variable.RETENTION_DAYS: "30",
        Variable.PATIENCE_SECONDS: "300",
        Variable.MAX_UPLOAD_BYTES: "1000000",
        **function.environment,
    }


@contextmanager
def _functions() -> Iterator[tuple[Function, list[Function], AnsweringAws]]:
    """Unpack the packages that the laptop deploys: the unit, all others, and an AWS for them."""
    packages = bundling.pack(ROOT, bundling.host())
    image = _tiny_image()
    with tempfile.TemporaryDirectory() as folder, closing(AnsweringAws(_row(image), image)) as aws:
        place = Path(folder)
        for name, package in (("api", packages.api), ("stages", packages.stages)):
            with zipfile.ZipFile(package.path) as archive:
                archive.extractall(place / name)
            (place / name / "bootstrap").chmod(0o755)
        nothing = _nothing(place)
        others = [*_peers(nothing, place / "stages"), *_stages(place / "stages"), *_others(place / "api")]
        yield nothing, others, aws


def _nothing(place: Path) -> Function:
    """The unit: the same runtime client, and nothing else in the package."""
    folder = place / NOTHING
    folder.mkdir()
    for item in (place / "api").iterdir():
        if item.name.startswith(_RUNTIME_CLIENT):
            (shutil.copytree if item.is_dir() else shutil.copy)(item, folder / item.name)
    shutil.copytree(place / "api" / "__pycache__", folder / "__pycache__")
    shutil.copy(place / "api" / "bootstrap", folder / "bootstrap")
    (folder / "nothing.py").write_text("def handler(event, context):\n    return event\n")
    python = re.search(r'exec "([^"]+)"', (folder / "bootstrap").read_text())
    if python is None:
        raise bundling.BundlingError("The bootstrap does not say which Python runs the functions.")
    subprocess.run([python[1], "-m", "compileall", "-q", str(folder / "nothing.py")], check=True)  # noqa: S603
    return Function(name=NOTHING, folder=folder, handler="nothing.handler", event={}, environment={}, limit=None)


PEERS: Final = {
    "http.client": "import http.client",
    "http.client and Pillow": "import http.client, PIL.Image, PIL.JpegImagePlugin",
    "boto3 and Pillow, two clients": "import boto3, PIL.Image, PIL.JpegImagePlugin\n"
    "boto3.client('dynamodb'), boto3.client('s3')",
}
"""Functions that only import: what a stage cannot do without, and what it did before."""
_SDK: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
_SDK_DATA: Final = frozenset({"dynamodb", "s3"})


def _peers(nothing: Function, stages: Path) -> list[Function]:
    """The function that does nothing, with the libraries beside it and one import more."""
    folder = nothing.folder.with_name("peers")
    shutil.copytree(nothing.folder, folder)
    libraries = Path(boto3.__file__).parent.parent
    for source in [stages / "PIL", stages / "pillow.libs", *(libraries / name for name in _SDK)]:
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=_other_services)
        else:
            shutil.copy2(source, folder / source.name)
    peers = []
    for number, (name, program) in enumerate(PEERS.items()):
        (folder / f"peer_{number}.py").write_text(f"{program}\n\n\ndef handler(event, context):\n    return event\n")
        peers.append(
            Function(
                name=f"of a function with {name}",
                folder=folder,
                handler=f"peer_{number}.handler",
                event={},
                environment={},
                limit=None,
            )
        )
    return peers


def _other_services(folder: str, names: list[str]) -> set[str]:
    """Leave out what the bundler left out when the SDK was bundled."""
    return set(names) - _SDK_DATA - _files_in(folder) if folder.endswith("/botocore/data") else set()


def _files_in(folder: str) -> set[str]:
    return {entry.name for entry in Path(folder).iterdir() if entry.is_file()}


def _stages(folder: Path) -> list[Function]:
    return [
        Function(
            name=stage.name,
            folder=folder,
            handler="lambdas.handlers.run_stage.handler",
            event=_ATTEMPT.payload(),
            environment={Variable.STAGE: stage.name},
            limit=STAGE_LIMIT,
        )
        for stage in ORDINARY
    ]


def _others(folder: Path) -> list[Function]:
    message = {
        "messageId": "bench",
        "receiptHandle": "bench",
        "body": json.dumps({"imageId": "image"}),
        "attributes": {"SentTimestamp": "1764000000000"},
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"}
            for name, value in {"schemaVersion": "1", "owner": _ATTEMPT.owner, "jobId": _ATTEMPT.job_id}.items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:jobs",
        "awsRegion": "eu-central-1",
    }
    request = {
        "resource": "/jobs/{jobId}",
        "path": f"/jobs/{_ATTEMPT.job_id}",
        "httpMethod": "GET",
        "headers": {"Host": "api"},
        "queryStringParameters": None,
        "pathParameters": {"jobId": _ATTEMPT.job_id},
        "requestContext": {
            "authorizer": {"claims": {"sub": _ATTEMPT.owner}},
            "requestTimeEpoch": 1764000000000,
            "requestId": "bench",
            "stage": "v1",
            "path": f"/v1/jobs/{_ATTEMPT.job_id}",
        },
        "body": None,
        "isBase64Encoded": False,
    }
    events: dict[str, Mapping[str, Any]] = {"api": request, "start_execution": {"Records": [message]}}
    return [
        Function(
            name=name,
            folder=folder,
            handler=f"lambdas.handlers.{name}.handler",
            event=event,
            environment={},
            limit=OTHER_LIMIT,
        )
        for name, event in events.items()
    ]


def _tiny_image() -> bytes:
    """So small that the analysis of it costs nothing: the start is to be measured."""
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 50).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def _row(image: bytes) -> dict[str, Any]:
    """A job at which every stage may begin, with what the stages before it have found."""
    results = {name: output.result for name, output in run_all(image).outputs.items()}
    stages = {
        stage.name: StageRecord(
            weight=stage.weight,
            status=StageStatus.DONE,
            result=results[stage.name],
            folder=stage.name,
            finished_at="2026-01-01T00:00:00.000Z",
        )
        for stage in ORDINARY
    }
    job = Job(
        owner=_ATTEMPT.owner,
        job_id=_ATTEMPT.job_id,
        status=Status.RUNNING,
        attempt=_ATTEMPT.number,
        image_id="image",
        analyses=[stage.name for stage in ORDINARY if stage.optional],
        options=DEFAULTS,
        tags={},
        stages=stages,
        created_at="2026-01-01T00:00:00.000Z",
        updated_at="2026-01-01T00:00:00.000Z",
        expires_at=4102444800,
    )
    return marshal(to_row(job))
