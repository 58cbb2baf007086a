"""Signing in: the few calls of Cognito that it takes, spoken over plain HTTPS, without an SDK.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from darkroom.documents import Members
from darkroom.errors import (
    DarkroomError,
    NotSignedInError,
    SignInError,
    SignInRefusedError,
    TooManyRequestsError,
    UnexpectedAnswerError,
)
from darkroom.problem import Problem
from darkroom.profile import Profile
from darkroom.retrying import Retrier, worth_retrying
from darkroom.tokens import Tokens

_THROTTLES = {"TooManyRequestsException", "LimitExceededException", "ThrottlingException"}
_WRONG_PASSWORD = {"NotAuthorizedException", "UserNotFoundException"}
_NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - a challenge's name
_BAD_REQUEST = 400
SIGN_IN_AGAIN = "You are not signed in, or no longer; run `darkroom login`."


@dataclass(frozen=True, kw_only=True)
class NewPasswordRequired:
    """The user pool wants a new password before it gives tokens: the first sign-in of an invited user."""

    username: str
    session: str = field(repr=False)


class UserPool:
    """The user pool that a profile names."""

    def __init__(self, profile: Profile, http: httpx.Client, retrier: Retrier) -> None:
        self._profile = profile
        self._http = http
        self._retrier = retrier

    def sign_in(self, username: str, password: str) -> Tokens | NewPasswordRequired:
        """Trade a user's name and password for tokens. Raises SignInRefusedError."""
        answer = self._call(
            "InitiateAuth",
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
        if answer.get("ChallengeName") == _NEW_PASSWORD:
            asked_of = Members(answer, "sign-in").object("ChallengeParameters").get("USER_ID_FOR_SRP")
            return NewPasswordRequired(
                username=asked_of if isinstance(asked_of, str) else username,
                session=Members(answer, "sign-in").text("Session"),
            )
        return _tokens(answer)

    def set_new_password(self, required: NewPasswordRequired, password: str) -> Tokens:
        """Answer the demand for a new password. Raises SignInRefusedError when the pool does not like it."""
        answer = self._call(
            "RespondToAuthChallenge",
            ChallengeName=_NEW_PASSWORD,
            Session=required.session,
            ChallengeResponses={"USERNAME": required.username, "NEW_PASSWORD": password},
        )
        return _tokens(answer)

    def refresh(self, refresh_token: str) -> Tokens:
        """Trade a refresh token for a new access token. Raises NotSignedInError when the sign-in has ended."""
        try:
            answer = self._call(
                "InitiateAuth",
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh_token},
            )
        except SignInRefusedError as error:
            raise NotSignedInError(SIGN_IN_AGAIN) from error
        fresh = _tokens(answer)
        return Tokens(access_token=fresh.access_token, refresh_token=fresh.refresh_token or refresh_token)

    def revoke(self, refresh_token: str) -> None:
        """End the sign-in at the user pool, too. Raises DarkroomError."""
        self._call("RevokeToken", Token=refresh_token)

    def _call(self, action: str, **members: Any) -> Mapping[str, Any]:
        body = json.dumps({"ClientId": self._profile.client_id, **members})
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
        }
        url = f"{self._profile.auth_url}/"
        response = self._retrier.send(
            lambda: self._http.post(url, content=body, headers=headers), again=_worth_retrying
        )
        document = _json(response)
        if response.is_success:
            return document
        raise _refusal(response.status_code, document)


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    if challenge := answer.get("ChallengeName"):
        raise SignInRefusedError(f"The user pool asks for {challenge}, which this client cannot answer.")
    result = Members(answer.get("AuthenticationResult"), "sign-in")
    return Tokens(access_token=result.text("AccessToken"), refresh_token=result.optional_text("RefreshToken"))


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json() if response.content else {}
    except ValueError as error:
        raise UnexpectedAnswerError(f"{response.url.host} is no user pool; check authUrl in the profile.") from error
    return document if isinstance(document, dict) else {}


def _error_name(document: Mapping[str, Any]) -> str:
    return str(document.get("__type", "")).rpartition("#")[2]


def _worth_retrying(response: httpx.Response) -> bool:
    """Throttles of Cognito come with status 400."""
    if response.status_code != _BAD_REQUEST:
        return worth_retrying(response)
    return _error_name(_json(response)) in _THROTTLES


def _refusal(status: int, document: Mapping[str, Any]) -> DarkroomError:
    name, message = _error_name(document), str(document.get("message") or document.get("Message") or "")
    if name in _THROTTLES:
        return TooManyRequestsError(Problem(type="about:blank", title="Too many sign-ins; wait a little", status=429))
    if name in _WRONG_PASSWORD:
        return SignInRefusedError("The user name or the password is wrong, or the user may not sign in.")
    if name == "ResourceNotFoundException":
        return SignInError("The user pool does not know the profile's clientId; run `darkroom configure` again.")
    if status > _BAD_REQUEST or not name:
        return UnexpectedAnswerError(f"Signing in failed ({status} {name} {message}); check authUrl in the profile.")
    return SignInRefusedError(f"The user pool refused: {message or name}")
