"""As much of Lambda's runtime interface as one function needs: it is handed events, one by one, and answers them.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: AWS's own runtime client, `awslambdaric`, speaks it.
"""

import json
import queue
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

SECONDS: Final = 30.0
"""Longer than any start; a function that takes so long hangs."""

HEADERS: Final = {
    "Content-Type": "application/json",  # the runtime client breaks down without it
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Deadline-Ms": "4102444800000",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:000000000000:function:f",
    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
}


class FunctionFailedError(RuntimeError):
    """The function did not start or did not answer; the message is what it said."""


class _Server(ThreadingHTTPServer):
    """One whose callers may vanish: functions are killed when they have been measured."""

    daemon_threads = True

    def handle_error(self, _request: Any, _address: Any) -> None:
        """Say nothing."""


class RuntimeApi:
    """The interface, for one function at a time, on a port of its own."""

    def __init__(self) -> None:
        self._events: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._said: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _handler(self._events, self._said))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """For `AWS_LAMBDA_RUNTIME_API`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def wait_until_asked(self) -> None:
        """Return when the function asks for an event: it has been initialised. Raises FunctionFailedError."""
        self._next("next")

    def answer_to(self, event: Mapping[str, Any]) -> Any:
        """Hand over an event, and return the answer. Raises FunctionFailedError."""
        self._events.put(event)
        return self._next("response")

    def forget(self) -> None:
        """Make ready for the next function: the last one was killed while it waited for an event."""
        self._events.put({})
        while not self._events.empty():
            time.sleep(0.001)

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()

    def _next(self, wanted: str) -> Any:
        try:
            kind, body = self._said.get(timeout=SECONDS)
        except queue.Empty:
            raise FunctionFailedError("The function said nothing within 30 s.") from None
        if kind != wanted:
            raise FunctionFailedError(f"The function said {kind} instead of {wanted}: {body}")
        return body


def _handler(
    events: queue.Queue[Mapping[str, Any]], said: queue.Queue[tuple[str, Any]]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers the runtime client."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Hand over the next event, when there is one."""
            said.put(("next", None))
            self._answer(json.dumps(events.get()).encode(), 200)

        def do_POST(self) -> None:
            """Take an answer, or an error."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said.put((self.path.rpartition("/")[2], json.loads(body) if body else None))
            self._answer(b"{}", 202)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

        def _answer(self, body: bytes, status: int) -> None:
            self.send_response(status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
