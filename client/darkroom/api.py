"""Requests to Darkroom's API: signed-in, tried again where that helps, refusals raised as exceptions."""

from collections.abc import Mapping
from typing import Any

import httpx

from darkroom.errors import ConnectionLostError, NotSignedInError, UnexpectedAnswerError, problem_error
from darkroom.problem import Problem
from darkroom.retrying import Retrier, retry_after
from darkroom.session import TokenSource
from darkroom.sign_in import SIGN_IN_AGAIN

_UNAUTHORIZED = 401
_FIRST_ERROR_STATUS = 400


class Api:
    """The API of one deployment."""

    def __init__(self, url: str, tokens: TokenSource, http: httpx.Client, retrier: Retrier) -> None:
        self._url = url
        self._tokens = tokens
        self._http = http
        self._retrier = retrier

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request and return its answer, which is no error.

        Raises ProblemError, NotSignedInError, ConnectionLostError.
        """

        def send_with(token: str) -> httpx.Response:
            return self._retrier.send(
                lambda: self._send(method, path, body, query, {**(headers or {}), **_sign(token)})
            )

        token = self._tokens.token()
        response = send_with(token)
        if response.status_code == _UNAUTHORIZED:
            response = send_with(self._tokens.renewed(token))
        if response.status_code == _UNAUTHORIZED:
            raise NotSignedInError(SIGN_IN_AGAIN)
        if response.status_code >= _FIRST_ERROR_STATUS:
            asked = retry_after(response, self._retrier.surroundings.now())
            raise problem_error(_problem(response), asked)
        return response

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        if self._http.is_closed:
            raise ConnectionLostError("The client is closed.")
        return self._http.request(method, self._url + path, json=body, params=query, headers=headers)


def json_of(response: httpx.Response) -> Any:
    """Read the JSON of an answer. Raises UnexpectedAnswerError."""
    try:
        return response.json()
    except ValueError as error:
        raise UnexpectedAnswerError(
            f"{response.url.host} answered {response.status_code} without JSON. Is apiUrl in the profile right?"
        ) from error


def _sign(token: str) -> dict[str, str]:
    return {"Authorization": token}


def _problem(response: httpx.Response) -> Problem:
    try:
        document: object = response.json()
    except ValueError:
        document = None
    return Problem.parse(document, response.status_code)
