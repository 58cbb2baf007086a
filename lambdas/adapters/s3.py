"""The few things that are done with a bucket, in S3's dialect."""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from lambdas.adapters.calling import Endpoint, call
from lambdas.adapters.signing import path_of, query_of

_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_IN_NAMESPACE: Final = f"{{{_NAMESPACE}}}"


class S3Client:
    """S3. Every method but those that only sign raises ClientError and UnreachedError."""

    def __init__(self, endpoint: Endpoint, *, by_path: bool) -> None:
        """`by_path` where the names of buckets are no names of hosts."""
        self._endpoint = endpoint
        self._by_path = by_path

    def get_object(self, bucket: str, key: str) -> bytes:
        """Read a whole object."""
        return call(self._endpoint, "GET", self._url(bucket, key), {}).body

    def put_object(self, bucket: str, key: str, content: bytes, media_type: str) -> None:
        """Store an object; what arrives differently is refused by its checksum."""
        headers = {"content-type": media_type, **_checksum(content)}
        call(self._endpoint, "PUT", self._url(bucket, key), headers, content)

    def delete_object(self, bucket: str, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        call(self._endpoint, "DELETE", self._url(bucket, key), {})

    def delete_objects(self, bucket: str, keys: Sequence[str]) -> list[str]:
        """Delete up to 1,000 objects; return the codes of the errors of those that could not be."""
        # Only deletions need it, and lists below, which no stage makes when all goes well.
        from html import escape  # noqa: PLC0415

        objects = "".join(f"<Object><Key>{escape(key, quote=False)}</Key></Object>" for key in keys)
        body = f'<Delete xmlns="{_NAMESPACE}">{objects}<Quiet>true</Quiet></Delete>'.encode()
        headers = {"content-type": "application/xml", **_checksum(body)}
        answer = _xml(call(self._endpoint, "POST", f"{self._url(bucket)}?delete=", headers, body).body)
        return [_text(error, "Code") for error in answer.iter(f"{_IN_NAMESPACE}Error")]

    def list_objects(self, bucket: str, prefix: str) -> Iterator[list[str]]:
        """List the keys below a prefix, page by page: up to 1,000 each."""
        asked = {"list-type": "2", "prefix": prefix}
        while True:
            answer = _xml(call(self._endpoint, "GET", f"{self._url(bucket)}?{query_of(asked)}", {}).body)
            yield [_text(item, "Key") for item in answer.iter(f"{_IN_NAMESPACE}Contents")]
            if _text(answer, "IsTruncated") != "true":
                return
            asked["continuation-token"] = _text(answer, "NextContinuationToken")

    def presign_get(self, bucket: str, key: str, query: Mapping[str, str], seconds: int) -> str:
        """Sign an address of an object. Calls nothing."""
        return self._endpoint.signer.address(self._url(bucket, key), query, seconds, datetime.now(UTC))

    def presign_post(
        self, bucket: str, key: str, fields: Mapping[str, str], conditions: Sequence[Any], seconds: int
    ) -> tuple[str, dict[str, str]]:
        """Sign an upload form; return its address and its fields. Calls nothing."""
        signed = self._endpoint.signer.form(
            {**fields, "key": key}, [*conditions, {"bucket": bucket}, {"key": key}], seconds, datetime.now(UTC)
        )
        return self._url(bucket), signed

    def _url(self, bucket: str, key: str = "") -> str:
        if self._by_path:
            return f"{self._endpoint.url}/{bucket}" + (path_of(key) if key else "")
        parts = urlsplit(self._endpoint.url)
        return f"{parts.scheme}://{bucket}.{parts.netloc}{path_of(key)}"


def _checksum(content: bytes) -> dict[str, str]:
    checksum = base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()
    return {"x-amz-checksum-crc32": checksum, "x-amz-sdk-checksum-algorithm": "CRC32"}


def _xml(body: bytes) -> Any:
    # Only lists and deletions need it, which no stage makes when all goes well.
    from xml.etree import ElementTree  # noqa: PLC0415

    return ElementTree.fromstring(body)  # noqa: S314 - S3's own answer


def _text(element: Any, name: str) -> str:
    return str(element.findtext(f"{_IN_NAMESPACE}{name}") or "")
