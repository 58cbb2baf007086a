"""The gateway's own errors, as problem documents (RFC 9457), whatever it was that the gateway refused.

The templates know variables and nothing else; API Gateway does not run Velocity on them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_apigateway as apigateway

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "'1'"}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One kind of error. `slug` is its stable name; a program may depend on it."""

    slug: str
    title: str
    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """JSON text; `detail` may contain variables of the gateway that are escaped for JSON already."""
        document = {"type": f"/problems/{self.slug}", "title": self.title, "status": self.status, "detail": self.detail}
        return json.dumps(document)

    @property
    def all_headers(self) -> dict[str, str]:
        """Header values as the gateway wants constants: in single quotes."""
        return {"Content-Type": f"'{CONTENT_TYPE}'", **self.headers}


def _bad_request(detail: str) -> Problem:
    return Problem(slug="bad-request", title="The request breaks a rule", status=400, detail=detail)


def _unauthorized(detail: str) -> Problem:
    headers = {"WWW-Authenticate": "'Bearer'"}
    return Problem(slug="unauthorized", title="Not signed in", status=401, detail=detail, headers=headers)


SERVER_ERROR = Problem(
    slug="server-error",
    title="Darkroom's own fault",
    status=500,
    detail="Something went wrong on our side. Repeating the call is safe.",
    headers=RETRY_AFTER,
)
FORBIDDEN = Problem(slug="forbidden", title="Not allowed", status=403, detail="You may not make this call.")
NOT_FOUND = Problem(
    slug="not-found",
    title="No such call",
    status=404,
    detail="There is no such path, or it does not know this method. The API document lists them all.",
)
TOO_MANY_REQUESTS = Problem(
    slug="too-many-requests",
    title="Too many requests",
    status=429,
    detail="Slow down, and repeat the call after the time in Retry-After.",
    headers=RETRY_AFTER,
)
SIGN_IN = (
    "Send the access token of a signed-in user, or of a machine with the right scope, in the header Authorization."
)

_Type = apigateway.ResponseType

BY_TYPE: Mapping[str, tuple[apigateway.ResponseType, Problem]] = {
    "BadRequestBody": (
        _Type.BAD_REQUEST_BODY,
        # The variable is escaped for JSON but, unlike messageString, comes without quotes around it.
        _bad_request("The body does not fit the API document: $context.error.validationErrorString"),
    ),
    "BadRequestParameters": (
        _Type.BAD_REQUEST_PARAMETERS,
        _bad_request("A parameter that the API document requires is missing."),
    ),
    "Unauthorized": (_Type.UNAUTHORIZED, _unauthorized(SIGN_IN)),
    "ExpiredToken": (_Type.EXPIRED_TOKEN, _unauthorized("The token has expired. Sign in again.")),
    "InvalidSignature": (_Type.INVALID_SIGNATURE, _unauthorized(SIGN_IN)),
    "InvalidApiKey": (_Type.INVALID_API_KEY, _unauthorized(SIGN_IN)),
    "AccessDenied": (_Type.ACCESS_DENIED, FORBIDDEN),
    "WafFiltered": (_Type.WAF_FILTERED, FORBIDDEN),
    # The gateway's name for a path or method that it does not know.
    "MissingAuthenticationToken": (_Type.MISSING_AUTHENTICATION_TOKEN, NOT_FOUND),
    "ResourceNotFound": (_Type.RESOURCE_NOT_FOUND, NOT_FOUND),
    "RequestTooLarge": (
        _Type.REQUEST_TOO_LARGE,
        Problem(slug="too-large", title="The body is too large", status=413, detail="Images go to POST /uploads."),
    ),
    "UnsupportedMediaType": (
        _Type.UNSUPPORTED_MEDIA_TYPE,
        Problem(
            slug="unsupported-media-type",
            title="The body is of another media type",
            status=415,
            detail="Send the body as application/json, and say so in the header Content-Type.",
        ),
    ),
    "Throttled": (_Type.THROTTLED, TOO_MANY_REQUESTS),
    "QuotaExceeded": (_Type.QUOTA_EXCEEDED, TOO_MANY_REQUESTS),
    "Default4xx": (_Type.DEFAULT_4_XX, _bad_request("The gateway could not make sense of the request.")),
    "IntegrationFailure": (_Type.INTEGRATION_FAILURE, SERVER_ERROR),
    "IntegrationTimeout": (_Type.INTEGRATION_TIMEOUT, SERVER_ERROR),
    "ApiConfigurationError": (_Type.API_CONFIGURATION_ERROR, SERVER_ERROR),
    "AuthorizerFailure": (_Type.AUTHORIZER_FAILURE, SERVER_ERROR),
    "AuthorizerConfigurationError": (_Type.AUTHORIZER_CONFIGURATION_ERROR, SERVER_ERROR),
    "Default5xx": (_Type.DEFAULT_5_XX, SERVER_ERROR),
}
"""By the id of the construct, every type that there is: a type left out would answer in a form of its own."""


def answer_with_problems(api: apigateway.RestApi) -> None:
    """Give the gateway a problem document for everything that it refuses by itself."""
    for construct_id, (response_type, problem) in BY_TYPE.items():
        api.add_gateway_response(
            construct_id,
            type=response_type,
            status_code=str(problem.status),
            response_headers=problem.all_headers,
            templates={"application/json": problem.body},
        )
