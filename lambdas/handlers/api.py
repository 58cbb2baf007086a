"""The HTTP API, all but the submission of jobs, which the gateway hands to the queue without a function in between."""

import json
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response

from lambdas import config
from lambdas.adapters.event_log import EventLog
from lambdas.adapters.image_bucket import UPLOAD_SECONDS, ArtefactMissingError, ImageBucket
from lambdas.adapters.job_list import JobList
from lambdas.adapters.job_table import JobTable
from lambdas.adapters.push_channel import PushChannel
from lambdas.adapters.similar_jobs import SimilarJobs
from lambdas.adapters.tickets import Tickets
from lambdas.handlers import requests, views
from lambdas.handlers.answering import answer, json_answer, new_app, refuse_other_media_types
from lambdas.handlers.cancelling import cancel
from lambdas.handlers.deleting import delete
from lambdas.handlers.logs import about_job, are_about_a_job, logger
from lambdas.handlers.open_jobs import is_full
from lambdas.handlers.problems import (
    BadRequestError,
    ConflictError,
    NoFingerprintError,
    NoPictureError,
    NotFoundError,
    TooManyJobsError,
)
from lambdas.handlers.redriving import CannotRedriveError, redrive
from lambdas.handlers.waiting import wait_for_job, wait_until
from lambdas.jobs.errors import BrokenRule
from lambdas.jobs.model import Job
from lambdas.jobs.status import ENDS, Status
from lambdas.jobs.submission import parse_object
from lambdas.jobs.times import from_epoch_millis
from lambdas.stages.catalogue import LAST

UPLOAD_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/bmp", "image/avif")
PICTURES: Final = {
    "preview": (LAST.name, "preview.jpg"),
    "thumbnail": (LAST.name, "thumbnail.jpg"),
    "heat-map": ("regions", "heat-map.png"),
}
"""By name: the stage that makes it, and its file."""
BRIEF_SECONDS: Final = 1.5
"""How long a job that is not there is waited for: a queue that is not behind is read within a fraction of a second."""

NO_FINGERPRINT: Final = (
    "The job was done without the analysis fingerprint, or before Darkroom kept fingerprints to find jobs by. "
    "Submit its image again with that analysis."
)

app = new_app()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request; log one about a job, whose id the gateway's own line, of the same `requestId`, has not."""
    answered = answer(app, event, context)
    if are_about_a_job():
        asked = {
            "call": f"{event['httpMethod']} {event['resource']}",
            "requestId": event["requestContext"]["requestId"],
        }
        logger.info("A call about the job is answered", extra={"code": answered["statusCode"], **asked})
    return answered


@app.post("/uploads")
def create_upload() -> Response[str]:
    """Sign an upload for one image."""
    refuse_other_media_types(app)
    body = parse_object(app.current_event.decoded_body, fields={"contentType": UPLOAD_TYPES})
    image_id = uuid4().hex
    max_bytes = config.integer(config.Variable.MAX_UPLOAD_BYTES)
    presigned = _bucket().presign_upload(_owner(), image_id, content_type=body["contentType"], max_bytes=max_bytes)
    expires_at = from_epoch_millis((app.current_event.request_context.request_time_epoch or 0) + UPLOAD_SECONDS * 1000)
    return json_answer(
        HTTPStatus.CREATED,
        {
            "imageId": image_id,
            "url": presigned.url,
            "fields": dict(presigned.fields),
            "expiresAt": expires_at,
            "maxBytes": max_bytes,
        },
    )


@app.post("/tickets")
def create_ticket() -> Response[str]:
    """Make a ticket by which the caller can connect to the push channel, once and soon."""
    ticket = Tickets(config.text(config.Variable.TICKET_TABLE)).issue(
        _owner(), until=requests.token_end(app.current_event)
    )
    channel = PushChannel(config.text(config.Variable.PUSH_URL))
    return json_answer(
        HTTPStatus.CREATED,
        {
            "ticket": ticket.text,
            "url": channel.address,
            "expiresAt": from_epoch_millis(ticket.expires_at * 1000),
        },
    )


