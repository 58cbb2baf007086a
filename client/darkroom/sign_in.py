"""Signing in: the few calls of Cognito that it takes, spoken over plain HTTPS, without an SDK.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from darkroom.challenges import AuthenticatorRequired, Challenge, CodeRequired, NewPasswordRequired
from darkroom.documents import Members
from darkroom.errors import (
    AnswerRefusedError,
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

_THROTTLES = ("TooManyRequestsException", "LimitExceededException", "ThrottlingException")
_CODE = re.compile(r"[0-9]{6}")
_NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - a challenge's name
_CODE_OF_APP = "SOFTWARE_TOKEN_MFA"
_SET_UP_APP = "MFA_SETUP"
_BAD_REQUEST = 400
SIGN_IN_AGAIN = "You are not signed in, or no longer; run `darkroom login`."
WRONG_PASSWORD = "The user name or the password is wrong, or the user may not sign in."  # noqa: S105 - words
BEGIN_AGAIN = "The sign-in took too long, or was given up by the user pool. Begin again, with the password."


@dataclass(frozen=True, kw_only=True)
class Account:
    """A signed-in user, as the pool knows them."""

    email: str
    """Empty when the pool has none."""
    has_second_factor: bool
    """Whether the user has chosen to be asked for a code."""


class UserPool:
    """The user pool that a profile names."""

    def __init__(self, profile: Profile, http: httpx.Client, retrier: Retrier) -> None:
        self._profile = profile
        self._http = http
        self._retrier = retrier

    def sign_in(self, username: str, password: str) -> Tokens | Challenge:
        """Trade a user's name and password for tokens, or for what is asked for besides. Raises SignInRefusedError."""
        with _not_authorized_means(SignInRefusedError(WRONG_PASSWORD)):
            answer = self._call(
                "InitiateAuth",
                ClientId=self._profile.client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        return self._next(answer, username)

    def answer(self, challenge: Challenge, given: str) -> Tokens | Challenge:
        """Give the pool what it asks for: the new password, or the code.

        Raises AnswerRefusedError, after which the same challenge may be answered again; after SignInRefusedError, the
        sign-in begins anew.
        """
        with _not_authorized_means(SignInRefusedError(BEGIN_AGAIN)):
            match challenge:
                case NewPasswordRequired():
                    return self._respond(challenge, _NEW_PASSWORD, challenge.session, NEW_PASSWORD=given)
                case CodeRequired():
                    code = _code(given)
                    return self._respond(challenge, _CODE_OF_APP, challenge.session, SOFTWARE_TOKEN_MFA_CODE=code)
                case AuthenticatorRequired():
                    verified = self._verify(given, Session=challenge.session)
                    return self._respond(challenge, _SET_UP_APP, verified.text("Session"))

    def account(self, access_token: str) -> Account:
        """Look a signed-in user up. Raises NotSignedInError."""
        with _not_authorized_means(NotSignedInError(SIGN_IN_AGAIN)):
            user = Members(self._call("GetUser", AccessToken=access_token), "sign-in")
        attributes = {each.get("Name"): each.get("Value") for each in user.list("UserAttributes")}
        return Account(
            email=str(attributes.get("email", "")), has_second_factor=_CODE_OF_APP in user.list("UserMFASettingList")
        )

    def new_secret(self, access_token: str) -> str:
        """Have a secret made for a signed-in user's authenticator app; it counts once `demand_code` has seen its code.

        An app that there was before may no longer be asked for from here on, where it is left to the user.
        Raises NotSignedInError; SignInRefusedError where there is no second factor.
        """
        with _not_authorized_means(NotSignedInError(SIGN_IN_AGAIN)):
            made = self._call("AssociateSoftwareToken", AccessToken=access_token)
        return Members(made, "sign-in").text("SecretCode")

    def demand_code(self, access_token: str, code: str) -> None:
        """From now on, ask the user for a code at sign-in, of the app that shows this one.

        Raises NotSignedInError; AnswerRefusedError, after which another code may be tried.
        """
        with _not_authorized_means(NotSignedInError(SIGN_IN_AGAIN)):
            self._verify(code, AccessToken=access_token)
            self._prefer(access_token, Enabled=True, PreferredMfa=True)

    def demand_no_code(self, access_token: str) -> None:
        """From now on, ask the user for no code. Raises NotSignedInError; SignInRefusedError where one has to be."""
        with _not_authorized_means(NotSignedInError(SIGN_IN_AGAIN)):
            self._prefer(access_token, Enabled=False, PreferredMfa=False)

    def refresh(self, refresh_token: str) -> Tokens:
        """Trade a refresh token for a new access token. Raises NotSignedInError when the sign-in has ended."""
        try:
            answer = self._call(
                "InitiateAuth",
                ClientId=self._profile.client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh_token},
            )
        except SignInRefusedError as error:
            raise NotSignedInError(SIGN_IN_AGAIN) from error
        fresh = _tokens(answer)
        return Tokens(access_token=fresh.access_token, refresh_token=fresh.refresh_token or refresh_token)

    def revoke(self, refresh_token: str) -> None:
        """End the sign-in at the user pool, too. Raises DarkroomError."""
        self._call("RevokeToken", ClientId=self._profile.client_id, Token=refresh_token)

    def _respond(self, challenge: Challenge, name: str, session: str, **given: str) -> Tokens | Challenge:
        answer = self._call(
            "RespondToAuthChallenge",
            ClientId=self._profile.client_id,
            ChallengeName=name,
            Session=session,
            ChallengeResponses={"USERNAME": challenge.username, **given},
        )
        return self._next(answer, challenge.username)

    def _next(self, answer: Mapping[str, Any], username: str) -> Tokens | Challenge:
        """Read an answer: tokens, or what is asked for first. Raises SignInRefusedError when that is not known."""
        name = answer.get("ChallengeName")
        if name is None:
            return _tokens(answer)
        asked = Members(answer, "sign-in")
        whom = asked.texts("ChallengeParameters").get("USER_ID_FOR_SRP") or username
        if name == _NEW_PASSWORD:
            return NewPasswordRequired(username=whom, session=asked.text("Session"))
        if name == _CODE_OF_APP:
            return CodeRequired(username=whom, session=asked.text("Session"))
        if name == _SET_UP_APP:
            return self._set_up(whom, asked.text("Session"))
        raise SignInRefusedError(f"The user pool asks for {name}, which this client cannot answer.")

    def _set_up(self, whom: str, session: str) -> AuthenticatorRequired:
        with _not_authorized_means(SignInRefusedError(BEGIN_AGAIN)):
            made = Members(self._call("AssociateSoftwareToken", Session=session), "sign-in")
        return AuthenticatorRequired(username=whom, session=made.text("Session"), secret=made.text("SecretCode"))

    def _verify(self, code: str, **whose: str) -> Members:
        """Show the pool a code of an app that was given a new secret."""
        answer = Members(self._call("VerifySoftwareToken", UserCode=_code(code), **whose), "sign-in")
        if answer.text("Status") != "SUCCESS":
            raise AnswerRefusedError(_WRONG_CODE)
        return answer

    def _prefer(self, access_token: str, **settings: bool) -> None:
        self._call("SetUserMFAPreference", AccessToken=access_token, SoftwareTokenMfaSettings=settings)

    def _call(self, action: str, **members: Any) -> Mapping[str, Any]:
        body = json.dumps(members)
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
    result = Members(answer.get("AuthenticationResult"), "sign-in")
    return Tokens(access_token=result.text("AccessToken"), refresh_token=result.optional_text("RefreshToken"))


