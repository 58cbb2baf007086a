"""What the functions behind the gateway have in common: routing, and errors told as problem documents."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoSuchRouteError

from lambdas.handlers.logs import about_nobody, logger
from lambdas.handlers.problems import (
    BadRequestError,
    NoSuchCallError,
    ProblemError,
    UnavailableError,
    UnsupportedMediaTypeError,
    to_response,
)
from lambdas.jobs.errors import InvalidJob, TransientError


def new_app() -> APIGatewayRestResolver:
    """Make a router that tells every error as a problem."""
    app = APIGatewayRestResolver()
    app.exception_handler(ProblemError)(to_response)
    app.exception_handler(InvalidJob)(_tell_what_is_wrong)
    app.exception_handler(TransientError)(_tell_to_try_again)
    app.exception_handler(Exception)(_tell_no_more_than_needed)
    app.not_found(_no_such_route)
    return app


def answer(app: APIGatewayRestResolver, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request."""
    about_nobody()
    # The router overlooks a line feed at the end of a path; as it was sent, no id has it.
    return app.resolve(event | {"path": event["path"].replace("\n", "%0A")}, context)


def json_answer(status: HTTPStatus, document: dict[str, Any], headers: dict[str, Any] | None = None) -> Response[str]:
    """Write an answer."""
    return Response(
        status_code=status.value,
        content_type="application/json",
        body=json.dumps(document),
        headers=headers or {"Cache-Control": "no-store"},
    )


def refuse_other_media_types(app: APIGatewayRestResolver) -> None:
    """The gateway refuses them for submissions; what it hands to a function, it hands on whatever it is."""
    declared = app.current_event.headers.get("Content-Type") or "application/json"
    if declared.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaTypeError("Send the body as application/json, and say so in the header Content-Type.")


def _tell_what_is_wrong(error: InvalidJob) -> Response[str]:
    return to_response(BadRequestError.because(error.broken) if error.broken else BadRequestError(str(error)))


def _tell_to_try_again(error: TransientError) -> Response[str]:
    logger.warning("The request could not be answered", extra={"reason": str(error)})
    return to_response(UnavailableError("Please try again in a moment; repeating the call is safe."))


def _tell_no_more_than_needed(_error: Exception) -> Response[str]:
    logger.exception("The request failed in a way that the API does not know")
    return to_response(ProblemError("The fault is noted. Repeating the call is safe."))


def _no_such_route(_error: NoSuchRouteError) -> Response[str]:
    return to_response(NoSuchCallError("There is nothing at this address."))
