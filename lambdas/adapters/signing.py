"""Signature Version 4, by which AWS knows who asks: of requests, of addresses to hand out, and of upload forms.

As https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html says; a property test
holds every signature equal to botocore's. Must not send anything, and reads no clock: the time is given.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_UNRESERVED: Final = "-_.~"


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Somebody's credentials, for one service in one region. A session's token is None where there is no session."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    service: str
    region: str

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes, at: datetime) -> dict[str, str]:
        """Return a request's headers with those that sign it. Names are in lower case."""
        digest = hashlib.sha256(body).hexdigest()
        signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        signed |= {"host": urlsplit(url).netloc, "x-amz-date": _stamp(at)}
        if self.session_token:
            signed["x-amz-security-token"] = self.session_token
        if self.service == "s3":
            signed["x-amz-content-sha256"] = digest
        names = ";".join(sorted(signed))
        signature = self._signature(self._canonical(method, url, signed, digest), at)
        authorization = f"{ALGORITHM} Credential={self._credential(at)}, SignedHeaders={names}, Signature={signature}"
        return {**signed, "authorization": authorization}

    def address(self, url: str, query: Mapping[str, str], seconds: int, at: datetime) -> str:
        """Sign an address that anybody can GET for so long."""
        asked = {
            **query,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": self._credential(at),
            "X-Amz-Date": _stamp(at),
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            **({"X-Amz-Security-Token": self.session_token} if self.session_token else {}),
        }
        unsigned = f"{url}?{query_of(asked)}"
        canonical = self._canonical("GET", unsigned, {"host": urlsplit(url).netloc}, UNSIGNED)
        return f"{unsigned}&X-Amz-Signature={self._signature(canonical, at)}"

    def form(self, fields: Mapping[str, str], conditions: Sequence[Any], seconds: int, at: datetime) -> dict[str, str]:
        """Sign an upload form: what is sent has to keep the conditions. Returns all fields that go with the file."""
        ours = {
            "x-amz-algorithm": ALGORITHM,
            "x-amz-credential": self._credential(at),
            "x-amz-date": _stamp(at),
            **({"x-amz-security-token": self.session_token} if self.session_token else {}),
        }
        policy = {
            "expiration": (at + timedelta(seconds=seconds)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "conditions": [*conditions, *({name: value} for name, value in ours.items())],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        signature = hmac.new(self._key(at), encoded.encode(), hashlib.sha256).hexdigest()
        return {**fields, **ours, "policy": encoded, "x-amz-signature": signature}

    def _canonical(self, method: str, url: str, headers: Mapping[str, str], digest: str) -> str:
        parts = urlsplit(url)
        # As bytes, of what is percent-encoded already: names first, then values.
        pairs = sorted(tuple(pair.partition("=")[::2]) for pair in parts.query.split("&")) if parts.query else []
        return "\n".join(
            [
                method,
                self._path(parts.path or "/"),
                "&".join(f"{name}={value}" for name, value in pairs),
                *(f"{name}:{headers[name]}" for name in sorted(headers)),
                "",
                ";".join(sorted(headers)),
                digest,
            ]
        )

    def _path(self, path: str) -> str:
        """As it is sent to S3; to every other service, what is percent-encoded already is so once more."""
        return path if self.service == "s3" else quote(path, safe=f"/{_UNRESERVED}")

    def _signature(self, canonical: str, at: datetime) -> str:
        text = "\n".join([ALGORITHM, _stamp(at), self._scope(at), hashlib.sha256(canonical.encode()).hexdigest()])
        return hmac.new(self._key(at), text.encode(), hashlib.sha256).hexdigest()

    def _key(self, at: datetime) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in self._scope(at).split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key

    def _scope(self, at: datetime) -> str:
        return f"{_stamp(at)[:8]}/{self.region}/{self.service}/aws4_request"

    def _credential(self, at: datetime) -> str:
        return f"{self.access_key}/{self._scope(at)}"


def path_of(key: str) -> str:
    """Write an object's key as the path of an address."""
    return "/" + quote(key, safe=f"/{_UNRESERVED}")


def query_of(values: Mapping[str, str]) -> str:
    """Write values as the query of an address, in the order given."""
    encoded = ((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in values.items())
    return "&".join(f"{name}={value}" for name, value in encoded)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
