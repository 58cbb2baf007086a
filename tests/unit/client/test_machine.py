import base64
from urllib.parse import parse_qs

import httpx
import pytest
from darkroom import MachineSession, ProfileError, SignInRefusedError
from darkroom.surroundings import Surroundings

TOKEN_URL = "https://machines.test/oauth2/token"  # noqa: S105 - an address
SECONDS = 3600


class Pool:
    """The token endpoint of a user pool."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            transport=httpx.MockTransport(self.handle), sleep=lambda _: None, now=lambda: self.now, jitter=lambda _: 0
        )

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)
        document = {"access_token": f"token-{len(self.requests)}", "expires_in": SECONDS, "token_type": "Bearer"}
        return httpx.Response(200, json=document)


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def session(pool: Pool) -> MachineSession:
    return MachineSession(TOKEN_URL, "nightly", "secret", pool.surroundings)


def test_token_is_asked_for_once_with_id_and_secret(pool: Pool, session: MachineSession) -> None:
    assert [session.token(), session.token()] == ["token-1", "token-1"]
    (request,) = pool.requests
    credentials = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
    assert (str(request.url), credentials) == (TOKEN_URL, b"nightly:secret")
    assert parse_qs(request.content.decode()) == {"grant_type": ["client_credentials"]}


def test_token_shortly_before_its_end_is_replaced(pool: Pool, session: MachineSession) -> None:
    session.token()
    pool.now += SECONDS - 30

    assert session.token() == "token-2"


def test_token_that_was_refused_is_replaced_once(pool: Pool, session: MachineSession) -> None:
    refused = session.token()

    assert [session.renewed(refused), session.renewed(refused)] == ["token-2", "token-2"]


def test_token_for_an_unknown_secret_is_refused(pool: Pool, session: MachineSession) -> None:
    pool.answers = [httpx.Response(400, json={"error": "invalid_client"})]

    with pytest.raises(SignInRefusedError, match="id and secret"):
        session.token()


def test_token_after_trouble_of_the_pool_is_asked_for_again(pool: Pool, session: MachineSession) -> None:
    pool.answers = [httpx.Response(503), httpx.Response(429)]

    assert session.token() == "token-3"


def test_secret_is_not_sent_over_plain_http() -> None:
    with pytest.raises(ProfileError, match="https"):
        MachineSession("http://machines.test/oauth2/token", "nightly", "secret")
