"""The real thing: one emulator for all of these tests, of its own, with the stack deployed to it by the CDK command."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import httpx
import pytest
from darkroom import Client
from darkroom.tokens import TokenFile

from laptop import assembly, deployment, emulator, enforced, environment, ports, users
from laptop.deployment import Deployment
from laptop.places import Home
from laptop.users import User
from laptop.world import World

ANOTHER_NAME = User("lister@darkroom.example")
OPERATOR = User("operator@darkroom.example")
ENFORCED = bool(os.environ.get("ENFORCED"))
"""`make test-enforced`: every right is held to the policies."""


@contextmanager
def running(home: Home) -> Iterator[Deployment]:
    """Start an emulator in an empty or an earlier home, and deploy what the working tree says."""
    assembly.synthesize()
    started = emulator.start(home, port=ports.free())
    try:
        deployed = deployment.deploy(started, home)
        if ENFORCED:
            deployed = enforced.restart(deployed, home)
            started = deployed.emulator
        yield deployed
    finally:
        emulator.stop(started)


@pytest.fixture(scope="package")
def no_account() -> Iterator[None]:
    """Whatever AWS settings the tests are started with, these do not see them."""
    with mock.patch.dict(os.environ):
        environment.isolate()
        yield


@pytest.fixture(scope="package")
def deployed(no_account: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Darkroom, freshly deployed, with users."""
    with running(Home(tmp_path_factory.mktemp("emulator"))) as deployed:
        for user in (users.DEMO, users.GUEST, ANOTHER_NAME):
            users.create(deployed, user)
        yield deployed


@pytest.fixture(scope="package")
def world(deployed: Deployment) -> World:
    """What is behind the API."""
    return World(deployed)


@pytest.fixture(scope="package")
def client(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The demo user, signed in."""
    with users.sign_in(deployed, users.DEMO, tmp_path_factory.mktemp("demo") / "profile.json") as client:
        yield client


@pytest.fixture(scope="package")
def stranger(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Somebody else, signed in."""
    with users.sign_in(deployed, users.GUEST, tmp_path_factory.mktemp("guest") / "profile.json") as stranger:
        yield stranger


@pytest.fixture(scope="package")
def lister(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Somebody who has nothing yet, signed in."""
    with users.sign_in(deployed, ANOTHER_NAME, tmp_path_factory.mktemp("lister") / "profile.json") as lister:
        yield lister


@pytest.fixture(scope="package")
def operator(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A member of the operators' group, signed in."""
    users.create(deployed, OPERATOR)
    deployed.client("cognito-idp").admin_add_user_to_group(
        UserPoolId=deployed.outputs["UserPoolId"], Username=OPERATOR.name, GroupName="operators"
    )
    with users.sign_in(deployed, OPERATOR, tmp_path_factory.mktemp("operator") / "profile.json") as client:
        yield client


@pytest.fixture(scope="package")
def owner(client: Client) -> str:
    """The demo user's name in keys."""
    return users.owner(client)


@pytest.fixture(scope="package")
def http(client: Client) -> Iterator[httpx.Client]:
    """The API as the demo user, without a client that would mend anything."""
    with raw(client) as http:
        yield http


@pytest.fixture(scope="package")
def as_anybody() -> Callable[[Client], httpx.Client]:
    """Make a raw HTTP client of a signed-in one."""
    return raw


@pytest.fixture(scope="package")
def image_id(client: Client, photos: Path) -> str:
    """A photograph that is uploaded."""
    return client.upload(photos / "freespace.jpg")


def raw(client: Client) -> httpx.Client:
    """The API by itself: nothing is checked, repeated or followed on the way."""
    tokens = TokenFile(client.profile).load()
    assert tokens is not None
    return httpx.Client(base_url=client.profile.api_url, headers={"Authorization": tokens.access_token}, timeout=40)
