"""Uploads to and downloads from the image store, by presigned addresses: the sign-in is never sent there."""

import re

import httpx

from darkroom.addresses import is_loopback
from darkroom.errors import ConnectionLostError, StorageError, TooLargeError, UnexpectedAnswerError
from darkroom.models import Upload
from darkroom.retrying import Retrier

_CODE = re.compile(r"<Code>(\w{1,64})</Code>")


class Storage:
    """The image store. Its HTTP client knows no token."""

    def __init__(self, http: httpx.Client, retrier: Retrier) -> None:
        self._http = http
        self._retrier = retrier

    def put(self, upload: Upload, content: bytes, media_type: str) -> None:
        """Send an image where `upload` says. Raises TooLargeError, StorageError, ConnectionLostError."""
        check_size(len(content), upload)
        url = _checked(upload.url)
        file = ("image", content, media_type)
        response = self._retrier.send(
            lambda: self._open().post(url, data=dict(upload.fields), files={"file": file}),
        )
        _accept(response, "upload")

    def get(self, url: str) -> bytes:
        """Fetch what is at a presigned address. Raises StorageError, ConnectionLostError."""
        address = _checked(url)
        response = self._retrier.send(lambda: self._open().get(address))
        _accept(response, "download")
        return response.content

    def _open(self) -> httpx.Client:
        if self._http.is_closed:
            raise ConnectionLostError("The client is closed.")
        return self._http


def check_size(size: int, upload: Upload) -> None:
    """Raise TooLargeError when an image of `size` bytes would be refused."""
    if size > upload.max_bytes:
        megabytes = upload.max_bytes / 1_000_000
        raise TooLargeError(
            f"The image is {size / 1_000_000:.1f} MB; Darkroom takes {megabytes:.1f} MB at most. Shrink it."
        )


def _accept(response: httpx.Response, what: str) -> None:
    if response.is_success:
        return
    found = _CODE.search(response.text)
    code = found.group(1) if found else ""
    if code == "EntityTooLarge":
        raise TooLargeError("The image is larger than Darkroom takes. Shrink it.")
    reason = f"{response.status_code} {code}".strip()
    raise StorageError(f"The image store refused the {what} ({reason}). Its address may have expired; try again.")


def _checked(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise UnexpectedAnswerError(f"The API gave an address of the image store that is none: {error}.") from error
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise UnexpectedAnswerError("The API gave an address of the image store that is not https://.")
    return url