@app.get("/jobs")
def list_jobs() -> Response[str]:
    """One page of the caller's jobs."""
    query = app.current_event.query_string_parameters or {}
    wanted = requests.status(query.get("status"))
    owner = _owner_of_jobs()
    start = requests.read_cursor(query.get("cursor"), owner, wanted)
    jobs = JobList(config.text(config.Variable.JOB_TABLE))
    page = jobs.page(owner, status=wanted, limit=requests.limit(query.get("limit")), start=start)
    document: dict[str, Any] = {"jobs": [views.summary(job) for job in page.jobs]}
    if page.next_key:
        document["nextCursor"] = requests.write_cursor(dict(page.next_key))
    return json_answer(HTTPStatus.OK, document)


@app.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response[str]:
    """One job; held back, when the caller prefers so, until it changes or ends."""
    job_id = requests.job_id(job_id)
    known = requests.known_etags(app.current_event.headers.get("If-None-Match"))
    wait = requests.wait_seconds(app.current_event.headers.get("Prefer"))
    owner = _owner_of_jobs(job_id)
    job = _find(owner, job_id)
    if wait and job.status not in ENDS and (not known or job.etag in known):
        seen = job.etag
        job = wait_for_job(
            _table(), owner, job_id, wait, lambda later: later.etag != seen or later.status in ENDS
        ) or _no_job(job_id)
    headers = {"ETag": job.etag, "Cache-Control": "no-cache"}
    if wait:
        headers["Preference-Applied"] = f"wait={wait}"
    if job.etag in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    return json_answer(HTTPStatus.OK, views.whole(job), headers)


@app.get("/jobs/<job_id>/events")
def list_events(job_id: str) -> Response[str]:
    """What has happened to a job; held back, when the caller prefers so, until something new has."""
    job_id = requests.job_id(job_id)
    query = app.current_event.query_string_parameters or {}
    seq, limit = requests.after_seq(query.get("afterSeq")), requests.limit(query.get("limit"))
    wait = requests.wait_seconds(app.current_event.headers.get("Prefer"))
    owner = _owner_of_jobs(job_id)
    job = _find(owner, job_id)
    log = EventLog(config.text(config.Variable.EVENT_TABLE))
    # A job that is over, and known to be, has nothing more to tell; and no job has a number that it has not come to.
    patience = 0 if job.version < seq or (job.status in ENDS and job.version == seq) else wait
    found = wait_until(lambda: log.after(owner, job_id, seq, limit=limit), patience, bool)
    headers = {"Cache-Control": "no-store"} | ({"Preference-Applied": f"wait={wait}"} if wait else {})
    return json_answer(HTTPStatus.OK, {"events": found}, headers)


