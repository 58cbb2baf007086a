"""The tokens of a sign-in, and the file that keeps them. Must not print or log one."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from darkroom.errors import NotSignedInError
from darkroom.private_files import write_private
from darkroom.profile import Profile

FILE_NAME = "tokens.json"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """One sign-in. Its `repr` shows no token."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the access token says about itself, unverified: good for its end and its subject only."""
        try:
            body = self.access_token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (IndexError, ValueError):
            return {}
        return claims if isinstance(claims, dict) else {}

    @property
    def expires_at(self) -> float | None:
        """When the access token ends, in seconds since 1970; None when it does not say."""
        end = self.claims.get("exp")
        return float(end) if isinstance(end, int | float) else None


class TokenFile:
    """`tokens.json` beside the profile: one entry for each profile of the folder, mode 0600.

    An entry belongs to the user pool client that gave it: it is not shown to another deployment.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def load(self) -> Tokens | None:
        """Return the tokens of the profile, or None when there are none for its client."""
        entry = self._entries().get(self._key)
        if not isinstance(entry, dict) or entry.get("clientId") != self._profile.client_id:
            return None
        access_token, refresh_token = entry.get("accessToken"), entry.get("refreshToken")
        if not isinstance(access_token, str):
            return None
        return Tokens(
            access_token=access_token, refresh_token=refresh_token if isinstance(refresh_token, str) else None
        )

    def save(self, tokens: Tokens) -> None:
        """Keep the tokens. Raises LocalFileError."""
        entry = {
            "clientId": self._profile.client_id,
            "accessToken": tokens.access_token,
            "refreshToken": tokens.refresh_token,
        }
        self._write({**self._entries(), self._key: entry})

    def forget(self) -> None:
        """Remove the tokens of the profile; those of others stay. Raises LocalFileError."""
        entries = self._entries()
        if entries.pop(self._key, None) is not None:
            self._write(entries)

    @property
    def _path(self) -> Path:
        if self._profile.path is None:
            raise NotSignedInError("A profile that was read from no file keeps no sign-in; pass `tokens` to Client.")
        return self._profile.path.parent / FILE_NAME

    @property
    def _key(self) -> str:
        return self._profile.path.stem if self._profile.path else ""

    def _entries(self) -> dict[str, Any]:
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # missing or damaged: signing in writes it anew
            return {}
        return entries if isinstance(entries, dict) else {}

    def _write(self, entries: Mapping[str, Any]) -> None:
        write_private(self._path, json.dumps(entries, indent=2) + "\n")
