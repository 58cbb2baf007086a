import json
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from darkroom import Client, Profile
from darkroom.cli import app, exit_codes
from darkroom.cli import main as main_of_command
from darkroom.cli.account import typer
from darkroom.tokens import TokenFile, Tokens

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import API, AUTH, CODE, SECRET, FakeDarkroom

RunCommand = Callable[..., Run]


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_USERNAME", "ada")
    monkeypatch.setenv("DARKROOM_PASSWORD", "right")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person types when asked."""
    typed: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda *args, **options: typed.pop(0))
    return typed


@pytest.mark.usefixtures("ada")
def test_login_by_environment_keeps_tokens_for_their_owner_only(run: RunCommand, profile: Profile) -> None:
    ended = run("login")
    assert profile.path is not None
    kept = profile.path.parent / "tokens.json"
    tokens = TokenFile(profile).load()

    assert tokens is not None
    assert (ended.code, ended.out) == (0, "")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert tokens.access_token not in ended.err


@pytest.mark.usefixtures("ada")
def test_login_then_list_works(run: RunCommand) -> None:
    assert [run("login", "--json").code, run("list").code] == [0, 0]


def test_login_asks_for_what_the_environment_does_not_say(run: RunCommand, answers: list[str]) -> None:
    answers += ["ada", "right"]

    assert run("login").code == 0
    assert answers == []


def test_login_of_an_invited_user_asks_until_the_new_password_is_good(
    run: RunCommand, fake: FakeDarkroom, answers: list[str]
) -> None:
    fake.temporary.add("ada")
    answers += ["ada", "right", "short", "long enough"]
    ended = run("login")

    assert ended.code == 0
    assert "not long enough" in ended.err
    assert fake.passwords["ada"] == "long enough"


@pytest.mark.usefixtures("ada")
def test_login_of_an_invited_user_takes_the_new_password_from_the_environment(
    run: RunCommand, fake: FakeDarkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.temporary.add("ada")
    monkeypatch.setenv("DARKROOM_NEW_PASSWORD", "short")
    assert run("login").code == 3

    monkeypatch.setenv("DARKROOM_NEW_PASSWORD", "long enough")
    assert run("login").code == 0


def test_login_with_a_second_factor_asks_until_the_code_is_right(
    run: RunCommand, fake: FakeDarkroom, answers: list[str]
) -> None:
    fake.codes["ada"] = "123456"
    answers += ["ada", "right", "000000", "nonsense", "123 456"]
    ended = run("login")

    assert ended.code == 0
    assert ended.err.index("The code is wrong") < ended.err.index("six digits")
    assert answers == []


def test_login_that_took_too_long_ends_and_says_to_begin_again(
    run: RunCommand, fake: FakeDarkroom, answers: list[str]
) -> None:
    fake.codes["ada"] = "123456"
    fake.on_request = lambda request: fake.sessions.clear()
    answers += ["ada", "right", "123456"]
    ended = run("login")

    assert ended.code == 3
    assert "Begin again, with the password" in ended.err
    assert answers == []


@pytest.mark.usefixtures("ada")
def test_login_takes_the_code_from_the_environment(
    run: RunCommand, fake: FakeDarkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.codes["ada"] = "123456"
    monkeypatch.setenv("DARKROOM_CODE", "000000")
    assert run("login").code == 3

    monkeypatch.setenv("DARKROOM_CODE", "123456")
    assert run("login").code == 0


@pytest.mark.usefixtures("ada")
def test_login_with_a_second_factor_and_no_terminal_says_which_variable_to_set(
    run: RunCommand, fake: FakeDarkroom
) -> None:
    fake.codes["ada"] = "123456"
    ended = run("login")

    assert ended.code == 2
    assert "DARKROOM_CODE" in ended.err


def test_login_of_an_invited_user_sets_a_password_and_then_an_app(
    run: RunCommand, fake: FakeDarkroom, answers: list[str]
) -> None:
    fake.temporary.add("ada")
    fake.needs_code = True
    answers += ["ada", "right", "long enough", "000000", CODE]
    ended = run("login", "--json")

    assert ended.code == 0
    assert "ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567" in ended.err
    assert f"otpauth://totp/Darkroom:ada?secret={SECRET}&issuer=Darkroom" in ended.err
    assert ended.err.count("ABCD EFGH") == 1
    assert ended.lines() == [{"signedIn": True, "username": "ada", "apiUrl": API}]


@pytest.mark.usefixtures("ada")
def test_login_shows_no_secret_where_nobody_is_at_a_terminal(
    run: RunCommand, fake: FakeDarkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.needs_code = True
    monkeypatch.setenv("DARKROOM_CODE", CODE)
    ended = run("login")

    assert ended.code == 2
    assert "no terminal" in ended.err
    assert "otpauth" not in ended.err
    assert SECRET[:4] not in ended.err


def test_second_factor_on_asks_for_a_code_at_the_next_sign_in_and_off_no_more(
    run: RunCommand, fake: FakeDarkroom, answers: list[str], signed_in: Tokens
) -> None:
    answers += ["000000", CODE]
    ended = run("second-factor", "on", "--json")
    assert (ended.code, ended.lines()) == (0, [{"secondFactor": True}])
    assert "otpauth://totp/Darkroom:ada%40darkroom.test?secret=" in ended.err

    answers += ["ada", "right", CODE]
    assert run("login").code == 0
    assert "asks for a code already" in run("second-factor", "on").err
    answers += [CODE]
    assert "Go through with this" in run("second-factor", "on", "--replace").err
    assert run("second-factor", "off").code == 0
    answers += ["ada", "right"]
    assert run("login").code == 0
    assert answers == []


@pytest.mark.parametrize("which", ["on", "off"])
def test_second_factor_of_nobody_and_of_an_ended_sign_in_says_to_sign_in(
    run: RunCommand, fake: FakeDarkroom, profile: Profile, which: str
) -> None:
    assert run("second-factor", which).code == 3
    TokenFile(profile).save(Tokens(access_token="revoked"))
    ended = run("second-factor", which)

    assert ended.code == 3
    assert "darkroom login" in ended.err


def test_second_factor_without_a_terminal_begins_nothing(
    run: RunCommand, fake: FakeDarkroom, signed_in: Tokens
) -> None:
    ended = run("second-factor", "on")

    assert ended.code == 2
    assert "no terminal" in ended.err
    assert len(fake.sent("auth")) == 1


def test_second_factor_where_there_is_none_says_so(
    run: RunCommand, fake: FakeDarkroom, signed_in: Tokens, answers: list[str]
) -> None:
    fake.second_factor = False
    ended = run("second-factor", "on")

    assert ended.code == 3
    assert "`mfa` is off" in ended.err


def test_login_without_a_terminal_to_ask_on_says_which_variable_to_set(run: RunCommand) -> None:
    ended = run("login")

    assert ended.code == 2
    assert "DARKROOM_USERNAME" in ended.err


def test_login_with_a_wrong_password_is_refused(run: RunCommand, answers: list[str]) -> None:
    answers += ["ada", "wrong"]
    ended = run("login", "--json")

    assert ended.code == 3
    assert ended.lines()[0]["error"]["kind"] == "SignInRefused"  # type: ignore[index]


def test_logout_forgets_the_sign_in_here_and_there(
    run: RunCommand, fake: FakeDarkroom, profile: Profile, signed_in: Tokens
) -> None:
    assert run("logout").code == 0
    assert TokenFile(profile).load() is None
    assert fake.refresh_tokens == set()
    assert run("list").code == 3
    assert run("logout").code == 0


def test_logout_without_a_connection_still_forgets_here(
    run: RunCommand, fake: FakeDarkroom, profile: Profile, signed_in: Tokens
) -> None:
    fake.fail("auth", *[httpx.ConnectError("down")] * 5)
    ended = run("logout")

    assert ended.code == 0
    assert "was not told" in ended.err
    assert TokenFile(profile).load() is None


@pytest.mark.parametrize(
    "command", [["list"], ["status", "a"], ["watch", "a"], ["cancel", "a"], ["redrive", "a"], ["result", "a"]]
)
def test_commands_when_not_signed_in_say_how_to(run: RunCommand, fake: FakeDarkroom, command: list[str]) -> None:
    ended = run(*command, "--json")

    assert ended.code == 3
    assert "darkroom login" in ended.err
    assert ended.lines()[0]["error"]["exitCode"] == 3  # type: ignore[index]
    assert fake.requests == []


def test_configure_writes_a_profile_that_is_found_by_name(run: RunCommand, home: Path) -> None:
    url = "https://abc.execute-api.eu-west-1.amazonaws.com/v1"
    ended = run("configure", "--api-url", url, "--client-id", "c", "--profile", "work", "--json")
    path = home / "config" / "darkroom" / "profiles" / "work.json"

    assert ended.lines() == [{"profile": str(path)}]
    assert json.loads(path.read_text()) == {
        "apiUrl": url,
        "authUrl": "https://cognito-idp.eu-west-1.amazonaws.com",
        "clientId": "c",
        "region": "eu-west-1",
    }
    assert Client.from_profile("work").profile.client_id == "c"


def test_configure_for_an_operator_writes_where_dead_letters_are(run: RunCommand, home: Path) -> None:
    url = "https://abc.execute-api.eu-west-1.amazonaws.com/v1"
    queue, function = "https://sqs.eu-west-1.amazonaws.com/123456789012/letters", "Darkroom-RedriveJob"
    places = ["--dead-letter-queue-url", queue, "--redrive-function", function]
    ended = run("configure", "--api-url", url, "--client-id", "c", "--profile", "work", *places)
    path = home / "config" / "darkroom" / "profiles" / "work.json"

    assert ended.code == 0
    assert json.loads(path.read_text())["operator"] == {"deadLetterQueueUrl": queue, "redriveFunction": function}


@pytest.mark.parametrize(
    "options",
    [
        ["--api-url", "https://api.test"],
        ["--api-url", "https://api.test", "--client-id", "c"],
        ["--api-url", "http://api.test", "--client-id", "c", "--auth-url", AUTH],
    ],
)
def test_configure_with_what_cannot_work_writes_nothing(run: RunCommand, home: Path, options: list[str]) -> None:
    assert run("configure", *options).code == 2
    assert not (home / "config").exists()


def test_commands_without_a_profile_say_how_to_write_one(run: RunCommand) -> None:
    ended = run("list", "--profile", "nowhere")

    assert ended.code == 2
    assert "darkroom configure" in ended.err


def test_version_is_printed(run: RunCommand) -> None:
    assert run("version").out.startswith("darkroom ")
    assert set(run("version", "--json").lines()[0]) == {"version"}


def test_help_and_docstring_name_every_exit_code(run: RunCommand) -> None:
    shown = " ".join(run("--help").out.split())
    documented = main_of_command.__globals__["__doc__"]

    for code in exit_codes.ExitCode:
        assert f"{code.value} {code.meaning}" in shown
        assert f"    {code.value:<5}{code.meaning}" in documented


def test_worst_ranks_every_code() -> None:
    assert sorted(exit_codes._WORST_FIRST) == sorted(exit_codes.ExitCode)
    assert exit_codes.worst([]) is exit_codes.ExitCode.SUCCEEDED


def test_every_command_has_json_and_help(run: RunCommand) -> None:
    for command in [[command.name] for command in app.registered_commands] + [
        [group.name, command.name]
        for group in app.registered_groups
        if group.typer_instance
        for command in group.typer_instance.registered_commands
    ]:
        assert "--json" in run(*command, "--help").out
