import subprocess
import sys
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound, SSLError
from darkroom import aws
from darkroom.errors import AwsFailureError, AwsSetupError, AwsUnreachableError
from darkroom.operator_places import OperatorPlaces

AWS = OperatorPlaces.of()
EMULATOR = OperatorPlaces.of(endpoint_url="http://127.0.0.1:4566")


@pytest.fixture(autouse=True)
def no_account(home: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which nobody has signed in to AWS."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    boto3.DEFAULT_SESSION = None
    yield
    boto3.DEFAULT_SESSION = None


def credentials(client: object) -> tuple[str, str] | None:
    found = client._get_credentials()  # type: ignore[attr-defined]
    return (found.access_key, found.secret_key) if found else None


def test_client_of_aws_without_credentials_makes_none_up() -> None:
    made = aws.client("sqs", region="eu-central-1", places=AWS)

    assert credentials(made) is None
    assert made.meta.endpoint_url == "https://sqs.eu-central-1.amazonaws.com"


def test_client_of_an_emulator_here_without_credentials_makes_some_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test")
    made = aws.client("sqs", region="eu-central-1", places=EMULATOR)

    assert credentials(made) == ("000000000000", "laptop")
    assert made.meta.endpoint_url == "http://127.0.0.1:4566"
    assert made.meta.config.proxies == {}


def test_client_of_an_emulator_here_uses_credentials_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    assert credentials(aws.client("sqs", region="eu-central-1", places=EMULATOR)) == ("mine", "secret")


def test_client_of_an_emulator_elsewhere_makes_no_credentials_up() -> None:
    elsewhere = OperatorPlaces.of(endpoint_url="https://aws.test")

    assert credentials(aws.client("sqs", region="eu-central-1", places=elsewhere)) is None


def test_client_without_a_region_says_so() -> None:
    with pytest.raises(AwsSetupError, match="region"):
        aws.client("sqs", region=None, places=AWS)


def test_client_with_a_profile_that_does_not_exist_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(AwsSetupError, match="nobody"):
        aws.client("sqs", region="eu-central-1", places=AWS)


def test_client_without_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    with pytest.raises(AwsSetupError, match=r"pip install 'darkroom\[operator\]'"):
        aws.client("sqs", region="eu-central-1", places=AWS)


def test_command_imports_boto3_for_nobody_else() -> None:
    program = "import sys, darkroom.cli; sys.exit(any(name.startswith('boto') for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - our own program


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (NoCredentialsError(), AwsSetupError),
        (ProfileNotFound(profile="nobody"), AwsSetupError),
        (SSLError(endpoint_url="https://sqs.test", error="expired"), AwsUnreachableError),
        *[
            (ClientError({"Error": {"Code": code}}, "Operation"), expected)
            for code, expected in {
                "AccessDenied": AwsSetupError,
                "AWS.SimpleQueueService.NonExistentQueue": AwsSetupError,
                "ExpiredTokenException": AwsSetupError,
                "InvalidClientTokenId": AwsSetupError,
                "UnrecognizedClientException": AwsSetupError,
                "InvalidSignatureException": AwsSetupError,
                "ServiceUnavailable": AwsFailureError,
                "ThrottlingException": AwsFailureError,
            }.items()
        ],
        (ClientError({}, "Operation"), AwsFailureError),
    ],
)
def test_in_our_words_says_whose_turn_it_is(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected), aws.in_our_words("the queue"):
        raise raised