def _code(given: str) -> str:
    """Read a code as people write it, in two groups for instance. Raises AnswerRefusedError."""
    code = "".join(given.split())
    if not _CODE.fullmatch(code):
        raise AnswerRefusedError("A code has six digits; the authenticator app shows it.")
    return code


class _NotAuthorizedError(SignInRefusedError):
    """Cognito's one word for a wrong password, a session that is over and a token that is: who asks knows which."""


@contextmanager
def _not_authorized_means(meant: SignInError) -> Iterator[None]:
    try:
        yield
    except _NotAuthorizedError as error:
        raise meant from error


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


_WRONG_CODE = "The code is wrong. Type the one that the authenticator app shows now."
_REFUSALS: Mapping[str, tuple[type[SignInError], str | None]] = {
    "NotAuthorizedException": (_NotAuthorizedError, None),
    "UserNotFoundException": (_NotAuthorizedError, None),
    "CodeMismatchException": (AnswerRefusedError, _WRONG_CODE),
    "EnableSoftwareTokenMFAException": (AnswerRefusedError, _WRONG_CODE),
    # Cognito takes each code once: also at the first sign-in after the one that an app was set up in.
    "ExpiredCodeException": (
        AnswerRefusedError,
        "The code was used before or is too old. Wait for the app to show the next one.",
    ),
    "InvalidPasswordException": (AnswerRefusedError, None),
    "InvalidParameterException": (AnswerRefusedError, None),
    "PasswordHistoryPolicyViolationException": (AnswerRefusedError, None),
    "SoftwareTokenMFANotFoundException": (
        SignInRefusedError,
        "The user pool knows no second factor here: the deployment's setting `mfa` is off.",
    ),
    "ResourceNotFoundException": (
        SignInError,
        "The user pool does not know the profile's clientId; run `darkroom configure` again.",
    ),
}
"""By Cognito's name for it: what it means here, and in which words; None has the user pool's own."""


def _refusal(status: int, document: Mapping[str, Any]) -> DarkroomError:
    name, message = _error_name(document), str(document.get("message") or document.get("Message") or "")
    said = f"The user pool refused: {message or name}"
    if name in _THROTTLES:
        return TooManyRequestsError(Problem(type="about:blank", title="Too many sign-ins; wait a little", status=429))
    if name in _REFUSALS:
        error, words = _REFUSALS[name]
        return error(words or said)
    if status > _BAD_REQUEST or not name:
        return UnexpectedAnswerError(f"Signing in failed ({status} {name} {message}); check authUrl in the profile.")
    return SignInRefusedError(said)
