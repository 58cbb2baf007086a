"""Goals 3, 4 and 7: what a job asks of AWS, how large the packages are, whether it grows with the jobs there are."""

import dataclasses
import json
from collections.abc import Mapping
from statistics import median
from typing import Any, Final
from zipfile import ZipFile

from lambdas.adapters.job_items import to_row
from lambdas.stages.catalogue import ORDINARY
from laptop.bench import prices, transitions
from laptop.bench.designs import NAIVE_TRANSITIONS
from laptop.bench.goals import Finding
from laptop.bench.images import Say
from laptop.bench.in_memory import InMemory, deployed, table_in_template
from laptop.bench.processor import spent_by
from laptop.places import ROOT
from stacks import bundling

MAX_TRANSITIONS: Final = 9
MAX_WRITES_BESIDE_STAGES: Final = 3
STAGE_PACKAGE_MB: Final = 10.0
API_PACKAGE_MB: Final = 3.0
MB: Final = 1_000_000
SIZES: Final = (10, 100, 1_000)
"""Jobs in the table."""
SAMPLE: Final = 8
"""Jobs that are run at each size."""
FLAT: Final = 1.25
"""A thousand jobs against ten: what a quarter more or less says is the machine's noise."""
_WRITES: Final = ("DynamoDB.PutItem", "DynamoDB.UpdateItem")


def requests_of_a_job(memory: InMemory, job_id: str) -> dict[str, int]:
    """Count what one ordinary job asks of AWS, from its message to its end."""
    memory.requests.clear()
    memory.start(job_id)
    memory.run(job_id)
    return dict(sorted(memory.requests.items()))


def row_writes(requests: Mapping[str, int]) -> int:
    """Count the writes of rows among requests."""
    return sum(requests.get(name, 0) for name in _WRITES)


def findings(image: bytes, say: Say) -> tuple[list[Finding], dict[str, Any]]:
    """Count and compare; the facts are the requests by service, the arithmetic of skipping, and the series."""
    with deployed(table_in_template()) as memory:
        memory.upload(image)
        say("requests of one job")
        requests = requests_of_a_job(memory, "counted")
        skipped = _skipping(memory)
        found = [*_counts(requests), _price(requests, skipped["rowKb"]), *_packages()]
        growth, series = _growth(memory, say)
    facts = {"requestsPerJob": requests, "skipping": skipped, "jobsSeries": series}
    return found + growth, facts


def _counts(requests: Mapping[str, int]) -> list[Finding]:
    entered = transitions.when_all_goes_well(transitions.definition())
    limit = 2 * len(ORDINARY) + MAX_WRITES_BESIDE_STAGES
    asked = ", ".join(f"{name} {count}" for name, count in requests.items())
    return [
        Finding(
            goal=3,
            name="state transitions of an ordinary job",
            value=len(entered),
            limit=MAX_TRANSITIONS,
            unit="transitions",
            peer=f"naive {NAIVE_TRANSITIONS}: status, cancel and choice states around each stage",
        ),
        Finding(
            goal=3,
            name="row writes of an ordinary job",
            value=row_writes(requests),
            limit=limit,
            unit="writes",
            peer="two a stage, and three",
        ),
        Finding(
            goal=3,
            name="requests to AWS of an ordinary job",
            value=sum(requests.values()),
            limit=None,
            unit="requests",
            peer=asked,
        ),
    ]


def _price(requests: Mapping[str, int], row_kb: float) -> Finding:
    entered = len(transitions.when_all_goes_well(transitions.definition()))
    functions = len(ORDINARY) + 1

    def price(count: int) -> float:
        return 1_000 * prices.of_job(transitions=count, functions=functions, requests=requests, row_kb=row_kb)

    return Finding(
        goal=3,
        name=f"1,000 jobs in {prices.REGION}, prices of {prices.AS_OF}",
        value=price(entered),
        limit=None,
        unit="USD",
        peer=f"without the functions' time; with the naive {NAIVE_TRANSITIONS} transitions "
        f"{price(NAIVE_TRANSITIONS):.2f}",
    )


def _skipping(memory: InMemory) -> dict[str, float]:
    """Price a stage that is not asked for: its row as it is after a whole job, and a warm invocation."""
    row_kb = _row_bytes(memory) / 1024
    compared = prices.skipping(memory_mb=512, milliseconds=15, row_kb=row_kb)
    return {
        "rowKb": round(row_kb, 1),
        "choiceUsdPerMillion": round(compared.choice * 1e6, 2),
        "invocationUsdPerMillion": round(compared.refused_invocation * 1e6, 2),
        "choiceIsCheaperBelowShare": round(compared.break_even, 3),
    }


def _row_bytes(memory: InMemory) -> int:
    """About what DynamoDB counts: names and values."""
    return len(json.dumps(to_row(memory.job("counted")), default=str))


def _packages() -> list[Finding]:
    for_aws = bundling.pack(ROOT, bundling.managed("python3.13", "arm64"))
    return [
        _package("stages", for_aws.stages, STAGE_PACKAGE_MB),
        _package("API", for_aws.api, API_PACKAGE_MB),
    ]


def _package(name: str, package: bundling.Package, limit: float) -> Finding:
    with ZipFile(package.path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    return Finding(
        goal=4,
        name=f"package of the {name}, zipped",
        value=package.path.stat().st_size / MB,
        limit=limit,
        unit="MB",
        peer=f"unpacked {unpacked / MB:.1f} MB",
    )


def _growth(memory: InMemory, say: Say) -> tuple[list[Finding], list[dict[str, float]]]:
    """Run a few jobs in a table of ever more others, which are over."""
    memory.start("model")
    memory.run("model")
    model = memory.job("model")
    series = []
    present = 0
    for size in SIZES:
        say(f"{size} jobs in the table")
        for number in range(present, size):
            memory.table.put_new(dataclasses.replace(model, job_id=f"other-{number}"))
        present = size
        series.append({"jobs": size, **_sample(memory, size)})
    first, last = series[0], series[-1]
    return [
        Finding(
            goal=7,
            name=f"processor time of a job's handlers, {SIZES[-1]:,} jobs against {SIZES[0]}",
            value=last["cpuMs"] / first["cpuMs"],
            limit=FLAT,
            unit="times",
            peer=", ".join(f"{point['jobs']:,}: {point['cpuMs']:.0f} ms" for point in series),
        ),
        Finding(
            goal=7,
            name=f"row writes of a job, {SIZES[-1]:,} jobs against {SIZES[0]}",
            value=last["writes"] / first["writes"],
            limit=1.0,
            unit="times",
            peer=", ".join(f"{point['jobs']:,}: {point['writes']:g}" for point in series),
        ),
        Finding(
            goal=7,
            name="scans of the table",
            value=sum(point["scans"] for point in series),
            limit=0,
            unit="scans",
        ),
    ], series


def _sample(memory: InMemory, size: int) -> dict[str, float]:
    """Median of some jobs' time, and their writes: measured with the AWS in memory, which is most of it."""
    times, writes, scans = [], [], 0
    for number in range(SAMPLE):
        job_id = f"sample-{size}-{number}"
        requests, spent = spent_by(lambda: requests_of_a_job(memory, job_id))  # noqa: B023 - called at once
        times.append(spent.total)
        writes.append(row_writes(requests))
        scans += requests.get("DynamoDB.Scan", 0)
    return {"cpuMs": round(median(times), 1), "writes": median(writes), "scans": scans}
