"""The sign-in of a machine, by its client's id and secret. Keeps nothing on disk."""

import threading

from darkroom.addresses import checked_address
from darkroom.api import json_of
from darkroom.documents import Members
from darkroom.errors import SignInRefusedError
from darkroom.retrying import Retrier
from darkroom.session import LEEWAY_SECONDS
from darkroom.surroundings import Surroundings


class MachineSession:
    """Trades id and secret for access tokens (RFC 6749, 4.4): what a `Client` takes as `tokens`.

    `token_url` is the stack's output TokenUrl.
    """

    def __init__(
        self, token_url: str, client_id: str, client_secret: str, surroundings: Surroundings | None = None
    ) -> None:
        self._url = checked_address(token_url, "tokenUrl")
        self._credentials = client_id, client_secret
        self._surroundings = surroundings or Surroundings()
        self._retrier = Retrier(surroundings=self._surroundings)
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def token(self) -> str:
        """Return an access token that has not expired. Raises SignInRefusedError."""
        with self._lock:
            if self._token is None or self._good_until - LEEWAY_SECONDS <= self._surroundings.now():
                return self._traded()
            return self._token

    def renewed(self, refused: str) -> str:
        """Return another token, unless another thread has already fetched one. Raises SignInRefusedError."""
        with self._lock:
            return self._traded() if self._token in (None, refused) else str(self._token)

    def _traded(self) -> str:
        asked_at = self._surroundings.now()
        with self._surroundings.http() as http:
            response = self._retrier.send(
                lambda: http.post(self._url, data={"grant_type": "client_credentials"}, auth=self._credentials)
            )
        if not response.is_success:
            raise SignInRefusedError("The user pool does not know the machine's id and secret, or gives it no scope.")
        answer = Members(json_of(response), "token")
        self._token = answer.text("access_token")
        self._good_until = asked_at + answer.number("expires_in")
        return self._token
