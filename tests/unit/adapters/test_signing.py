"""Every signature is botocore's own, over all requests that anybody could think of."""

import json
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote

import boto3
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.adapters.calling import Endpoint
from lambdas.adapters.s3 import S3Client
from lambdas.adapters.signing import Signer, path_of, query_of

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABC-_.0123456789", min_size=1, max_size=20)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
HEADER_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
KEYS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=60)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
REGIONS = st.sampled_from(["eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1"])
QUERIES = st.dictionaries(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12), KEYS, max_size=4
)
SIGNERS = st.builds(
    Signer,
    access_key=NAMES,
    secret_key=SECRETS,
    session_token=st.none() | SECRETS,
    service=st.sampled_from(["s3", "dynamodb", "sqs", "states", "rekognition", "execute-api"]),
    region=REGIONS,
)


@settings(deadline=None)
@given(
    signer=SIGNERS,
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    host=st.sampled_from(["s3.eu-central-1.amazonaws.com", "127.0.0.1:4566", "bucket.s3.us-east-1.amazonaws.com"]),
    key=KEYS,
    query=QUERIES,
    headers=st.dictionaries(NAMES.map(lambda name: f"x-amz-meta-{name}"), HEADER_VALUES, max_size=3),
    body=st.binary(max_size=200),
    at=TIMES,
)
@example(
    signer=Signer(access_key="A", secret_key="S", session_token="T", service="s3", region="eu-central-1"),
    method="GET",
    host="127.0.0.1:4566",
    key="a/../b//c d+%2F",
    query={"delete": ""},
    headers={},
    body=b"",
    at=datetime(2026, 1, 1, tzinfo=UTC),
)
def test_headers_are_signed_as_botocore_signs_them(*, signer, method, host, key, query, headers, body, at) -> None:
    # Others are asked at the root: botocore would tidy a path up. A connection's id has nothing to be tidied.
    paths = {"s3": path_of(key), "execute-api": f"/v1/@connections/c{quote(key, safe='')}"}
    path = paths.get(signer.service, "/")
    url = f"http://{host}{path}" + (f"?{query_of(query)}" if query else "")
    ours = signer.headers(method, url, {"content-type": "a/b", **headers}, body, at)
    request = AWSRequest(method=method, url=url, headers={"content-type": "a/b", **headers}, data=body)
    signing = auth.S3SigV4Auth if signer.service == "s3" else auth.SigV4Auth
    credentials = Credentials(signer.access_key, signer.secret_key, signer.session_token)
    with mock.patch("botocore.auth.get_current_datetime", return_value=at):
        signing(credentials, signer.service, signer.region).add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


@settings(max_examples=25, deadline=None)  # a client of boto3 for each takes a tenth of a second
@given(
    signer=SIGNERS,
    key=NAMES,
    name=NAMES,
    seconds=st.integers(1, 604_800),
    at=TIMES,
    by_path=st.booleans(),
)
def test_addresses_and_forms_are_signed_as_boto3_signs_them(*, signer, key, name, seconds, at, by_path) -> None:
    endpoint = "http://127.0.0.1:4566" if by_path else f"https://s3.{signer.region}.amazonaws.com"
    theirs = _boto3(signer, endpoint, by_path)
    ours = S3Client(Endpoint(signing_name="s3", url=endpoint, read_timeout=1), by_path=by_path)
    conditions = [{"Content-Type": "image/png"}, ["content-length-range", 0, 5]]
    shown = f'inline; filename="{name}"'
    with (
        mock.patch.object(Endpoint, "signer", signer_for_s3(signer)),
        mock.patch("lambdas.adapters.s3.datetime", mock.Mock(now=lambda _zone: at)),
        mock.patch("botocore.auth.get_current_datetime", return_value=at),
        mock.patch("botocore.signers.get_current_datetime", return_value=at.replace(tzinfo=None)),
    ):
        address = ours.presign_get("images", key, {"response-content-disposition": shown}, seconds)
        url, fields = ours.presign_post("images", key, {"Content-Type": "image/png"}, conditions, seconds)
        asked = {"Bucket": "images", "Key": key, "ResponseContentDisposition": shown}
        assert address == theirs.generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds)
        form = theirs.generate_presigned_post(
            "images", key, Fields={"Content-Type": "image/png"}, Conditions=list(conditions), ExpiresIn=seconds
        )
    assert url.rstrip("/") == form["url"].rstrip("/")
    assert fields == form["fields"]


@given(KEYS)
def test_path_of_a_key_is_what_botocore_sends(key: str) -> None:
    assert path_of(key) == "/" + quote(key.encode(), safe="/-_.~")


def test_headers_have_the_token_of_a_session_only_where_there_is_one() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for token in (None, "session"):
        signer = Signer(access_key="A", secret_key="S", session_token=token, service="sqs", region="eu-central-1")
        assert signer.headers("POST", "http://h/", {}, b"", at).get("x-amz-security-token") == token


def test_headers_do_not_show_the_secret() -> None:
    signer = Signer(access_key="A", secret_key="very-secret", session_token=None, service="sqs", region="eu-central-1")
    assert "very-secret" not in json.dumps(signer.headers("POST", "http://h/", {}, b"", datetime.now(UTC)))
    assert "very-secret" not in repr(signer)


def signer_for_s3(signer: Signer) -> Signer:
    return Signer(
        access_key=signer.access_key,
        secret_key=signer.secret_key,
        session_token=signer.session_token,
        service="s3",
        region=signer.region,
    )


def _boto3(signer: Signer, endpoint: str, by_path: bool):
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=signer.region,
        aws_access_key_id=signer.access_key,
        aws_secret_access_key=signer.secret_key,
        aws_session_token=signer.session_token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path" if by_path else "virtual"}),
    )
