"""The API's calls for operators: how things go, and the dead letters.

To everybody else, there is nothing at these addresses. From a letter is taken which job it is about, and nothing else.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from lambdas import config
from lambdas.adapters import executions, queue_age, queues
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.letter_box import HeldLetter, LetterBox
from lambdas.handlers import letter_choice, requests
from lambdas.handlers.answering import answer, json_answer, new_app, refuse_other_media_types
from lambdas.handlers.letter_redrives import Outcome, redrive_letter
from lambdas.handlers.logs import logger
from lambdas.handlers.problems import NoSuchCallError
from lambdas.jobs.times import now

WINDOW_SECONDS: Final = 900
"""Of which executions are counted."""
MOST_LETTERS: Final = 100
READING_SECONDS: Final = 8.0
REDRIVING_SECONDS: Final = 18.0
"""Well before API Gateway gives up, at 29 s."""
QUEUES: Final = {
    "jobs": config.Variable.JOB_QUEUE_URL,
    "intakeDeadLetters": config.Variable.INTAKE_DEAD_LETTER_QUEUE_URL,
    "deadLetters": config.Variable.DEAD_LETTER_QUEUE_URL,
}
NO_LETTER: Final = "It does not say whose job it is about; look at it, and discard it with `darkroom dlq discard`."
NO_HELP: Final = "A new attempt cannot help; its owner has been told why."

app = new_app()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request."""
    return answer(app, event, context)


@app.get("/operations")
def get_operations() -> Response[str]:
    """How full the queues are, and how much is worked off."""
    _check_operator()
    urls = {name: config.text(variable) for name, variable in QUEUES.items()}
    ages = queue_age.oldest_seconds([_name(url) for url in urls.values()])
    states = []
    for name, url in urls.items():
        depth = queues.depth(url)
        age = {"oldestSeconds": ages[_name(url)]} if _name(url) in ages else {}
        states.append({"name": name, "waiting": depth.waiting, "inFlight": depth.in_flight, **age})
    counts = executions.count(config.text(config.Variable.STATE_MACHINE_ARN), since=time.time() - WINDOW_SECONDS)
    return json_answer(
        HTTPStatus.OK,
        {
            "measuredAt": now(),
            "queues": states,
            "executions": {
                "windowSeconds": WINDOW_SECONDS,
                "started": counts.started,
                "ended": counts.ended,
                "failed": counts.failed,
                "running": counts.running,
                "isLowerBound": counts.is_lower_bound,
            },
        },
    )


@app.get("/operations/dead-letters")
def list_dead_letters() -> Response[str]:
    """Dead letters, which stay where they are."""
    _check_operator()
    box = _box()
    try:
        letters = list(box.read(limit=MOST_LETTERS, until=time.monotonic() + READING_SECONDS))
    finally:
        box.give_back()
    shown = [{"messageId": letter.message_id, "sentAt": letter.sent_at, **letter.document} for letter in letters]
    shown.sort(key=lambda letter: letter["sentAt"])
    return json_answer(HTTPStatus.OK, {"letters": shown, "more": len(shown) == MOST_LETTERS})


@app.post("/operations/dead-letters/redrive")
def redrive_dead_letters() -> Response[str]:
    """New attempts at the jobs of letters; letters that are done with are put away."""
    _check_operator()
    refuse_other_media_types(app)
    wanted = letter_choice.parse(app.current_event.decoded_body)
    table, box, until = JobTable(config.text(config.Variable.JOB_TABLE)), _box(), time.monotonic() + REDRIVING_SECONDS
    redriven, left, seen = 0, [], 0
    try:
        for letter in box.read(limit=MOST_LETTERS, until=until):
            seen += 1
            if wanted.names(letter.message_id):
                why_left = _redrive(letter, table, box.put_away, insist=not wanted.all)
                redriven += why_left is None
                left += [_left(letter, why_left)] if why_left else []
            if time.monotonic() >= until:
                break
    finally:
        box.give_back()
    more = seen == MOST_LETTERS or time.monotonic() >= until
    return json_answer(HTTPStatus.OK, {"redriven": redriven, "left": left, "more": more})


def _redrive(
    letter: HeldLetter, table: JobTable, put_away: Callable[[HeldLetter], None], *, insist: bool
) -> str | None:
    """Redrive the job of a letter and put the letter away; or return why it stays."""
    if letter.attempt is None:
        return NO_LETTER
    if not (insist or letter.can_be_helped):
        return NO_HELP
    outcome, _, detail = redrive_letter(table, letter.attempt)
    if outcome not in (Outcome.REDRIVEN, Outcome.MOVED_ON):
        return detail
    put_away(letter)
    return None


def _left(letter: HeldLetter, reason: str) -> dict[str, Any]:
    job = {"jobId": letter.document["jobId"]} if "jobId" in letter.document else {}
    return {"messageId": letter.message_id, **job, "reason": reason}


def _check_operator() -> None:
    """Raise NoSuchCallError for everybody else; note who it is."""
    if not requests.is_operator(app.current_event):
        raise NoSuchCallError("There is nothing at this address.")
    call = f"{app.current_event.http_method} {app.current_event.path}"
    logger.info("An operator looks after things", extra={"operator": requests.owner(app.current_event), "call": call})


def _box() -> LetterBox:
    return LetterBox(config.text(config.Variable.DEAD_LETTER_QUEUE_URL))


def _name(queue_url: str) -> str:
    return queue_url.rpartition("/")[2]
