import httpx
import pytest
from darkroom.errors import ConnectionLostError
from darkroom.retrying import Retrier, RetryPolicy, retry_after
from darkroom.surroundings import Surroundings

REQUEST = httpx.Request("GET", "https://api.test/v1/jobs")


class Line:
    """Answers one thing after the other, and notes the waits in between."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.waits: list[float] = []
        self.retrier = Retrier(
            surroundings=Surroundings(sleep=self.waits.append, now=lambda: 0.0, jitter=lambda top: top),
            policy=RetryPolicy(tries=4, first_seconds=1, longest_seconds=3),
        )

    def send(self) -> httpx.Response:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def busy(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("first", [busy(429), busy(500), busy(504), httpx.ConnectError("refused", request=REQUEST)])
def test_send_when_trouble_passes_returns_the_good_answer(first: httpx.Response | Exception) -> None:
    line = Line(first, httpx.Response(200))

    assert line.retrier.send(line.send).status_code == 200


def test_send_when_trouble_stays_gives_the_last_answer_after_all_tries() -> None:
    line = Line(busy(), busy(), busy(), busy(502), httpx.Response(200))

    assert line.retrier.send(line.send).status_code == 502
    assert line.waits == [1, 2, 3]


def test_send_when_nothing_answers_raises_connection_lost_after_all_tries() -> None:
    line = Line(*[httpx.ReadTimeout("too slow", request=REQUEST)] * 4)

    with pytest.raises(ConnectionLostError, match=r"api\.test cannot be reached \(too slow; tried 4 times\)"):
        line.retrier.send(line.send)

    assert len(line.waits) == 3


def test_send_on_a_loopback_address_hints_at_the_stack_on_this_machine() -> None:
    here = httpx.Request("GET", "http://localhost:4566/jobs")
    line = Line(*[httpx.ConnectError("refused", request=here)] * 4)

    with pytest.raises(ConnectionLostError, match="make up"):
        line.retrier.send(line.send)


@pytest.mark.parametrize("status", [200, 303, 304, 400, 401, 404, 409])
def test_send_when_the_answer_is_final_does_not_try_again(status: int) -> None:
    line = Line(busy(status))

    assert line.retrier.send(line.send).status_code == status
    assert line.waits == []


def test_send_with_retry_after_waits_at_least_that_long() -> None:
    line = Line(busy(429, Retry_After="7"), httpx.Response(200))
    line.retrier.send(line.send)

    assert line.waits == [8]


def test_send_with_retry_after_beyond_patience_gives_the_answer_at_once() -> None:
    line = Line(busy(429, Retry_After="3600"), httpx.Response(200))

    assert line.retrier.send(line.send).status_code == 429
    assert line.waits == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        ("Thu, 01 Jan 1970 00:00:09 GMT", 9),
        ("Thu, 01 Jan 1970 00:00:00 -0000", 0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_any_form_is_read_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(busy(Retry_After=value), now=0.0) == seconds
