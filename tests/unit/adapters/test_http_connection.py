"""What is read off a connection, held equal to what http.client reads off the same bytes."""

import http.client
import io
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters.http_connection import MAX_HEADERS, MAX_LINE_BYTES, BadAnswerError, Connection, _Answer, _head

Read = tuple[int, dict[str, str], bytes]

NAMES = st.text("abcXYZ-09", min_size=1, max_size=12).filter(
    lambda name: name.lower() not in {"content-length", "transfer-encoding", "connection"}
)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=30)


class _Socket:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self._content))


def ours(content: bytes, method: str = "GET") -> Read:
    answer = _Answer(io.BufferedReader(io.BytesIO(content)), is_head=method == "HEAD")
    return answer.status, answer.headers, answer.body


def theirs(content: bytes, method: str = "GET") -> Read:
    answer = http.client.HTTPResponse(_Socket(content), method=method)  # type: ignore[arg-type]
    answer.begin()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    status = draw(st.sampled_from([200, 204, 206, 304, 400, 403, 404, 500, 503]))
    headers = draw(st.dictionaries(NAMES, VALUES, max_size=6))
    body = draw(st.binary(max_size=200))
    coding = draw(st.sampled_from(["length", "end"] if status in {204, 304} else ["length", "chunks", "end"]))
    if coding == "length":
        headers["Content-Length"] = str(len(body))
    if coding == "chunks":
        headers["Transfer-Encoding"] = "chunked"
        cut = draw(st.integers(0, len(body)))
        parts = [part for part in (body[:cut], body[cut:]) if part]
        body = b"".join(b"%X;a=b\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    end = draw(st.sampled_from(["\r\n", "\n"]))
    first = draw(st.sampled_from(["", f"HTTP/1.1 100 Continue{end}{end}"]))
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return (first + end.join(lines)).encode() + body


@given(answers(), st.sampled_from(["GET", "HEAD", "PUT"]))
def test_answers_are_read_as_http_client_reads_them(content: bytes, method: str) -> None:
    assert ours(content, method) == theirs(content, method)


@given(answers(), st.data())
def test_answers_that_are_cut_are_never_read_as_whole(content: bytes, data: st.DataObject) -> None:
    cut = content[: data.draw(st.integers(0, len(content)))]
    try:
        read = theirs(cut)
    except (http.client.HTTPException, ValueError):
        read = None
    # http.client takes headers that end early for all of them.
    with suppress(BadAnswerError):
        assert ours(cut) == read


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(BadAnswerError):
        ours(b"HTTP/1.1 200 OK\r\n" + content)


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: -1",
        "Content-Length: +1",
        "Content-Length: 1_0",
        "Content-Length: 1 ",
        "Content-Length: \xb2",
        "Content-Length: 1\r\nContent-Length: 2",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
        "Name : v",
        " folded: v",
        "no colon",
        "X: " + "a" * MAX_LINE_BYTES,
        "\r\n".join(f"X{number}: v" for number in range(MAX_HEADERS + 1)),
    ],
)
def test_headers_that_are_ambiguous_or_too_many_are_refused(lines: str) -> None:
    answer = f"HTTP/1.1 200 OK\r\n{lines}\r\n\r\n".encode("latin-1")
    if lines == "Content-Length: 1 ":
        assert ours(answer + b"x")[2] == b"x"  # blanks around a value are no part of it
        return
    with pytest.raises(BadAnswerError):
        ours(answer + b"0\r\n\r\n")


@pytest.mark.parametrize("size", ["", "-1", "0x1", "1_0", "g"])
def test_chunks_without_a_size_are_refused(size: str) -> None:
    with pytest.raises(BadAnswerError):
        ours(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nx\r\n0\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/a\r\nX: b", {}), ("/a b", {}), ("/a", {"x\r\ny": "v"}), ("/a", {"x": "v\ny: z"}), ("/a", {"x": "\0"})],
)
def test_requests_that_would_break_their_lines_are_refused(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="end of line"):
        _head("GET", target, headers, b"")


@pytest.mark.parametrize(("method", "body", "length"), [("PUT", b"", b"0"), ("POST", b"abc", b"3"), ("GET", b"", None)])
def test_requests_say_how_long_they_are(method: str, body: bytes, length: bytes | None) -> None:
    head = _head(method, "/a", {"host": "h"}, body)
    assert head.endswith(b"\r\n\r\n")
    assert (b"content-length: " + (length or b"")) in head if length else b"content-length" not in head


@pytest.mark.parametrize("closing", [b"Connection: close\r\nContent-Length: 2\r\n", b""])
def test_connection_that_ends_with_its_answer_is_closed(closing: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connection = Connection(urlsplit(f"http://127.0.0.1:{listening.getsockname()[1]}"), 2.0)
        server, _ = listening.accept()
        with server:
            server.sendall(b"HTTP/1.1 200 OK\r\n" + closing + b"\r\nok")
            server.shutdown(socket.SHUT_WR)
            assert connection.exchange("GET", "/", {}, b"", 2.0)[2] == b"ok"
    assert not connection.is_open


def test_connection_takes_nothing_sent_behind_an_answer_for_the_next() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connection = Connection(urlsplit(f"http://127.0.0.1:{listening.getsockname()[1]}"), 2.0)
        server, _ = listening.accept()
        with server:
            for name in (b"a", b"b"):
                server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + name + b"HTTP/1.1 500 No\r\n\r\n")
                if name == b"a":
                    assert connection.exchange("GET", "/", {}, b"", 2.0)[2] == name
            assert connection.exchange("GET", "/", {}, b"", 2.0)[2] == b"b"
    connection.close()
