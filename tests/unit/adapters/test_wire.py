"""Requests over a real connection to a server that misbehaves."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from lambdas.adapters import http_connection, wire
from lambdas.adapters.wire import Request, UnreachedError, transmit

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name: v\r\n\r\nok"
Script = list[list[bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Script], str]]:
    """Serve a script: for each connection the answers to its requests, after which it is closed."""
    listening = socket.create_server(("127.0.0.1", 0))
    accepted: list[int] = []
    wire._idle.clear()

    def begin(script: Script) -> str:
        threading.Thread(target=_play, args=(listening, script, accepted), daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield begin
    listening.close()
    for connection in wire._idle.values():
        connection.close()
    wire._idle.clear()


def _play(listening: socket.socket, script: Script, accepted: list[int]) -> None:
    for answers in script:
        connection, _ = listening.accept()
        accepted.append(1)
        with connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)


def ask(url: str, seconds: float = 2.0) -> Request:
    return Request(method="GET", url=f"{url}/path?a=b", headers={"x-a": "b"}, read_timeout=seconds)


def test_transmit_returns_the_answer_whole(serve: Callable[[Script], str]) -> None:
    response = transmit(ask(serve([[GOOD]])))
    assert (response.status, response.body, response.headers["x-name"]) == (200, b"ok", "v")


def test_transmit_uses_a_connection_again(serve: Callable[[Script], str]) -> None:
    # A second connection would never be answered: the script has one.
    url = serve([[GOOD, GOOD, GOOD]])
    assert [transmit(ask(url)).body for _ in range(3)] == [b"ok"] * 3


def test_transmit_opens_another_when_the_other_side_has_closed_it(serve: Callable[[Script], str]) -> None:
    url = serve([[GOOD], [GOOD]])
    transmit(ask(url))
    connection = next(iter(wire._idle.values()))
    connection.sock.settimeout(2)
    assert connection.sock.recv(1, socket.MSG_PEEK) == b""
    assert transmit(ask(url)).body == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 many OK\r\n\r\n",
    ],
)
def test_transmit_of_what_is_not_answered_properly_says_so(serve: Callable[[Script], str], answer: bytes) -> None:
    url = serve([[answer], [GOOD]])
    with pytest.raises(UnreachedError):
        transmit(ask(url))
    assert transmit(ask(url)).body == b"ok"


def test_transmit_waits_no_longer_than_it_is_told(serve: Callable[[Script], str]) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with listening, pytest.raises(UnreachedError, match="Timeout"):
        transmit(ask(f"http://127.0.0.1:{listening.getsockname()[1]}", seconds=0.05))


def test_transmit_to_where_nobody_listens_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(UnreachedError, match="ConnectionRefusedError"):
        transmit(ask(f"http://127.0.0.1:{port}"))


def test_tls_trusts_the_file_that_is_named_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    http_connection._tls.cache_clear()
    with pytest.raises(UnreachedError, match="FileNotFoundError"):
        transmit(ask("https://127.0.0.1:1"))
    http_connection._tls.cache_clear()
