"""The access token to send with the next request, renewed when it has to be. Safe to share between threads."""

import threading
from typing import Protocol

from darkroom.errors import NotSignedInError
from darkroom.sign_in import SIGN_IN_AGAIN, UserPool
from darkroom.surroundings import Surroundings
from darkroom.tokens import TokenFile, Tokens

LEEWAY_SECONDS = 60.0
"""A token is renewed this long before its end, for clocks that disagree and requests that take a while."""


class TokenSource(Protocol):
    """Whatever gives tokens: a `Session`, or something of your own."""

    def token(self) -> str:
        """Return an access token that is good now. Raises SignInError."""

    def renewed(self, refused: str) -> str:
        """Return another token than `refused`, which the API did not take. Raises SignInError."""


class Session:
    """The sign-in that is kept beside the profile."""

    def __init__(self, file: TokenFile, pool: UserPool, surroundings: Surroundings) -> None:
        self._file = file
        self._pool = pool
        self._now = surroundings.now
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None

    def token(self) -> str:
        """Return an access token that has not expired. Raises NotSignedInError."""
        with self._lock:
            tokens = self._tokens or self._kept()
            if tokens.expires_at is not None and tokens.expires_at - LEEWAY_SECONDS <= self._now():
                tokens = self._refreshed(tokens)
            self._tokens = tokens
            return tokens.access_token

    def renewed(self, refused: str) -> str:
        """Return another token, unless another thread has already fetched one. Raises NotSignedInError."""
        with self._lock:
            tokens = self._kept()
            self._tokens = self._refreshed(tokens) if tokens.access_token == refused else tokens
            return self._tokens.access_token

    def _kept(self) -> Tokens:
        tokens = self._file.load()
        if tokens is None:
            raise NotSignedInError(SIGN_IN_AGAIN)
        return tokens

    def _refreshed(self, tokens: Tokens) -> Tokens:
        if tokens.refresh_token is None:
            raise NotSignedInError(SIGN_IN_AGAIN)
        fresh = self._pool.refresh(tokens.refresh_token)
        self._file.save(fresh)
        return fresh
