"""HTTP/1.1 on one connection: the part of it that a client of AWS needs (RFC 9112).

Not http.client, which reads headers by the package `email`: to import the two takes half as long as to start Python
(docs/performance.md). A property test holds what is read here equal to what http.client reads. Must not ask twice.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from io import BufferedReader
from typing import Any, Final
from urllib.parse import SplitResult

MAX_LINE_BYTES: Final = 64 * 1024
MAX_HEADERS: Final = 100
"""Both are http.client's; AWS sends some twenty headers."""
_PORTS: Final = {"http": 80, "https": 443}
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT"})
_DECIMAL: Final = "0123456789"
_HEXADECIMAL: Final = "0123456789abcdefABCDEF"
_FORBIDDEN: Final = frozenset("\r\n\0")
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class BadAnswerError(Exception):
    """What came is no HTTP, or only a part of an answer."""


class Connection:
    """A connection to one host. After an error, or an answer that says so, it is not used again: `is_open` is False."""

    def __init__(self, place: SplitResult, timeout: float) -> None:
        """Connect within the time-out. Raises OSError, and ValueError for an address that is none."""
        # As bytes: a name given as text is encoded by `encodings.idna`, which takes longer to import than to connect.
        host = (place.hostname or "").encode("ascii")
        tls = _tls() if place.scheme == "https" else None
        address: tuple[Any, int] = host, place.port or _PORTS[place.scheme]
        self.sock: socket.socket = socket.create_connection(address, timeout)
        self.is_open = True
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                self.sock = tls.wrap_socket(self.sock, server_hostname=host)
        except BaseException:
            self.sock.close()
            raise
        self._host = place.netloc

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers with names in lower case, and body of the answer.

        `timeout` is of a pause in the answer. Raises OSError, BadAnswerError, and ValueError if the request is none.
        """
        self.sock.settimeout(timeout)
        self.sock.sendall(_head(method, target, {"host": self._host, **headers}, body) + body)
        # One for each answer, so that nothing which was sent behind one is taken for the next.
        with self.sock.makefile("rb") as reader:
            answer = _Answer(reader, is_head=method == "HEAD")
        if not answer.keeps_connection:
            self.close()
        return answer.status, answer.headers, answer.body

    def close(self) -> None:
        """Close it; may be called again."""
        self.is_open = False
        self.sock.close()


class _Answer:
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    keeps_connection: bool

    def __init__(self, reader: BufferedReader, *, is_head: bool) -> None:
        self._reader = reader
        self._begin()
        while self.status // 100 == 1:  # "go on": the answer proper is still to come
            self._begin()
        if self.headers.get("connection", "").lower() == "close":
            self.keeps_connection = False
        self.body = b"" if is_head or self.status in _WITHOUT_BODY else self._body()

    def _begin(self) -> None:
        self.status, self.keeps_connection = self._status_line()
        self.headers = self._headers()

    def _body(self) -> bytes:
        coding, length = self.headers.get("transfer-encoding", "").lower(), self.headers.get("content-length")
        if coding == "chunked":
            return self._chunks()
        if coding:
            raise BadAnswerError("a coding that is not known")
        if length is not None:
            return self._exactly(_number(length, _DECIMAL))
        self.keeps_connection = False
        return self._reader.read()

    def _status_line(self) -> tuple[int, bool]:
        """Read the status, and whether the version keeps connections."""
        version, _, rest = self._line().partition(" ")
        status = rest[:3]
        if version not in {"HTTP/1.1", "HTTP/1.0"} or not (status.isascii() and status.isdigit() and rest[3:4] in " "):
            raise BadAnswerError("no status")
        if int(status) < HTTPStatus.CONTINUE:
            raise BadAnswerError("no status")
        return int(status), version == "HTTP/1.1"

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS + 1):
            line = self._line()
            if not line:
                return headers
            name, colon, value = line.partition(":")
            # A name with a space, or a line that begins with one, is how answers are smuggled (RFC 9112, 5.1 and 5.2).
            if not colon or not name or name.split() != [name]:
                raise BadAnswerError("a header that is none")
            name, value = name.lower(), value.strip(" \t")
            if name in {"content-length", "transfer-encoding"} and headers.get(name, value) != value:
                raise BadAnswerError("two lengths")
            headers[name] = value
        raise BadAnswerError("too many headers")

    def _chunks(self) -> bytes:
        parts = []
        while size := _number(self._line().partition(";")[0].strip(" \t"), _HEXADECIMAL):
            parts.append(self._exactly(size))
            if self._exactly(2) != b"\r\n":
                raise BadAnswerError("a chunk without its end")
        self._headers()
        return b"".join(parts)

    def _exactly(self, length: int) -> bytes:
        content = self._reader.read(length)
        if len(content) < length:
            raise BadAnswerError("the answer ends early")
        return content

    def _line(self) -> str:
        """Read a line, without its end."""
        line = self._reader.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES or not line.endswith(b"\n"):
            raise BadAnswerError("a line without its end")
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("latin-1")


def _head(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Lay out all of a request but its body. Raises ValueError when a part of it would end its line."""
    if body or method in _METHODS_WITH_BODY:
        headers = {**headers, "content-length": str(len(body))}
    lines = [f"{method} {target} HTTP/1.1", "accept-encoding: identity", *(f"{n}: {v}" for n, v in headers.items())]
    if " " in target or any(not _FORBIDDEN.isdisjoint(line) for line in lines):
        raise ValueError("A request with a space or an end of line where none may be.")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _number(text: str, digits: str) -> int:
    # int() alone takes signs, blanks, underscores, prefixes and digits of other scripts.
    if not text or not set(text) <= set(digits):
        raise BadAnswerError("a length that is none")
    return int(text, 10 if digits is _DECIMAL else 16)


@cache
def _tls() -> ssl.SSLContext:
    """Trust what the system trusts, or the file that `AWS_CA_BUNDLE` names, as AWS's own tools do."""
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
