import json
import stat
import threading
from pathlib import Path

import httpx
import pytest
from darkroom import Client, Profile
from darkroom.challenges import AuthenticatorRequired, CodeRequired, NewPasswordRequired, authenticator_uri, in_groups
from darkroom.errors import (
    AnswerRefusedError,
    NotSignedInError,
    SignInError,
    SignInRefusedError,
    TooManyRequestsError,
    UnexpectedAnswerError,
)
from darkroom.tokens import TokenFile, Tokens

from tests.unit.client.fake_darkroom import CODE, SECRET, TOKEN_SECONDS, FakeDarkroom, problem, refusal


def refreshes(fake: FakeDarkroom) -> int:
    return sum(b"REFRESH_TOKEN_AUTH" in request.content for request in fake.sent(r"auth\.test"))


def test_request_with_a_good_token_sends_it_raw(client: Client, fake: FakeDarkroom, signed_in: Tokens) -> None:
    list(client.jobs())

    assert fake.requests[0].headers["Authorization"] == signed_in.access_token
    assert refreshes(fake) == 0


def test_request_shortly_before_the_tokens_end_refreshes_first(client: Client, fake: FakeDarkroom) -> None:
    fake.now += TOKEN_SECONDS - 30
    list(client.jobs())
    list(client.jobs())

    assert refreshes(fake) == 1
    assert len(fake.sent("/v1/jobs")) == 2


def test_refresh_keeps_the_new_token_for_the_next_command(
    client: Client, fake: FakeDarkroom, profile: Profile, signed_in: Tokens
) -> None:
    fake.now += TOKEN_SECONDS
    list(client.jobs())
    kept = TokenFile(profile).load()

    assert kept is not None
    assert kept.access_token != signed_in.access_token
    assert kept.refresh_token == signed_in.refresh_token


def test_request_after_a_401_refreshes_once_and_tries_again(
    client: Client, fake: FakeDarkroom, signed_in: Tokens
) -> None:
    del fake.tokens[signed_in.access_token]
    list(client.jobs())

    assert refreshes(fake) == 1


