"""Which Darkroom to speak to: the profile file, and where it is looked for. Holds no secret; tokens are kept apart."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import platformdirs

from darkroom.addresses import checked_address
from darkroom.errors import ProfileError
from darkroom.operator_places import OperatorPlaces
from darkroom.private_files import write_private

DEFAULT_NAME = "default"
FILE_VARIABLE = "DARKROOM_PROFILE_FILE"
NAME_VARIABLE = "DARKROOM_PROFILE"

_NEAREST = Path(".darkroom") / "profile.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_REGION_IN_HOST = re.compile(r"[a-z0-9]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z0-9]+)+")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The addresses of one deployment. `path` is the file that it was read from; tokens are kept beside it."""

    api_url: str
    auth_url: str
    client_id: str
    region: str | None = None
    operator: OperatorPlaces | None = None
    path: Path | None = None

    @classmethod
    def of(
        cls,
        *,
        api_url: str,
        client_id: str,
        auth_url: str | None = None,
        region: str | None = None,
        operator: OperatorPlaces | None = None,
        path: Path | None = None,
    ) -> "Profile":
        """Make a profile of its parts; a missing `auth_url` is Cognito's in `region`, or in the region of `api_url`.

        Raises ProfileError.
        """
        if not client_id:
            raise ProfileError("clientId is empty; it is the stack's output of that name.")
        api_url = checked_address(api_url, "apiUrl")
        region = region or _region_of(api_url)
        return cls(
            api_url=api_url,
            auth_url=checked_address(auth_url or _cognito(region), "authUrl"),
            client_id=client_id,
            region=region,
            operator=operator,
            path=path,
        )

    @classmethod
    def load(cls, path: Path) -> "Profile":
        """Read a profile file. Raises ProfileError."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ProfileError(f"There is no profile {path}; write one with `darkroom configure`.") from error
        except OSError as error:
            raise ProfileError(f"The profile {path} cannot be read: {error.strerror or error}.") from error
        except ValueError as error:
            raise ProfileError(
                f"The profile {path} is no JSON ({error}); write it anew: `darkroom configure`."
            ) from error
        members = document if isinstance(document, dict) else {}
        for name in ("apiUrl", "clientId"):
            if not isinstance(members.get(name), str):
                raise ProfileError(f"The profile {path} has no `{name}`; write it anew: `darkroom configure`.")
        return cls.of(
            api_url=members["apiUrl"],
            client_id=members["clientId"],
            auth_url=_optional_text(members, "authUrl"),
            region=_optional_text(members, "region"),
            operator=OperatorPlaces.parse(members["operator"]) if "operator" in members else None,
            path=path,
        )

    @classmethod
    def find(cls, name: str | None = None) -> "Profile":
        """Look for the profile and read it. Raises ProfileError."""
        return cls.load(profile_path(name))

    def save(self, path: Path) -> None:
        """Write the profile file. Raises LocalFileError."""
        members = {
            "apiUrl": self.api_url,
            "authUrl": self.auth_url,
            "clientId": self.client_id,
            "region": self.region,
            "operator": self.operator.document() if self.operator else None,
        }
        known = {key: value for key, value in members.items() if value is not None}
        write_private(path, json.dumps(known, indent=2) + "\n")


def profile_path(
    name: str | None = None, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Path:
    """Choose the profile file: what is named outranks what is merely near.

    A `name` given; DARKROOM_PROFILE_FILE; DARKROOM_PROFILE; the nearest `.darkroom/profile.json` in `folder` or above
    it; the profile named "default" of the user.
    """
    environment = os.environ if environment is None else environment
    if name:
        return named_path(name)
    if file := environment.get(FILE_VARIABLE):
        return Path(file).expanduser()
    if chosen := environment.get(NAME_VARIABLE):
        return named_path(chosen)
    return _nearest(folder or Path.cwd()) or named_path(DEFAULT_NAME)


def path_to_write(name: str | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """Choose where a new profile goes: as `profile_path`, but never into a `.darkroom` that happens to be near."""
    environment = os.environ if environment is None else environment
    if not name and (file := environment.get(FILE_VARIABLE)):
        return Path(file).expanduser()
    return named_path(name or environment.get(NAME_VARIABLE) or DEFAULT_NAME)


def named_path(name: str) -> Path:
    """Return the file of a profile of the user, by name. Raises ProfileError when the name could lead elsewhere."""
    if not _NAME.fullmatch(name):
        raise ProfileError(f"{name!r} cannot be the name of a profile: letters, digits, `_`, `-` and `.`.")
    return platformdirs.user_config_path("darkroom") / "profiles" / f"{name}.json"


def _nearest(folder: Path) -> Path | None:
    candidates = (place / _NEAREST for place in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)


def _region_of(api_url: str) -> str | None:
    found = _REGION_IN_HOST.fullmatch(httpx.URL(api_url).host)
    return found.group(1) if found else None


def _cognito(region: str | None) -> str:
    if region is None:
        raise ProfileError("The profile needs `authUrl`, or the `region` of the user pool, to sign in with.")
    if not _REGION.fullmatch(region):
        raise ProfileError(f"{region!r} is no region; one looks like eu-central-1.")
    return f"https://cognito-idp.{region}.amazonaws.com"


def _optional_text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None
