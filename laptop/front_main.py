"""Serve the console and pass on what it asks for: the program that `laptop.front` starts.

What CloudFront is in an account: one origin for the page and for all that it talks to, with the same routes and the
same headers. It listens to this machine only, and ends when the emulator does.
"""

import gzip
import hashlib
import http.client
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from laptop import front_routes, held_file
from laptop.front_routes import Refused
from laptop.places import Home
from stacks.console_site import (
    CACHE_CONTROL,
    CONFIG,
    DATA_HEADERS,
    MEDIA_TYPES,
    NOT_FOUND_PAGE,
    PAGE_HEADERS,
    Route,
    files_in,
)

_HOP_BY_HOP: Final = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
"""Headers that belong to one connection (RFC 9110, 7.6.1)."""
_PATIENCE_SECONDS: Final = 60.0
"""Longer than the API holds an answer back."""
_PIECE: Final = 65536
_READ_AWAY: Final = 1_000_000
"""Bytes of a body that nobody wants: more, and the connection is closed instead."""
_COMPRESSED: Final = ("text/", "image/svg+xml")
"""What CloudFront compresses, too, of the kinds that there are."""


class Front(ThreadingHTTPServer):
    """The origin. `plan` is what `front.py` has written."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, plan: Mapping[str, Any]) -> None:
        super().__init__(("127.0.0.1", plan["port"]), Handler)
        self.folder = Path(plan["folder"])
        self.config = json.dumps(plan["config"]).encode()
        self.emulator = urlsplit(plan["endpoint"])
        self.behind = {Route(route): path for route, path in plan["behind"].items()}
        self.bucket = str(plan["bucket"])
        self.hosts = {f"{name}:{plan['port']}" for name in ("127.0.0.1", "localhost")}


class Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    server: Front
    protocol_version = "HTTP/1.1"
    server_version = "Darkroom"
    sys_version = ""
    _passing_on = False

    def answer(self) -> None:
        """Answer a request of any method."""
        self._passing_on = False
        path, _, query = self.path.partition("?")
        if self.headers.get("Host") not in self.server.hosts:
            # Another name that leads here is somebody else's page, which would be of our origin (DNS rebinding).
            self._say(HTTPStatus.MISDIRECTED_REQUEST, "The console answers at its own address only.")
            return
        files = files_in(self.server.folder)
        found = front_routes.find(self.command, path, {*files, CONFIG})
        if isinstance(found, Refused):
            self._refuse(found, files)
        elif found.route is Route.LIVE:
            self._tunnel(query)
        elif found.route is not None:
            self._pass_on(found.route, found.path, query)
        elif found.path == CONFIG:
            self._send(HTTPStatus.OK, PAGE_HEADERS, self.server.config, "application/json")
        else:
            self._send_file(HTTPStatus.OK, files[found.path])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - the library's names

    def _refuse(self, refused: Refused, files: Mapping[str, Path]) -> None:
        if refused.allowed:
            self._say(refused.status, "This path has other methods.", {"Allow": ", ".join(refused.allowed)})
        elif NOT_FOUND_PAGE in files:
            self._send_file(refused.status, files[NOT_FOUND_PAGE])
        else:
            self._say(refused.status, "There is nothing here.")

    def _send_file(self, status: HTTPStatus, path: Path) -> None:
        plain, packed, tag = _content(path, path.stat().st_mtime_ns)
        media_type = MEDIA_TYPES[path.suffix]
        headers = {**PAGE_HEADERS, "ETag": tag}
        if status is HTTPStatus.OK and self.headers.get("If-None-Match") == tag:
            self._send(HTTPStatus.NOT_MODIFIED, headers, b"", media_type)
        elif media_type.startswith(_COMPRESSED) and "gzip" in self.headers.get("Accept-Encoding", ""):
            self._send(status, {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}, packed, media_type)
        else:
            self._send(status, headers, plain, media_type)

    def _say(self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> None:
        problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": text}
        everything = {**DATA_HEADERS, **(headers or {})}
        self._send(status, everything, json.dumps(problem).encode(), "application/problem+json")

    def _send(self, status: HTTPStatus, headers: Mapping[str, str], content: bytes, media_type: str) -> None:
        self._drop_body()
        self._head(status, {**headers, "Cache-Control": CACHE_CONTROL, "Content-Type": media_type}.items())
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _drop_body(self) -> None:
        """Do not take what was sent along for the next request of the connection."""
        length = int(self.headers.get("Content-Length", "0"))
        if "Transfer-Encoding" in self.headers or length > _READ_AWAY or (length and self._passing_on):
            self.close_connection = True
        else:
            self.rfile.read(length)

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)

    def _pass_on(self, route: Route, path: str, query: str) -> None:
        """Ask the emulator, and hand on what it says, with our headers instead of its own of the same name."""
        if "Transfer-Encoding" in self.headers:
            self._say(HTTPStatus.LENGTH_REQUIRED, "A body has to come with its length.")
            return
        if route is Route.FILES and not f"{path}/".startswith(f"/{self.server.bucket}/"):
            self._say(HTTPStatus.FORBIDDEN, "Only the bucket of images is below this path.")
            return
        target = self.server.behind[route] + ("" if route is Route.SIGN_IN else path) + (f"?{query}" if query else "")
        length = int(self.headers.get("Content-Length", "0"))
        self._passing_on = True
        with closing(_connection(self.server)) as upstream:
            try:
                upstream.request(self.command, target, self._body(length), self._passed_on(route))
                answer = upstream.getresponse()
            except OSError:
                self._say(HTTPStatus.BAD_GATEWAY, "The emulator does not answer. Look at `make status`.")
                return
            self._hand_on(answer)

    def _body(self, length: int) -> Iterable[bytes] | None:
        return _pieces(self.rfile, length) if length else None

    def _passed_on(self, route: Route) -> dict[str, str]:
        """Headers for the emulator. A presigned address is leave enough, and S3 refuses two kinds of it."""
        left_out = {*_HOP_BY_HOP, "host", *(("authorization",) if route is Route.FILES else ())}
        return {name: value for name, value in self.headers.items() if name.lower() not in left_out}

    def _hand_on(self, answer: http.client.HTTPResponse) -> None:
        ours = {name.lower() for name in DATA_HEADERS}
        left_out = {*_HOP_BY_HOP, *ours, "server", "date", "content-length"}
        kept = [
            (name, self._at_home(name, value))
            for name, value in answer.getheaders()
            # The emulator lets every origin in; in an account, none is.
            if name.lower() not in left_out and not name.lower().startswith("access-control-")
        ]
        self._head(answer.status, [*kept, *DATA_HEADERS.items()])
        bodiless = self.command == "HEAD" or answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        content = b"" if bodiless else answer.read()
        if not bodiless:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _at_home(self, name: str, value: str) -> str:
        """Have a redirect to the image bucket stay at this origin."""
        storage = f"{self.server.emulator.geturl()}/{self.server.bucket}/"
        if name.lower() == "location" and value.startswith(storage):
            return Route.FILES + value.removeprefix(self.server.emulator.geturl())
        return value

    def _tunnel(self, query: str) -> None:
        """Let browser and emulator talk: their handshake first, as it is, and then whatever they say."""
        if self.headers.get("Upgrade", "").lower() != "websocket":
            self._say(HTTPStatus.UPGRADE_REQUIRED, "This is a WebSocket.", {"Upgrade": "websocket"})
            return
        self.close_connection = True
        self.log_request(HTTPStatus.SWITCHING_PROTOCOLS)
        target = self.server.behind[Route.LIVE] + (f"?{query}" if query else "")
        headers = [*((name, value) for name, value in self.headers.items() if name.lower() != "host")]
        lines = [f"GET {target} HTTP/1.1", f"Host: {self.server.emulator.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers]
        place = (self.server.emulator.hostname, self.server.emulator.port)
        with suppress(OSError), socket.create_connection(place, timeout=_PATIENCE_SECONDS) as upstream:
            upstream.settimeout(None)
            upstream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            back = threading.Thread(target=_pump, args=(upstream, self.connection), daemon=True)
            back.start()
            _pump(self.connection, upstream)
            back.join()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - theirs
        """Note what was asked for, without its query."""
        number = code.value if isinstance(code, HTTPStatus) else code
        self.log_message("%s %s %s", self.command, self.path.partition("?")[0], number)


@lru_cache(maxsize=200)
def _content(path: Path, _changed_at: int) -> tuple[bytes, bytes, str]:
    """A file, the same compressed, and the tag of its content."""
    content = path.read_bytes()
    return content, gzip.compress(content, mtime=0), f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _connection(server: Front) -> http.client.HTTPConnection:
    place = server.emulator
    return http.client.HTTPConnection(str(place.hostname), place.port, timeout=_PATIENCE_SECONDS)


def _pieces(file: Any, length: int) -> Iterable[bytes]:
    while length > 0 and (piece := file.read(min(length, _PIECE))):
        length -= len(piece)
        yield piece


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes until one side has ended; then end the other."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def main(folder: str) -> None:
    """Hold the lock and serve until the emulator ends, or until told to."""
    home = Home(Path(folder))
    plan = json.loads(home.front.read_text())
    with Front(plan) as front:
        lock = held_file.hold(home.front_lock, {"process": os.getpid(), "port": plan["port"], "plan": plan["digest"]})
        if lock is None:
            sys.exit("The console of this folder is served already.")
        # Not here: it waits for the loop that the signal has interrupted.
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=front.shutdown, daemon=True).start())
        threading.Thread(target=_stop_after, args=(home.lock, front), daemon=True).start()
        front.serve_forever(poll_interval=0.1)
        lock.close()


def _stop_after(emulators_lock: Path, front: Front) -> None:
    held_file.wait_until_free(emulators_lock)
    front.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