def test_request_after_a_second_401_says_that_nobody_is_signed_in(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("/v1/jobs", problem(401, "no"), problem(401, "no"))

    with pytest.raises(NotSignedInError, match="darkroom login"):
        list(client.jobs())


def test_request_with_a_revoked_sign_in_says_that_nobody_is_signed_in(client: Client, fake: FakeDarkroom) -> None:
    fake.refresh_tokens.clear()
    fake.now += TOKEN_SECONDS

    with pytest.raises(NotSignedInError, match="darkroom login"):
        list(client.jobs())


def test_requests_of_many_threads_with_an_expired_token_refresh_once(client: Client, fake: FakeDarkroom) -> None:
    fake.now += TOKEN_SECONDS
    threads = [threading.Thread(target=lambda: list(client.jobs())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refreshes(fake) == 1
    assert len(fake.sent("/v1/jobs")) == 8


def test_token_file_is_for_its_owner_only_and_tells_profiles_apart(profile: Profile, signed_in: Tokens) -> None:
    assert profile.path is not None
    path = profile.path.parent / "tokens.json"
    other = Profile.of(
        api_url="https://other.test", auth_url="https://auth.test", client_id="c2", path=path.parent / "other.json"
    )
    TokenFile(other).save(Tokens(access_token="theirs"))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TokenFile(profile).load() == signed_in
    TokenFile(profile).forget()
    assert TokenFile(profile).load() is None
    assert TokenFile(other).load() == Tokens(access_token="theirs")


def test_token_file_of_another_deployment_is_not_used(profile: Profile, signed_in: Tokens, fake: FakeDarkroom) -> None:
    assert TokenFile(fake.profile(client_id="client-2", path=profile.path)).load() is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"profile": 3}', '{"profile": {"clientId": "client-1"}}'])
def test_token_file_when_damaged_is_like_none(profile: Profile, damage: str) -> None:
    assert profile.path is not None
    Path(profile.path.parent / "tokens.json").write_text(damage)

    assert TokenFile(profile).load() is None


def test_tokens_repr_shows_no_token(signed_in: Tokens) -> None:
    assert signed_in.access_token not in repr(signed_in)
    assert "refresh-ada" not in repr(signed_in)


@pytest.mark.parametrize("token", ["", "a.b.c", "not-a-token", "e30.W10.x"])
def test_tokens_without_a_readable_end_have_none(token: str) -> None:
    assert Tokens(access_token=token).expires_at is None


def test_sign_in_with_the_right_password_gives_tokens(client: Client, fake: FakeDarkroom) -> None:
    tokens = client.user_pool.sign_in("ada", "right")

    assert isinstance(tokens, Tokens)
    assert tokens.refresh_token in fake.refresh_tokens


def test_sign_in_with_a_wrong_password_is_refused_without_another_try(client: Client, fake: FakeDarkroom) -> None:
    with pytest.raises(SignInRefusedError, match="wrong"):
        client.user_pool.sign_in("ada", "wrong")

    assert len(fake.requests) == 1


def test_sign_in_of_an_invited_user_asks_for_a_new_password(client: Client, fake: FakeDarkroom) -> None:
    fake.temporary.add("ada")
    asked = client.user_pool.sign_in("ada", "right")
    assert isinstance(asked, NewPasswordRequired)

    with pytest.raises(AnswerRefusedError, match="not long enough"):
        client.user_pool.answer(asked, "short")
    assert isinstance(client.user_pool.answer(asked, "long enough"), Tokens)


def test_sign_in_with_a_second_factor_asks_for_a_code_until_it_is_right(client: Client, fake: FakeDarkroom) -> None:
    fake.codes["ada"] = "123456"
    asked = client.user_pool.sign_in("ada", "right")
    assert isinstance(asked, CodeRequired)

    with pytest.raises(AnswerRefusedError, match="wrong"):
        client.user_pool.answer(asked, "654321")
    assert isinstance(client.user_pool.answer(asked, " 123 456"), Tokens)


@pytest.mark.parametrize("given", ["", "12345", "1234567", "12345a", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_answer_that_is_no_code_is_not_sent(client: Client, fake: FakeDarkroom, given: str) -> None:
    fake.codes["ada"] = "123456"
    asked = client.user_pool.sign_in("ada", "right")
    assert isinstance(asked, CodeRequired)

    with pytest.raises(AnswerRefusedError, match="six digits"):
        client.user_pool.answer(asked, given)
    assert len(fake.requests) == 1


def test_code_that_was_used_before_may_be_followed_by_the_next(client: Client, fake: FakeDarkroom) -> None:
    fake.codes["ada"] = "123456"
    asked = client.user_pool.sign_in("ada", "right")
    fake.fail("auth", refusal("ExpiredCodeException", "Your software token has already been used once."))
    assert isinstance(asked, CodeRequired)

    with pytest.raises(AnswerRefusedError, match="the next one"):
        client.user_pool.answer(asked, "123456")
    assert isinstance(client.user_pool.answer(asked, "123456"), Tokens)


def test_sign_in_where_a_second_factor_has_to_be_set_up_shows_its_secret(client: Client, fake: FakeDarkroom) -> None:
    fake.needs_code = True
    asked = client.user_pool.sign_in("ada", "right")
    assert isinstance(asked, AuthenticatorRequired)
    assert asked.secret == SECRET
    assert SECRET not in repr(asked)

    fake.fail("auth", httpx.Response(200, json={"Status": "ERROR", "Session": "other"}))
    for code in (CODE, "000000"):
        with pytest.raises(AnswerRefusedError, match="wrong"):
            client.user_pool.answer(asked, code)
    assert isinstance(client.user_pool.answer(asked, CODE), Tokens)
    assert fake.verified == {"ada"}


def test_challenges_follow_each_other(client: Client, fake: FakeDarkroom) -> None:
    fake.temporary.add("ada")
    fake.needs_code = True
    first = client.user_pool.sign_in("ada", "right")
    assert isinstance(first, NewPasswordRequired)
    second = client.user_pool.answer(first, "long enough")
    assert isinstance(second, AuthenticatorRequired)

    assert isinstance(client.user_pool.answer(second, CODE), Tokens)


@pytest.mark.parametrize("given", [CODE, "a new password"])
def test_answer_that_comes_too_late_says_to_begin_again(client: Client, fake: FakeDarkroom, given: str) -> None:
    fake.needs_code = given == CODE
    fake.temporary |= set() if fake.needs_code else {"ada"}
    asked = client.user_pool.sign_in("ada", "right")
    assert not isinstance(asked, Tokens)
    fake.sessions.clear()

    with pytest.raises(SignInRefusedError, match="with the password") as refused:
        client.user_pool.answer(asked, given)
    assert not isinstance(refused.value, AnswerRefusedError)


def test_answer_that_leads_to_what_cannot_be_answered_ends_the_sign_in(client: Client, fake: FakeDarkroom) -> None:
    fake.temporary.add("ada")
    asked = client.user_pool.sign_in("ada", "right")
    fake.fail("auth", httpx.Response(200, json={"ChallengeName": "SMS_MFA", "Session": "s"}))
    assert isinstance(asked, NewPasswordRequired)

    with pytest.raises(SignInRefusedError, match="SMS_MFA") as refused:
        client.user_pool.answer(asked, "long enough")
    assert not isinstance(refused.value, AnswerRefusedError)


def test_address_for_an_app_names_the_account_and_the_issuer() -> None:
    assert authenticator_uri("ABCD2345", "ada+x@darkroom.test") == (
        "otpauth://totp/Darkroom:ada%2Bx%40darkroom.test?secret=ABCD2345&issuer=Darkroom"
    )
    assert in_groups("ABCDEFGHIJ") == "ABCD EFGH IJ"


def test_sign_in_when_throttled_tries_again(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("auth", refusal("TooManyRequestsException", "slow down"))

    assert isinstance(client.user_pool.sign_in("ada", "right"), Tokens)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal("com.amazonaws#ResourceNotFoundException", "no client"), SignInError),
        (httpx.Response(404, text="<html>"), UnexpectedAnswerError),
        (httpx.Response(200, json={}), UnexpectedAnswerError),
        (httpx.Response(200, json={"ChallengeName": "SMS_MFA"}), SignInRefusedError),
        (refusal("UserNotConfirmedException", "User is not confirmed."), SignInRefusedError),
    ],
)
def test_sign_in_when_the_pool_answers_otherwise_says_what_it_means(
    client: Client, fake: FakeDarkroom, answer: httpx.Response, expected: type[Exception]
) -> None:
    fake.fail("auth", answer)

    with pytest.raises(expected):
        client.user_pool.sign_in("ada", "right")


def test_sign_in_when_throttled_for_good_says_so(client: Client, fake: FakeDarkroom) -> None:
    fake.fail("auth", *[refusal("LimitExceededException", "slow down")] * 5)

    with pytest.raises(TooManyRequestsError):
        client.user_pool.sign_in("ada", "right")


def test_profile_file_holds_no_token(profile: Profile, signed_in: Tokens) -> None:
    assert profile.path is not None
    assert set(json.loads(profile.path.read_text())) == {"apiUrl", "authUrl", "clientId"}
