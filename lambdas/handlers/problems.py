"""Errors as the API tells them: problem documents (RFC 9457) with a stable `type`. The gateway tells its own alike.

ProblemError
├── BadRequestError    400, with the fields and the rules that they break
├── NotFoundError      404, for what is not there and for what is somebody else's
├── NoSuchCallError    404, for what the API does not offer
├── ConflictError      409, for what the job's status does not allow
├── NoFingerprintError  409, for a job that nothing can be compared with
├── NoPictureError     409, for a picture that only an analysis makes which the job has not done
├── TooManyJobsError   409, for one more than an owner may have at a time
├── UnsupportedMediaTypeError  415, for a body that is not declared as JSON
└── UnavailableError   503, for a service that is out of reach for the moment
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

from aws_lambda_powertools.event_handler import Response

from lambdas.jobs.errors import BrokenRule

MEDIA_TYPE: Final = "application/problem+json"
LOOK_AGAIN_SECONDS: Final = 1


class ProblemError(Exception):
    """A request that cannot be answered as asked."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    slug: ClassVar[str] = "server-error"
    title: ClassVar[str] = "Darkroom's own fault"

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class BadRequestError(ProblemError):
    """The request breaks a rule."""

    status = HTTPStatus.BAD_REQUEST
    slug = "bad-request"
    title = "The request breaks a rule"

    @classmethod
    def because(cls, broken: Sequence[BrokenRule]) -> "BadRequestError":
        """Name each field and the rule that it breaks."""
        errors = [{"field": rule.field, "rule": rule.rule} for rule in broken]
        return cls("; ".join(map(str, broken)) + ".", errors=errors)


class NotFoundError(ProblemError):
    """There is no such thing, or it is somebody else's: the answer is the same."""

    status = HTTPStatus.NOT_FOUND
    slug = "job-not-found"
    title = "There is no such job"


class NoSuchCallError(ProblemError):
    """The API has no such path or method."""

    status = HTTPStatus.NOT_FOUND
    slug = "not-found"
    title = "No such call"


class ConflictError(ProblemError):
    """The job's status does not allow it."""

    status = HTTPStatus.CONFLICT
    slug = "job-status-conflict"
    title = "The job's status does not allow this"


class NoFingerprintError(ProblemError):
    """The job has no fingerprint, so there is nothing to compare."""

    status = HTTPStatus.CONFLICT
    slug = "no-fingerprint"
    title = "The job has no fingerprint"


class NoPictureError(ProblemError):
    """The job has no such picture: it was made without the analysis that draws it."""

    status = HTTPStatus.CONFLICT
    slug = "no-picture"
    title = "The job has no such picture"


class TooManyJobsError(ProblemError):
    """The owner has as many unfinished jobs as there may be."""

    status = HTTPStatus.CONFLICT
    slug = "too-many-jobs"
    title = "Too many unfinished jobs"


class UnsupportedMediaTypeError(ProblemError):
    """The body is declared as something else than JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "unsupported-media-type"
    title = "The body is of another media type"


class UnavailableError(ProblemError):
    """A service that Darkroom stands on is out of reach for the moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    slug = "unavailable"
    title = "Darkroom cannot answer at the moment"


def to_response(problem: ProblemError) -> Response[str]:
    """Write a problem document. What may be different in a moment says when to look again."""
    document: Mapping[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status.value,
        "detail": problem.detail,
        **problem.members,
    }
    headers = {"Cache-Control": "no-store"}
    if problem.status in (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = str(LOOK_AGAIN_SECONDS)
    return Response(
        status_code=problem.status.value, content_type=MEDIA_TYPE, body=json.dumps(document), headers=headers
    )
