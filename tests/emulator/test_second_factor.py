"""A second factor at sign-in, with a pool that compares codes as RFC 6238 says.

The emulator asks nobody to set an app up at the first sign-in, and keeps no session of a sign-in: those two are told by
recorded answers, in tests/unit/client/test_session.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom import AnswerRefusedError, Client, NotSignedInError
from darkroom.challenges import CodeRequired
from darkroom.sign_in import Account
from darkroom.tokens import TokenFile, Tokens

from laptop import users
from laptop.deployment import Deployment
from laptop.users import User
from tests.authenticator import code, second_factor, wrong_code

CAREFUL = User("careful@darkroom.example")


@pytest.fixture
def careful(deployed: Deployment, tmp_path: Path) -> Iterator[Client]:
    """Somebody who signs in where a second factor is possible."""
    users.create(deployed, CAREFUL)
    with second_factor(deployed), users.sign_in(deployed, CAREFUL, tmp_path / "profile.json") as client:
        yield client


def test_user_turns_the_code_on_signs_in_with_it_and_turns_it_off(careful: Client) -> None:
    pool = careful.user_pool
    tokens = TokenFile(careful.profile).load()
    assert tokens is not None
    assert pool.account(tokens.access_token) == Account(email=CAREFUL.name, has_second_factor=False)
    secret = pool.new_secret(tokens.access_token)

    with pytest.raises(AnswerRefusedError, match="wrong"):
        pool.demand_code(tokens.access_token, wrong_code(secret))
    pool.demand_code(tokens.access_token, code(secret))

    asked = pool.sign_in(CAREFUL.name, CAREFUL.password)
    assert isinstance(asked, CodeRequired)
    with pytest.raises(AnswerRefusedError, match="wrong"):
        pool.answer(asked, wrong_code(secret))
    fresh = pool.answer(asked, code(secret))
    assert isinstance(fresh, Tokens)
    TokenFile(careful.profile).save(fresh)
    assert list(careful.jobs()) == []
    assert pool.account(fresh.access_token).has_second_factor

    pool.demand_no_code(fresh.access_token)
    assert isinstance(pool.sign_in(CAREFUL.name, CAREFUL.password), Tokens)


def test_second_factor_is_its_users_alone(careful: Client) -> None:
    with pytest.raises(NotSignedInError):
        careful.user_pool.demand_no_code("no.token.of-ours")
