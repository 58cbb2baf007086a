import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from darkroom.dead_letters import DeadLetter, Kind, Message
from darkroom.errors import InvalidArgumentError
from darkroom.letter_filters import LetterFilter, duration

from tests.unit.client.dead_letter_office import ADA, envelope

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)


def parsed(body: object, message_id: str = "12345678-9abc") -> DeadLetter:
    text = body if isinstance(body, str) else json.dumps(body)
    return DeadLetter.parse(Message(message_id=message_id, body=text, sent_at=NOW))


def test_parse_of_an_envelope_reads_every_member() -> None:
    document = envelope("job-1", NOW.timestamp())
    letter = parsed(document)

    assert (letter.kind, letter.identity) == (Kind.LETTER, (ADA, "job-1", 1))
    assert (letter.failed_at, letter.redrive_can_help) == (NOW, True)
    assert [letter.stage, letter.error_class, letter.message, letter.cause, letter.next_step, letter.execution_arn] == [
        document[name] for name in ("stage", "errorClass", "message", "cause", "next", "executionArn")
    ]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"text"',
        '{"imageId": "i"}',
        '{"jobId": "j", "attempt": 1}',
        '{"errorClass": "X"}',
        "[" * 9999,
    ],
)
def test_parse_of_anything_else_is_raw(body: str) -> None:
    assert parsed(body).kind is Kind.RAW
    assert parsed(body).text == body


@pytest.mark.parametrize(
    "changes",
    [
        {"jobId": 7},
        {"owner": None},
        {"attempt": True},
        {"attempt": "1"},
        {"jobId": ""},
    ],
)
def test_parse_of_a_letter_that_names_no_attempt_keeps_its_messages_apart(changes: dict[str, Any]) -> None:
    document = envelope("job-1", NOW.timestamp(), **changes)
    one, other = parsed(document, "one"), parsed(document, "other")

    assert not one.names_an_attempt
    assert one.identity != other.identity


@pytest.mark.parametrize("failed_at", [None, 3, "yesterday", {}])
def test_since_without_a_usable_time_is_when_it_was_sent(failed_at: object) -> None:
    assert parsed(envelope("job-1", 0, failedAt=failed_at)).since == NOW


def test_since_of_a_time_without_a_zone_is_utc() -> None:
    assert parsed(envelope("job-1", 0, failedAt="2026-01-02T03:00:00")).since == NOW


@pytest.mark.parametrize("arn", [None, "", "arn:aws:states:eu central", "https://evil.test", "arn:aws:s3:::bucket"])
def test_console_url_of_what_is_no_execution_is_none(arn: str | None) -> None:
    assert parsed(envelope("job-1", 0, executionArn=arn)).console_url is None


def test_answers_to_a_message_id_only_without_a_job() -> None:
    assert parsed("raw").answers_to("12345678")
    assert not parsed("raw").answers_to("1234567")
    assert not parsed(envelope("job-1", 0)).answers_to("12345678")


def test_filter_of_an_age_does_not_want_what_has_none() -> None:
    letter = DeadLetter.parse(Message(message_id="1", body="raw"))

    assert LetterFilter().wants(letter, NOW)
    assert not LetterFilter(older_than=timedelta(0)).wants(letter, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200), ("99999d", 99_999 * 86_400)]
)
def test_duration_reads_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1.5h", "2 h", "2H", "1w", "100000d", "2h\n", "٣d"])
def test_duration_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="no duration"):
        duration(text)
