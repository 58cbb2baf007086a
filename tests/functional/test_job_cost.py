"""What a job says that it has cost, against what its handlers have asked of AWS: counted beside them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.adapters.job_items import marshal, to_row
from lambdas.adapters.metering import item_bytes, meter
from lambdas.handlers import clean_up, costing, settle_failed, start_execution
from lambdas.jobs.cost import ACCEPTING, ENDING, EVENTS, FLOW, Cost, Spent
from lambdas.jobs.errors import InvalidImage, TransientError
from lambdas.jobs.model import Job
from lambdas.jobs.prices import PRICES, Charge
from lambdas.jobs.status import Status
from lambdas.stages.catalogue import BY_NAME, ORDINARY
from laptop.bench import designs, transitions
from laptop.bench.counts import requests_of_a_job
from laptop.bench.in_memory import InMemory, deployed
from tests.functional.conftest import OWNER, Aws
from tests.functional.messages import batch, message
from tests.functional.runner import ATTEMPT, TIME, Runner, make_working_copy


@pytest.fixture
def memory(job_table_definition: dict[str, Any], photos: Path) -> Iterator[InMemory]:
    with deployed(job_table_definition) as memory:
        memory.upload((photos / "freespace.jpg").read_bytes())
        yield memory


@pytest.fixture
def queued(aws: Aws) -> Aws:
    aws.upload("image-1", b"the image")
    start_execution.handler(batch(message()), None)
    return aws


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


def count(cost: Cost | None, charge: Charge) -> float:
    assert cost is not None
    return cost.usage.get(charge, (0, 0))[0]


def cost_of(job: Job) -> Cost:
    assert job.cost is not None
    return job.cost


def test_ordinary_job_costs_what_its_handlers_have_asked_for(memory: InMemory) -> None:
    requests = requests_of_a_job(memory, "job-1")
    cost = memory.job("job-1").cost
    assert count(cost, Charge.TRANSITIONS) == len(transitions.when_all_goes_well(transitions.definition()))
    # Its stages, the starter, and one for each change that is told of.
    assert count(cost, Charge.INVOCATIONS) == len(ORDINARY) + 1 + memory.job("job-1").version
    assert count(cost, Charge.OBJECT_READS) == requests["S3.GetObject"]
    assert count(cost, Charge.OBJECT_WRITES) == requests["S3.PutObject"]
    assert count(cost, Charge.BUS_EVENTS) == memory.job("job-1").version
    assert count(cost, Charge.RECOGNITIONS) == 0


def test_bill_of_the_docs_is_that_of_an_ordinary_job(memory: InMemory) -> None:
    requests_of_a_job(memory, "job-1")
    told = {charge: amount for charge, (amount, _) in cost_of(memory.job("job-1")).usage.items()}
    seconds = told.pop(Charge.GB_SECONDS)
    assert seconds > 0
    # The analyses are run one after another here, so more of their writes find the row at its full size; and one that
    # takes more than a second, on a busy machine, tells of its progress.
    assert told == pytest.approx(dict(designs.DARKROOM), rel=0.2)


def test_cost_takes_no_request_and_no_write_of_its_own(memory: InMemory) -> None:
    requests = requests_of_a_job(memory, "job-1")
    assert requests["DynamoDB.UpdateItem"] + requests["DynamoDB.PutItem"] == memory.job("job-1").version
    assert not requests.keys() & {"DynamoDB.GetItem", "StepFunctions.GetExecutionHistory"}


def test_parts_and_charges_add_up_to_the_same(memory: InMemory) -> None:
    requests_of_a_job(memory, "job-1")
    cost = cost_of(memory.job("job-1"))
    assert sum(usd for _, usd in cost.usage.values()) == pytest.approx(cost.usd, abs=1e-8)
    assert {ACCEPTING, FLOW, ENDING, EVENTS} | {stage.name for stage in ORDINARY} == cost.parts.keys()
    for charge, (amount, usd) in cost.usage.items():
        assert usd == pytest.approx(PRICES[charge].usd * amount, abs=1e-9)


def test_writes_are_priced_by_the_size_that_the_row_has_at_each(queued: Aws, runner: Runner) -> None:
    run_to_the_end(runner)
    rows = [record["dynamodb"]["NewImage"] for record in queued.stream()]
    written = sum(-(-item_bytes(row) // 1024) for row in rows)
    job = queued.job("job-1")
    told = job.version  # a unit of the log for each event
    moves = 3 + 2 + 2 + 1  # into three indexes, to RUNNING, to SUCCEEDED, out of the list of what is due
    assert count(job.cost, Charge.TABLE_WRITES) - told - moves == pytest.approx(written, abs=3)


def test_stage_that_is_tried_again_pays_for_every_try(queued: Aws, runner: Runner) -> None:
    def fail(_: Any) -> Any:
        raise TransientError("not now")

    for retries in range(2):
        with pytest.raises(TransientError):
            runner.run("inspect", fail, retries=retries)
    run_to_the_end(runner, retries=2)

    job = queued.job("job-1")
    assert job.stages["inspect"].spent.told == job.stages["inspect"].tries == 3
    usual = len(transitions.when_all_goes_well(transitions.definition()))
    assert count(job.cost, Charge.TRANSITIONS) == usual + 2
    assert count(job.cost, Charge.INVOCATIONS) == len(ORDINARY) + 2 + 1 + job.version
    assert count(job.cost, Charge.OBJECT_READS) == len(ORDINARY) + 2


def test_retries_for_which_lambda_had_no_room_are_transitions_and_no_invocations(queued: Aws, runner: Runner) -> None:
    run_to_the_end(runner, retries=5)
    usual = len(transitions.when_all_goes_well(transitions.definition()))
    cost = queued.job("job-1").cost
    assert count(cost, Charge.TRANSITIONS) == usual + 5
    assert count(cost, Charge.INVOCATIONS) == len(ORDINARY) + 1 + queued.job("job-1").version


def test_try_that_dies_without_a_word_is_priced_at_the_time_that_it_may_take(queued: Aws, runner: Runner) -> None:
    queued.table.begin_stage(ATTEMPT, "inspect", token="dies", now="2026-11-24T12:00:00.000Z")
    run_to_the_end(runner, retries=1)
    job = queued.job("job-1")
    stage = BY_NAME["inspect"]
    least = stage.memory_mb / 1024 * stage.timeout_seconds * PRICES[Charge.GB_SECONDS].usd
    assert (job.stages["inspect"].tries, job.stages["inspect"].spent.told) == (2, 1)
    assert cost_of(job).parts["inspect"] >= least


def test_failed_job_pays_for_its_end_and_for_nothing_that_it_did_not_come_to(queued: Aws, runner: Runner) -> None:
    def refuse(_: Any) -> Any:
        raise InvalidImage("no image")

    with pytest.raises(InvalidImage):
        runner.run("inspect", refuse)
    settle_failed.handler(failing("inspect"), None)

    job = queued.job("job-1")
    assert job.status is Status.FAILED
    # Inspect; then SettleFailed, DeadLetter, LetterSent, Failed.
    assert count(job.cost, Charge.TRANSITIONS) == 5
    assert cost_of(job).parts.keys() == {ACCEPTING, "inspect", ENDING, EVENTS, FLOW}
    assert count(job.cost, Charge.QUEUE_REQUESTS) == 1


def test_job_for_which_lambda_never_had_room_pays_for_every_time_that_it_was_tried(queued: Aws) -> None:
    settle_failed.handler(failing("inspect") | {"retries": 30}, None)

    cost = queued.job("job-1").cost
    assert count(cost, Charge.TRANSITIONS) == 31 + 4


def test_redriven_job_costs_what_all_its_attempts_do(queued: Aws, runner: Runner) -> None:
    runner.run("inspect", make_working_copy)
    for name in ("palette", "quality", "fingerprint"):
        runner.run(name)
    settle_failed.handler(failing("analyse"), None)
    first = cost_of(queued.job("job-1"))
    # Inspect, Analyse and its four branches, the end of the one that gave up, and four to settle it.
    assert count(first, Charge.TRANSITIONS) == 1 + 1 + 4 + 1 + 4

    redriven = queued.table.redrive(
        queued.job("job-1"), deadline_at=None, due_at="2026-11-24T13:00:00.000Z", everything=False, now="2026-11-24"
    )
    run_to_the_end(runner, attempt=redriven.current)

    job = queued.job("job-1")
    usual = len(transitions.when_all_goes_well(transitions.definition()))
    assert job.status is Status.SUCCEEDED
    assert count(job.cost, Charge.TRANSITIONS) == count(first, Charge.TRANSITIONS) + usual
    assert count(job.cost, Charge.BUS_EVENTS) == job.version
    # What was done by then is asked whether there is anything to do, and nothing else.
    returning = cost_of(job).parts["palette"] - first.parts["palette"]
    stage = BY_NAME["palette"]
    most = stage.memory_mb / 1024 * costing.AT_ONCE_MS / 1000 * PRICES[Charge.GB_SECONDS].usd + 10 * 0.625e-6
    assert returning <= PRICES[Charge.TRANSITIONS].usd + PRICES[Charge.INVOCATIONS].usd + most


def test_cancelled_job_pays_for_its_clean_up(queued: Aws, runner: Runner) -> None:
    runner.run("inspect", make_working_copy)
    queued.cancel("job-1")
    clean_up.handler(ATTEMPT.payload(), TIME)
    job = queued.job("job-1")
    assert job.status is Status.CANCELLED
    # Inspect, Analyse and its branches, the end of the first that saw the cancel; CleanUp, Cancelled.
    assert count(job.cost, Charge.TRANSITIONS) == 1 + 1 + 4 + 1 + 2
    assert count(job.cost, Charge.OBJECT_WRITES) == 2  # the working copy, and the look for what is left


def test_job_that_is_cancelled_before_it_starts_costs_no_transition(aws: Aws) -> None:
    aws.table.note_early_cancel(OWNER, "job-1", now="2026-11-24T12:00:00.000Z", expires_at=4_000_000_000)
    start_execution.handler(batch(message()), None)
    job = aws.job("job-1")
    assert job.status is Status.CANCELLED
    assert count(job.cost, Charge.TRANSITIONS) == 0
    assert count(job.cost, Charge.API_REQUESTS) == 1


def test_job_that_cannot_be_started_has_a_cost(aws: Aws) -> None:
    start_execution.handler(batch(message("[]")), None)
    job = aws.job("job-1")
    assert job.status is Status.FAILED
    assert cost_of(job).usd > 0
    assert count(job.cost, Charge.TRANSITIONS) == 0


def test_row_keeps_a_cost_as_it_was_when_the_job_ended(queued: Aws, runner: Runner) -> None:
    run_to_the_end(runner)
    job = queued.job("job-1")
    assert Cost.read(cost_of(job).text()) == job.cost
    assert marshal(to_row(job))["cost"] == {"S": cost_of(job).text()}


def test_meter_tells_a_try_and_not_the_one_before(queued: Aws, runner: Runner) -> None:
    runner.run("inspect", make_working_copy)
    before = meter.spent(writing_bytes=0)
    meter.start()
    assert before.object_writes == 1
    assert meter.spent(writing_bytes=0) == Spent(told=1, milliseconds=meter.elapsed_ms, table_writes=1)


def run_to_the_end(runner: Runner, *, retries: int = 0, attempt: Any = ATTEMPT) -> None:
    """Run the ordinary stages in their order; the first of them as one that was retried so often."""
    for stage in ORDINARY:
        first = stage is ORDINARY[0]
        runner.run(stage.name, make_working_copy if first else None, attempt=attempt, retries=retries if first else 0)


def failing(stage: str) -> dict[str, Any]:
    """What the state machine hands to SettleFailed."""
    return ATTEMPT.payload() | {"stage": stage, "errorClass": "UnexpectedError", "cause": "{}", "executionArn": "arn"}
