import json
import stat
from pathlib import Path

import pytest
from darkroom.errors import LocalFileError, ProfileError
from darkroom.operator_places import OperatorPlaces
from darkroom.private_files import write_private
from darkroom.profile import Profile, named_path, path_to_write, profile_path


@pytest.fixture
def near(home: Path) -> Path:
    """A profile in a folder above the current one."""
    path = home / ".darkroom" / "profile.json"
    path.parent.mkdir()
    path.write_text("{}")
    return path


def test_profile_path_with_nothing_said_is_the_users_default(home: Path) -> None:
    assert profile_path() == home / "config" / "darkroom" / "profiles" / "default.json"


def test_profile_path_with_a_profile_near_takes_the_nearest(home: Path, near: Path) -> None:
    nearer = home / "work" / ".darkroom" / "profile.json"
    assert profile_path() == near

    nearer.parent.mkdir()
    nearer.write_text("{}")
    assert profile_path() == nearer


def test_profile_path_when_named_by_variable_outranks_what_is_near(near: Path) -> None:
    assert profile_path(environment={"DARKROOM_PROFILE": "work"}) == named_path("work")


def test_profile_path_with_a_file_variable_outranks_all_but_a_name_given(near: Path) -> None:
    said = {"DARKROOM_PROFILE_FILE": "/elsewhere/p.json", "DARKROOM_PROFILE": "work"}

    assert profile_path(environment=said) == Path("/elsewhere/p.json")
    assert profile_path("mine", environment=said) == named_path("mine")


def test_path_to_write_with_a_profile_near_leaves_it_alone(near: Path) -> None:
    assert path_to_write() == named_path("default")
    assert path_to_write(environment={"DARKROOM_PROFILE_FILE": "/p.json"}) == Path("/p.json")


@pytest.mark.parametrize("name", ["../escape", ".hidden", "a/b", ""])
def test_named_path_with_a_name_that_leads_elsewhere_raises(name: str) -> None:
    with pytest.raises(ProfileError):
        named_path(name)


def test_save_then_load_gives_the_same_profile(home: Path) -> None:
    path = home / "p.json"
    made = Profile.of(api_url="https://api.test/v1/", client_id="c", auth_url="https://auth.test/")
    made.save(path)

    assert Profile.load(path) == Profile(
        api_url="https://api.test/v1", auth_url="https://auth.test", client_id="c", path=path
    )


def test_save_then_load_keeps_what_operators_need(home: Path) -> None:
    path = home / "p.json"
    places = OperatorPlaces.of(dead_letter_queue_url="https://q.test", endpoint_url="http://127.0.0.1:4566/")
    Profile.of(api_url="https://api.test", client_id="c", region="eu-west-1", operator=places).save(path)

    assert Profile.load(path).operator == OperatorPlaces(
        dead_letter_queue_url="https://q.test", endpoint_url="http://127.0.0.1:4566"
    )


@pytest.mark.parametrize(
    ("endpoint", "here"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://localhost:4566", True),
        ("http://[::1]:4566", True),
        ("https://aws.test", False),
        ("https://127.0.0.1.evil.test", False),
        (None, False),
    ],
)
def test_operator_places_on_this_machine_are_those_of_a_loopback_endpoint(endpoint: str | None, here: bool) -> None:
    assert OperatorPlaces.of(endpoint_url=endpoint).is_on_this_machine is here


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        ([], "`operator` is no object"),
        ({"redriveFunction": 1}, "`redriveFunction` that is no text"),
        ({"endpointUrl": "http://aws.test"}, r"operator\.endpointUrl .* must begin with https"),
        ({"endpointUrl": "nowhere"}, r"operator\.endpointUrl .* no URL"),
    ],
)
def test_load_of_unusable_operator_places_says_what_is_wrong(home: Path, operator: object, said: str) -> None:
    path = home / "p.json"
    document = {"apiUrl": "https://api.test", "clientId": "c", "region": "eu-west-1", "operator": operator}
    path.write_text(json.dumps(document))

    with pytest.raises(ProfileError, match=said):
        Profile.load(path)


def test_operator_places_that_say_nothing_are_false() -> None:
    assert not OperatorPlaces.of(dead_letter_queue_url="")
    assert OperatorPlaces.of(redrive_function="f")


def test_of_an_aws_address_derives_region_and_sign_in() -> None:
    made = Profile.of(api_url="https://abc123.execute-api.eu-central-1.amazonaws.com/v1", client_id="c")

    assert (made.region, made.auth_url) == ("eu-central-1", "https://cognito-idp.eu-central-1.amazonaws.com")


def test_load_without_an_auth_url_uses_the_region(home: Path) -> None:
    path = home / "p.json"
    path.write_text(json.dumps({"apiUrl": "https://api.test", "clientId": "c", "region": "us-east-1"}))

    assert Profile.load(path).auth_url == "https://cognito-idp.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "darkroom configure"),
        ("{", "no JSON"),
        ("[]", "apiUrl"),
        ('{"apiUrl": "https://api.test"}', "clientId"),
        ('{"apiUrl": "https://api.test", "clientId": "c"}', "authUrl"),
        ('{"apiUrl": "http://api.test", "clientId": "c", "region": "eu-west-1"}', "plain HTTP"),
        ('{"apiUrl": "api.test", "clientId": "c", "region": "eu-west-1"}', "no URL"),
        ('{"apiUrl": "https://api.test", "clientId": "c", "region": "evil.test/"}', "no region"),
    ],
)
def test_load_of_an_unusable_file_says_what_is_wrong(home: Path, content: str | None, said: str) -> None:
    path = home / "p.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ProfileError, match=said):
        Profile.load(path)


def test_load_of_a_loopback_address_may_be_plain_http(home: Path) -> None:
    path = home / "p.json"
    address = "http://localhost:4566/_aws/execute-api/abc/v1"
    path.write_text(json.dumps({"apiUrl": address, "authUrl": "http://127.0.0.1:4566/", "clientId": "c"}))

    assert Profile.load(path).api_url == address


def test_write_private_replaces_a_file_and_narrows_its_mode(home: Path) -> None:
    path = home / "new" / "secret.json"
    write_private(path, "one")
    path.chmod(0o644)
    write_private(path, "two")

    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_write_private_where_there_can_be_no_file_says_so(home: Path) -> None:
    (home / "file").write_text("")

    with pytest.raises(LocalFileError, match="cannot be written"):
        write_private(home / "file" / "below", "x")
