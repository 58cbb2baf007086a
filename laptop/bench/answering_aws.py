"""An AWS that answers what a function asks in its first invocation, and nothing else: it keeps nothing.

So that a cold start is measured with everything that belongs to it: the clients, their first connections, the signing.
"""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_JSON: Final = "application/x-amz-json-1.0"


class AnsweringAws:
    """DynamoDB, S3 and Step Functions, as far as they answer. `row` is every row, `image` every object."""

    def __init__(self, row: Mapping[str, Any], image: bytes) -> None:
        self.asked: list[str] = []
        answers = {
            "DynamoDB_20120810.UpdateItem": {"Attributes": row},
            "DynamoDB_20120810.GetItem": {"Item": row},
            "DynamoDB_20120810.PutItem": {},
            "AWSStepFunctions.StartExecution": {"executionArn": "arn:aws:states:::execution:m:e", "startDate": 1.0},
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers, image, self.asked))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        """For `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


def _handler(answers: Mapping[str, Any], image: bytes, asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers the SDK."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer with the object."""
            asked.append("S3.GetObject")
            self._answer(image, "image/jpeg")

        def do_PUT(self) -> None:
            """Take an object."""
            asked.append("S3.PutObject")
            if self.headers.get("Expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            self._read()
            self._answer(b"", "application/xml")

        def do_POST(self) -> None:
            """Answer a call by its name."""
            name = self.headers.get("X-Amz-Target", "")
            asked.append(name)
            self._read()
            self._answer(json.dumps(answers[name]).encode(), _JSON)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

        def _read(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    self.rfile.read(size + 2)
                while self.rfile.readline().strip():
                    pass
            else:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
