"""Requests over TLS, to a server on this machine with a certificate that is made for the test."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lambdas.adapters import http_connection, wire
from lambdas.adapters.wire import Request, UnreachedError, transmit

BODY = b"what is stored" * 10_000


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]] = set()  # noqa: RUF012 - of the one server of a test

    def do_PUT(self) -> None:
        self.connections.add(self.client_address)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key, and a certificate of its own for `localhost`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    present = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(present - datetime.timedelta(hours=1))
        .not_valid_after(present + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """Of a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    Echo.connections.clear()
    server = HTTPServer(("127.0.0.1", 0), Echo)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield int(server.server_address[1])
    for connection in wire._idle.values():
        connection.close()
    wire._idle.clear()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The certificate is one of those that are trusted."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    http_connection._tls.cache_clear()
    yield
    http_connection._tls.cache_clear()


def put(host: str, port: int) -> Request:
    return Request(method="PUT", url=f"https://{host}:{port}/key", headers={}, body=BODY, read_timeout=5)


@pytest.mark.usefixtures("trusting")
def test_request_over_tls_is_answered_and_the_connection_is_kept(port: int) -> None:
    answers = [transmit(put("localhost", port)) for _ in range(2)]

    assert [(answer.status, answer.body == BODY) for answer in answers] == [(200, True)] * 2
    assert len(Echo.connections) == 1


@pytest.mark.usefixtures("trusting")
def test_certificate_of_another_host_is_refused(port: int) -> None:
    with pytest.raises(UnreachedError, match="SSLCertVerificationError"):
        transmit(put("127.0.0.1", port))
    assert not Echo.connections


def test_certificate_that_nobody_vouches_for_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    http_connection._tls.cache_clear()

    with pytest.raises(UnreachedError, match="SSLCertVerificationError"):
        transmit(put("localhost", port))
    assert not Echo.connections
