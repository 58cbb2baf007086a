import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from darkroom import Profile, letter_queue
from darkroom.cli import dlq, main
from moto import mock_aws

from tests.unit.client.conftest import Run
from tests.unit.client.dead_letter_office import ADA, BOB, REGION, DeadLetterOffice, outcome
from tests.unit.client.fake_darkroom import FakeDarkroom

RunCommand = Callable[..., Run]


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "so it is"}}, "Operation")


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs", region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def office(
    sqs: Any, fake: FakeDarkroom, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DeadLetterOffice]:
    monkeypatch.setattr(letter_queue, "WAIT_SECONDS", 0)
    made = DeadLetterOffice(sqs, lambda: fake.now)
    assert profile.path is not None
    replace(profile, operator=made.places, region=REGION).save(profile.path)
    yield made
    sqs.delete_queue(QueueUrl=made.url)


@pytest.fixture
def run(office: DeadLetterOffice, fake: FakeDarkroom, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    def run_command(*arguments: object) -> Run:
        surroundings = replace(fake.surroundings, aws_client=office.client)
        code = main(["dlq", *(str(argument) for argument in arguments)], surroundings)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run_command


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What a person at a terminal says when asked."""
    said: list[bool] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", lambda *args, **options: said.pop(0))
    return said


def names(ended: Run) -> list[object]:
    return [line["jobId"] for line in ended.lines()]


def outcomes(ended: Run) -> dict[object, object]:
    return {line["jobId"]: line["outcome"] for line in ended.lines()}


def test_list_shows_the_oldest_first_and_leaves_all_in_the_queue(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-new", age=90)
    office.put("job-old", age=3 * 86_400, redriveCanHelp=False, errorClass="InvalidImage", message="No image.")
    ended = run("list")
    heading, first, second = ended.out.splitlines()

    assert ended.code == 0
    assert heading.split() == ["JOB", "AGE", "OWNER", "REDRIVE", "WHAT", "FAILED"]
    assert first.split()[:5] == ["job-old", "3d", ADA[:8], "cannot", "help"]
    assert second.split()[:5] == ["job-new", "90s", ADA[:8], "can", "help"]
    assert "No image. (InvalidImage in palette)" in first
    assert "2 dead letters: 1 InvalidImage, 1 TransientError." in ended.err
    assert office.seen() == ["job-new", "job-old"]


def test_list_with_json_has_all_that_the_letter_says(run: RunCommand, office: DeadLetterOffice) -> None:
    message_id = office.put("job-1", priority="high")
    (line,) = run("list", "--json").lines()

    assert line["letter"]["priority"] == "high"  # type: ignore[index]
    assert (line["kind"], line["jobId"], line["owner"], line["attempt"]) == ("letter", "job-1", ADA, 1)
    assert (line["copies"], line["messageIds"]) == (1, [message_id])


def test_list_of_more_than_a_page_shows_each_once(run: RunCommand, office: DeadLetterOffice) -> None:
    for number in range(23):
        office.put(f"job-{number}")

    assert sorted(names(run("list", "--json"))) == sorted(f"job-{number}" for number in range(23))  # type: ignore[type-var]
    assert len(office.seen()) == 23


def test_list_of_an_empty_queue_says_so(run: RunCommand) -> None:
    ended = run("list")

    assert (ended.code, ended.out, ended.err) == (0, "", "No dead letters.\n")


def test_list_when_somebody_else_holds_letters_says_so(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    office.take()
    ended = run("list")

    assert ended.out == ""
    assert "About 1 more are out of sight" in ended.err


def test_list_of_copies_shows_the_letter_once_with_their_number(run: RunCommand, office: DeadLetterOffice) -> None:
    for _ in range(3):
        office.put("job-1")
    office.put("job-1", attempt=2)
    office.put("job-1", owner=BOB)

    assert [line["copies"] for line in run("list", "--json").lines()] == [3, 1, 1]
    assert "3 copies" in run("list").out


def test_list_of_what_is_no_letter_calls_it_raw(run: RunCommand, office: DeadLetterOffice) -> None:
    message_id = office.put_text("half a mess\x1b[2Jage")
    ended = run("list")

    assert message_id[:8] in ended.out
    assert "raw" in ended.out
    assert "\x1b" not in ended.out
    assert run("list", "--json").lines()[0]["body"] == "half a mess\x1b[2Jage"


def test_list_of_untrusted_text_shows_it_plainly(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1", message="[red]oops\x1b[2J\u202e", errorClass="X\n", owner="\x07evil")
    ended = run("list")

    assert r"[red]oops\x1b[2J\u202e" in ended.out
    assert "\x07" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--class", "InvalidImage"], ["bad"]),
        (["--class", "InvalidImage", "--class", "StageTimeout"], ["bad", "slow"]),
        (["--older-than", "2h"], ["old"]),
        (["--newer-than", "30m"], ["new", "raw"]),  # what is raw goes by when it was sent
        (["--older-than", "90s", "--newer-than", "2h"], ["bad", "slow"]),
        (["--older-than", "3d"], []),
        (["--owner", BOB], ["slow"]),
        (["--owner", BOB[:8]], ["slow"]),
        (["--stage", "inspect"], ["bad"]),
        (["--owner", BOB, "--stage", "inspect"], []),
        ([], ["bad", "new", "old", "raw", "slow"]),
    ],
)
def test_list_with_filters_shows_what_fits_all_of_them(
    run: RunCommand, office: DeadLetterOffice, options: list[str], expected: list[str]
) -> None:
    office.put("old", age=86_400)
    office.put("new", age=60)
    office.put("bad", age=3600, errorClass="InvalidImage", stage="inspect")
    office.put("slow", age=3600, errorClass="StageTimeout", owner=BOB)
    office.put_text('{"imageId": "i"}')

    assert sorted(str(name or "raw") for name in names(run("list", "--json", *options))) == expected
    assert len(office.seen()) == 5


def test_list_with_a_limit_shows_no_more(run: RunCommand, office: DeadLetterOffice) -> None:
    for number in range(12):
        office.put(f"job-{number}")

    assert len(names(run("list", "--json", "--limit", 3))) == 3
    assert len(office.seen()) == 12


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--older-than", "2 hours"],
        ["list", "--newer-than", "1w"],
        ["list", "--limit", "0"],
        ["list", "--owner", ""],
        ["redrive"],
        ["redrive", "--limit", "5"],
        ["redrive", "--all", "--rate", "0"],
        ["redrive", "--owner", "", "--yes"],
        ["discard"],
        ["discard", "--yes"],
        ["discard", "--all"],
        ["redrive", "job-1"],
        ["show"],
    ],
)
def test_commands_with_what_cannot_be_are_usage_errors_and_change_nothing(
    run: RunCommand, office: DeadLetterOffice, arguments: list[str]
) -> None:
    office.put("job-1")

    assert run(*arguments).code == 2
    assert (office.functions.asked, office.seen()) == ([], ["job-1"])


def test_show_lays_out_all_that_a_person_needs(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    office.put("job-1")
    office.put("job-2")
    ended = run("show", "job-1")

    arn = "arn:aws:states:eu-central-1:123456789012:execution:images:job-1-0a1b2c3d-a1"
    console = "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/"
    for shown in (
        "job-1 (attempt 1)\n",
        "The bucket was out of reach. (TransientError in palette)\n",
        "stage palette\n",
        "(60m ago)\n",
        f"{ADA}\n",
        f" {arn}\n",
        f"{console}{arn}\n",
        "next       Mend it, then `darkroom dlq redrive job-1`.\n",
        '      "errorMessage": "503"\n',
        "copies     2\n",
    ):
        assert shown in ended.out
    assert ended.code == 0
    assert "job-2" not in ended.out
    assert office.seen() == ["job-1", "job-1", "job-2"]


def test_show_on_an_emulator_names_no_console(run: RunCommand, office: DeadLetterOffice, profile: Profile) -> None:
    assert profile.path is not None
    places = replace(office.places, endpoint_url="http://127.0.0.1:4566")
    replace(profile, operator=places, region=REGION).save(profile.path)
    office.put("job-1")
    ended = run("show", "job-1")

    assert "execution  arn:" in ended.out
    assert "console" not in ended.out


def test_show_of_a_job_id_of_two_owners_shows_both_and_owner_narrows(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    office.put("job-1", owner=BOB)

    assert [line["owner"] for line in run("show", "job-1", "--json").lines()] == [ADA, BOB]
    assert [line["owner"] for line in run("show", "job-1", "--json", "--owner", BOB).lines()] == [BOB]


def test_show_of_a_raw_message_by_the_beginning_of_its_id_shows_its_body(
    run: RunCommand, office: DeadLetterOffice
) -> None:
    message_id = office.put_text('{"imageId": "image-1"}')
    ended = run("show", message_id[:8])

    assert ended.code == 0
    assert '      "imageId": "image-1"\n' in ended.out
    assert run("show", message_id[:7]).code == 4


def test_show_of_a_letter_that_says_next_to_nothing_shows_that(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put_text(json.dumps({"jobId": "job-1", "errorClass": "X", "cause": "two\nlines", "failedAt": "noon"}))
    ended = run("show", "job-1")

    assert ended.code == 0
    assert "no words (X)" in ended.out
    assert "    two\n    lines\n" in ended.out


def test_show_of_an_unknown_job_says_so(run: RunCommand) -> None:
    ended = run("show", "job-1", "--json")

    assert ended.code == 4
    assert ended.lines()[0]["error"]["kind"] == "LetterNotFound"  # type: ignore[index]
    assert ended.err.startswith("job-1: No dead letter")


def test_redrive_of_jobs_asks_the_function_and_deletes_their_letters(run: RunCommand, office: DeadLetterOffice) -> None:
    for name in ("job-1", "job-2", "job-3"):
        office.put(name)
    ended = run("redrive", "job-1", "job-2", "--yes")

    assert ended.code == 0
    assert sorted(asked["jobId"] for asked in office.functions.asked) == ["job-1", "job-2"]
    assert office.functions.asked[0] == {"owner": ADA, "jobId": office.functions.asked[0]["jobId"], "attempt": 1}
    assert f"job-1 of {ADA[:8]}: redriven: The job is QUEUED at 2.\n" in ended.out
    assert "2 dead letters: 2 redriven." in ended.err
    assert "2 of 2 dead letters" in ended.err
    assert office.seen() == ["job-3"]


def test_redrive_of_copies_asks_once_and_deletes_them_all(run: RunCommand, office: DeadLetterOffice) -> None:
    for _ in range(12):
        office.put("job-1")
    ended = run("redrive", "--all", "--yes", "--json")

    assert ended.code == 0
    assert [(line["outcome"], line["copies"], line["newAttempt"]) for line in ended.lines()] == [("REDRIVEN", 12, 2)]
    assert len(office.functions.asked) == 1
    assert office.seen() == []


def test_redrive_with_dry_run_changes_nothing(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    office.put("job-2", redriveCanHelp=False)
    ended = run("redrive", "--all", "--dry-run", "--json")

    assert ended.code == 0
    assert outcomes(ended) == {"job-1": "WOULD_REDRIVE", "job-2": "SKIPPED"}
    assert "nothing was changed" in ended.err
    assert (office.functions.asked, office.seen()) == ([], ["job-1", "job-2"])


def test_redrive_keeps_to_the_rate(run: RunCommand, office: DeadLetterOffice, fake: FakeDarkroom) -> None:
    began = fake.now
    for number in range(5):
        office.put(f"job-{number}")
    run("redrive", "--all", "--yes", "--rate", 2)

    assert [at - began for at in office.functions.asked_at] == pytest.approx([0, 0.5, 1, 1.5, 2])


def test_redrive_at_the_usual_rate_asks_five_times_a_second(
    run: RunCommand, office: DeadLetterOffice, fake: FakeDarkroom
) -> None:
    began = fake.now
    for number in range(3):
        office.put(f"job-{number}")
    run("redrive", "--class", "TransientError", "--yes")

    assert [at - began for at in office.functions.asked_at] == pytest.approx([0, 0.2, 0.4])


def test_redrive_of_what_it_cannot_help_skips_it_unless_forced(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1", redriveCanHelp=False)
    office.put("job-2", redriveCanHelp=None)
    filtered = run("redrive", "--all", "--yes")
    named = run("redrive", "job-1", "--yes", "--json")

    assert (filtered.code, named.code) == (0, 1)
    assert "job-1 of 0b5c8d0e: skipped: A new attempt cannot help. Discard it, or try" in filtered.out
    assert "job-2 of 0b5c8d0e: redriven" in filtered.out
    assert outcomes(named) == {"job-1": "SKIPPED"}

    assert outcomes(run("redrive", "job-1", "--yes", "--json", "--force")) == {"job-1": "REDRIVEN"}
    assert office.seen() == []


def test_redrive_with_a_limit_does_not_count_what_it_skips(run: RunCommand, office: DeadLetterOffice) -> None:
    for number in range(12):
        office.put(f"bad-{number}", redriveCanHelp=False)
    for number in range(3):
        office.put(f"good-{number}")
    run("redrive", "--all", "--yes", "--limit", 2)

    assert len(office.functions.asked) == 2
    assert len(office.seen()) == 13


def test_redrive_of_each_outcome_deletes_only_letters_that_are_dealt_with(
    run: RunCommand, office: DeadLetterOffice
) -> None:
    reactions = {
        "moved": outcome("MOVED_ON", status="SUCCEEDED", attempt=2),
        "refused": outcome("REFUSED", detail="It has had 100 attempts."),
        "expired": outcome("NOT_FOUND"),
        "broken": {"errorType": "KeyError", "errorMessage": "'owner'"},
        "newer": outcome("POSTPONED"),
        "garbled": b"<html>",
        "throttled": client_error("TooManyRequestsException"),
        "late": ReadTimeoutError(endpoint_url="https://lambda.test"),
    }
    office.functions.reactions.update(reactions)
    for name in ("fine", *reactions):
        office.put(name)
    ended = run("redrive", "--all", "--yes", "--json")
    details = {line["jobId"]: str(line.get("detail", "")) for line in ended.lines()}

    assert ended.code == 1
    assert outcomes(ended) == {
        "fine": "REDRIVEN",
        "moved": "MOVED_ON",
        "refused": "REFUSED",
        "expired": "NOT_FOUND",
        **dict.fromkeys(("broken", "newer", "garbled", "throttled", "late"), "FAILED"),
    }
    assert details["refused"] == "It has had 100 attempts."
    assert "darkroom dlq discard expired" in details["expired"]
    assert "KeyError: 'owner'" in details["broken"]
    assert office.seen() == sorted(set(reactions) - {"moved"})


def test_redrive_of_nothing_but_what_has_moved_on_succeeds(run: RunCommand, office: DeadLetterOffice) -> None:
    office.functions.reactions["job-1"] = outcome("MOVED_ON", status="SUCCEEDED", attempt=2)
    office.put("job-1")

    assert run("redrive", "job-1", "--yes").code == 0
    assert office.seen() == []


def test_redrive_whose_letter_cannot_be_deleted_says_that_the_job_is_redriven(
    run: RunCommand, office: DeadLetterOffice
) -> None:
    refused = {"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}
    office.sqs.faults["delete_message_batch"] = [refused, client_error("InternalError"), None]
    for name in ("job-1", "job-2", "job-3"):
        office.put(name)
    ended = run("redrive", "--all", "--yes", "--json")

    assert ended.code == 1
    assert set(outcomes(ended).values()) == {"REDRIVEN"}
    assert sum("Its letter is still there" in str(line["detail"]) for line in ended.lines()) == 2
    assert len(office.seen()) == 2


def test_redrive_never_touches_what_names_no_attempt(run: RunCommand, office: DeadLetterOffice) -> None:
    raw = office.put_text("who wrote this?")
    nobodys = office.put(None, owner=None, body="{", errorClass="InvalidJob")
    office.put("no-attempt", attempt="first")
    ended = run("redrive", "--all", "--yes", "--force", "--json")

    assert ended.code == 0
    assert [line["outcome"] for line in ended.lines()] == ["SKIPPED"] * 3
    assert office.functions.asked == []
    assert run("redrive", raw[:8], nobodys[:8], "--yes").code == 1
    assert len(office.seen()) == 3


def test_redrive_asks_on_a_terminal(run: RunCommand, office: DeadLetterOffice, answers: list[bool]) -> None:
    office.put("job-1")
    answers += [False, True]
    declined = run("redrive", "job-1")

    assert (declined.code, declined.err) == (1, "Nothing was done.\n")
    assert office.functions.asked == []
    assert run("redrive", "job-1").code == 0
    assert office.seen() == []


def test_redrive_with_ctrl_c_at_the_question_gives_all_back(
    run: RunCommand, office: DeadLetterOffice, answers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def abort(*args: object, **options: object) -> bool:
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", abort)
    office.put("job-1")

    assert run("redrive", "--all").code == 130
    assert office.seen() == ["job-1"]


def test_redrive_with_ctrl_c_says_what_was_done_and_gives_the_rest_back(
    run: RunCommand, office: DeadLetterOffice
) -> None:
    office.put("job-1", age=200)
    office.put("job-2", age=100)
    office.put("job-3", age=50)
    office.functions.reactions["job-2"] = KeyboardInterrupt()
    ended = run("redrive", "--all", "--yes", "--json")

    assert ended.code == 130
    assert outcomes(ended) == {"job-1": "REDRIVEN"}
    assert "Stopped." in ended.err
    assert office.seen() == ["job-2", "job-3"]


def test_list_with_ctrl_c_gives_back_what_was_received(run: RunCommand, office: DeadLetterOffice) -> None:
    for number in range(15):
        office.put(f"job-{number}")
    office.sqs.faults["receive_message"] = [None, KeyboardInterrupt()]
    ended = run("list")

    assert (ended.code, ended.out) == (130, "")
    assert len(office.seen()) == 15


def test_list_that_fails_half_way_gives_back_what_was_received(run: RunCommand, office: DeadLetterOffice) -> None:
    for number in range(15):
        office.put(f"job-{number}")
    office.sqs.faults["receive_message"] = [None, client_error("InternalError")]
    ended = run("list", "--json")

    assert ended.code == 5
    assert ended.lines()[0]["error"]["kind"] == "AwsFailure"  # type: ignore[index]
    assert len(office.seen()) == 15


def test_list_that_cannot_give_letters_back_says_when_they_show_again(
    run: RunCommand, office: DeadLetterOffice
) -> None:
    for number in range(12):
        office.put(f"job-{number}")
    failed = {"Failed": [{"Id": "0", "Code": "InternalError"}, {"Id": "1", "Code": "MessageNotInflight"}]}
    office.sqs.faults["change_message_visibility_batch"] = [client_error("AccessDenied"), failed]
    ended = run("list", "--json")

    assert (ended.code, len(ended.lines())) == (0, 12)
    assert "11 letters could not be given back; they show again in 5 minutes." in ended.err


def test_list_of_a_message_that_comes_round_again_shows_it_once_and_ends(
    run: RunCommand, office: DeadLetterOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_queue, "HELD_SECONDS", 0)
    office.put("job-1")
    ended = run("list", "--json")

    assert [line["copies"] for line in ended.lines()] == [1]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (EndpointConnectionError(endpoint_url="https://lambda.test"), 5, "cannot be reached"),
        (client_error("AccessDeniedException"), 2, "does not allow"),
        (client_error("ResourceNotFoundException"), 2, "redrive-job does not exist"),
    ],
)
def test_redrive_when_no_other_would_fare_better_stops_and_says_what_was_done(
    run: RunCommand, office: DeadLetterOffice, error: Exception, code: int, said: str
) -> None:
    office.put("job-1", age=200)
    office.put("job-2", age=100)
    office.put("job-3", age=50)
    office.functions.reactions["job-2"] = error
    ended = run("redrive", "--all", "--yes")

    assert ended.code == code
    assert said in ended.err
    assert "1 dead letter: 1 redriven." in ended.err
    assert len(office.functions.asked) == 2
    assert office.seen() == ["job-2", "job-3"]


def test_list_when_aws_cannot_be_reached_is_trouble(run: RunCommand, office: DeadLetterOffice) -> None:
    office.sqs.faults["get_queue_attributes"] = [EndpointConnectionError(endpoint_url="https://sqs.test")]
    ended = run("list", "--json")

    assert ended.code == 5
    assert ended.lines()[0]["error"]["kind"] == "AwsUnreachable"  # type: ignore[index]


def test_list_of_a_queue_that_does_not_exist_says_where_names_come_from(run: RunCommand) -> None:
    ended = run("list", "--queue-url", "https://sqs.eu-central-1.amazonaws.com/123456789012/nowhere")

    assert ended.code == 2
    assert "nowhere does not exist" in ended.err


def test_discard_deletes_the_letters_alone(run: RunCommand, office: DeadLetterOffice) -> None:
    for name in ("job-1", "job-1", "job-2"):
        office.put(name)
    ended = run("discard", "job-1", "--yes")

    assert (ended.code, ended.out) == (0, f"job-1 of {ADA[:8]}: discarded\n")
    assert "stay FAILED" in ended.err
    assert "darkroom redrive JOB" in ended.err
    assert office.functions.asked == []
    assert office.seen() == ["job-2"]


def test_discard_by_filters_deletes_what_fits(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("bad", errorClass="InvalidImage", redriveCanHelp=False)
    office.put("good")

    assert outcomes(run("discard", "--class", "InvalidImage", "--yes", "--json")) == {"bad": "DISCARDED"}
    assert office.seen() == ["good"]


def test_discard_of_raw_messages_goes_by_the_id_that_lists_show(run: RunCommand, office: DeadLetterOffice) -> None:
    message_id = office.put_text("who wrote this?")
    office.put_text("and this?")
    shown = [str(line["messageIds"][0])[:8] for line in run("list", "--json").lines()]  # type: ignore[index]
    ended = run("discard", message_id[:8], "--yes")

    assert message_id[:8] in shown
    assert ended.code == 0
    assert office.seen() == ["and this?"]


def test_discard_with_dry_run_changes_nothing(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    ended = run("discard", "--all", "--dry-run")

    assert ended.code == 0
    assert "job-1" in ended.out
    assert office.seen() == ["job-1"]


def test_discard_asks_on_a_terminal(run: RunCommand, office: DeadLetterOffice, answers: list[bool]) -> None:
    answers.append(False)
    office.put("job-1")

    assert run("discard", "--all").code == 1
    assert office.seen() == ["job-1"]


def test_discard_of_one_that_fails_does_the_others(run: RunCommand, office: DeadLetterOffice) -> None:
    office.sqs.faults["delete_message_batch"] = [client_error("InternalError")]
    office.put("job-1", age=100)
    office.put("job-2", age=50)
    ended = run("discard", "--all", "--yes", "--json")

    assert ended.code == 1
    assert outcomes(ended) == {"job-1": "FAILED", "job-2": "DISCARDED"}
    assert office.seen() == ["job-1"]


def test_discard_of_an_unknown_job_among_others_does_the_others(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    ended = run("discard", "job-1", "unknown", "--yes")

    assert ended.code == 4
    assert "unknown: No dead letter" in ended.err
    assert office.seen() == []


def test_discard_of_nothing_that_fits_needs_no_answer(run: RunCommand) -> None:
    ended = run("discard", "--all")

    assert (ended.code, ended.out) == (0, "")
    assert "nothing was done" in ended.err


def test_options_outrank_the_profile(run: RunCommand, office: DeadLetterOffice) -> None:
    office.put("job-1")
    elsewhere = office.sqs.create_queue(QueueName="elsewhere")["QueueUrl"]

    assert run("list", "--json", "--queue-url", elsewhere).lines() == []
    with pytest.raises(AssertionError):  # of the stand-in, which knows one function
        run("redrive", "--all", "--yes", "--function", "other")


@pytest.mark.parametrize(
    ("command", "said"),
    [(["list"], "--queue-url"), (["redrive", "--all", "--yes"], "--function")],
)
def test_commands_where_the_profile_names_no_places_say_how_to(
    run: RunCommand, profile: Profile, command: list[str], said: str
) -> None:
    assert profile.path is not None
    profile.save(profile.path)
    ended = run(*command)

    assert ended.code == 2
    assert said in ended.err
    assert "darkroom configure" in ended.err


def test_commands_with_an_endpoint_on_another_machine_say_where_it_goes(
    run: RunCommand, office: DeadLetterOffice, profile: Profile
) -> None:
    assert profile.path is not None
    replace(profile, operator=replace(office.places, endpoint_url="https://aws.test")).save(profile.path)

    assert "https://aws.test, not to AWS" in run("list").err


def test_commands_need_no_sign_in(run: RunCommand, fake: FakeDarkroom, profile: Profile) -> None:
    assert run("list").code == 0
    assert fake.requests == []
    assert profile.path is not None
    assert stat.S_IMODE(profile.path.stat().st_mode) == 0o600


def test_redrive_on_a_screen_draws_a_bar_and_wipes_it(
    run: RunCommand, office: DeadLetterOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    office.put("job-1")
    ended = run("redrive", "job-1", "--yes")

    assert ended.code == 0
    assert "\x1b[2K" in ended.err
    assert "\x1b" not in ended.out


def test_every_dlq_command_has_json_and_help(run: RunCommand) -> None:
    for command in dlq.registered_commands:
        shown = run(command.name, "--help").out

        assert "--json" in shown
        assert "--queue-url" in shown