@app.post("/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response[str]:
    """Note that the owner no longer wants a job."""
    job_id = requests.job_id(job_id)
    owner = _owner_of_jobs(job_id)
    job = _look_for(owner, job_id)
    status = cancel(_table(), owner, job_id, job, queue_urls=_queue_urls())
    return json_answer(HTTPStatus.ACCEPTED, views.accepted(job_id, status))


@app.delete("/jobs/<job_id>")
def delete_job(job_id: str) -> Response[str]:
    """Delete a job that has ended, and everything that it has made."""
    job_id, owner = requests.job_id(job_id), _owner()
    is_deleted = _table().deletion(owner, job_id) is not None
    job = None if is_deleted else _look_for(owner, job_id)
    delete(_table(), _bucket(), owner, job_id, job)
    return Response(status_code=HTTPStatus.NO_CONTENT.value, headers={"Cache-Control": "no-store"})


@app.post("/jobs/<job_id>/redrive")
def redrive_job(job_id: str) -> Response[str]:
    """Try a job that has failed once more."""
    job_id = requests.job_id(job_id)
    failed = requests.attempt((app.current_event.query_string_parameters or {}).get("attempt"))
    job = _find(_owner_of_jobs(job_id), job_id)
    if job.status is Status.FAILED and is_full(job.owner):
        raise TooManyJobsError(
            "You have as many unfinished jobs as there may be. Redrive this one when some of them are done.",
            jobStatus=job.status,
        )
    try:
        redriven = redrive(_table(), job, failed_attempt=failed)
    except CannotRedriveError as refused:
        raise ConflictError(str(refused), jobStatus=refused.job.status) from refused
    return json_answer(HTTPStatus.ACCEPTED, views.accepted(job_id, redriven.status))


@app.get("/jobs/<job_id>/result")
def get_result(job_id: str) -> Response[str]:
    """The report of a job, or where one of its pictures is."""
    job_id = requests.job_id(job_id)
    query = app.current_event.query_string_parameters or {}
    picture, leads_there = query.get("artefact"), requests.redirect(query.get("redirect"))
    if picture is not None and picture not in PICTURES:
        raise BadRequestError.because([BrokenRule(field="artefact", rule=f"has to be one of {', '.join(PICTURES)}")])
    job = _find(_owner(), job_id)
    if job.status is not Status.SUCCEEDED:
        raise ConflictError(f"The job is {job.status}; only a job that SUCCEEDED has a result.", jobStatus=job.status)
    if picture:
        stage, file = PICTURES[picture]
        if stage != LAST.name and (stage not in job.stages or file not in job.stages[stage].checksums):
            raise NoPictureError(
                f"The job has made no {picture}: the analysis {stage} would draw it.", jobStatus=job.status
            )
        location = _bucket().presign_artefact(job.owner, job.job_id, job.path_of(stage, file))
        if not leads_there:
            return json_answer(HTTPStatus.OK, {"url": location})
        return Response(
            status_code=HTTPStatus.SEE_OTHER.value, headers={"Location": location, "Cache-Control": "no-store"}
        )
    report = json.loads(_read_report(job))
    return json_answer(HTTPStatus.OK, report | {"jobId": job.job_id})


@app.get("/jobs/<job_id>/similar")
def get_similar(job_id: str) -> Response[str]:
    """The caller's other jobs of the same picture, nearest first."""
    job_id = requests.job_id(job_id)
    query = app.current_event.query_string_parameters or {}
    limit, max_distance = requests.limit(query.get("limit")), requests.max_distance(query.get("maxDistance"))
    job = _find(_owner(), job_id)
    if job.status is not Status.SUCCEEDED:
        raise ConflictError(
            f"The job is {job.status}; only a job that SUCCEEDED can be compared.", jobStatus=job.status
        )
    if job.fingerprint is None:
        raise NoFingerprintError(NO_FINGERPRINT, jobStatus=job.status)
    index = SimilarJobs(config.text(config.Variable.JOB_TABLE))
    found = index.near(job, job.fingerprint, max_distance=max_distance, limit=limit)
    return json_answer(HTTPStatus.OK, views.similar(job_id, max_distance, found))


def _owner_of_jobs(job_id: str | None = None) -> str:
    """Whose jobs the call is about: the caller's, or those of the owner that an operator names.

    To everybody else, another owner's jobs are not there, whether they are or not.
    """
    caller, query = _owner(), app.current_event.query_string_parameters or {}
    named = requests.named_owner(query.get("owner", caller))
    if named == caller:
        return caller
    if not requests.is_operator(app.current_event):
        if job_id:
            _no_job(job_id)
        raise NotFoundError("You have no jobs under that owner.")
    call = f"{app.current_event.http_method} {app.current_event.path}"
    logger.info("An operator acts for an owner", extra={"operator": caller, "owner": named, "call": call})
    return named


def _find(owner: str, job_id: str) -> Job:
    return _look_for(owner, job_id) or _no_job(job_id)


def _look_for(owner: str, job_id: str) -> Job | None:
    job = wait_for_job(_table(), owner, job_id, BRIEF_SECONDS, lambda _: True)
    if job:
        about_job(job)
    return job


def _no_job(job_id: str) -> Job:
    raise NotFoundError(
        f"None of your jobs has the id {job_id}. If you have just submitted it, look again in a moment."
    )


def _read_report(job: Job) -> bytes:
    try:
        return _bucket().read_artefact(job.owner, job.job_id, job.path_of(LAST.name, "report.json"))
    except ArtefactMissingError as error:
        raise NotFoundError(f"The report of job {job.job_id} has expired.") from error


def _queue_urls() -> list[str]:
    """Wherever the message of a job may wait to be read."""
    return [config.text(config.Variable.JOB_QUEUE_URL), config.text(config.Variable.INTAKE_DEAD_LETTER_QUEUE_URL)]


def _owner() -> str:
    return requests.owner(app.current_event)


def _table() -> JobTable:
    return JobTable(config.text(config.Variable.JOB_TABLE))


def _bucket() -> ImageBucket:
    return ImageBucket(config.text(config.Variable.IMAGE_BUCKET))
