"""The console's stack: a private bucket, CloudFront before it, and functions that route as the table says."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.console_site import CONFIG, DATA_HEADERS, PAGE_HEADERS, Surroundings, files_in
from tests import console_routes
from tests.infrastructure.conftest import ROOT, STACK
from tests.infrastructure.templates import Resources

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_THE_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""CloudFront's own policies, by their fixed ids."""
RUN = """
const { code, events } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const handler = new Function(code + "; return handler;")();
console.log(JSON.stringify(events.map((event) => handler(event))));
"""


def synthesized(context: dict[str, Any], packages: Any, environment: str, **settings: Any) -> dict[str, Any] | None:
    """The template of an environment's console, with some settings changed; None where there is none."""
    import aws_cdk
    from aws_cdk.assertions import Template

    import app

    environments = {**context["environments"], environment: {**context["environments"][environment], **settings}}
    cdk_app = aws_cdk.App(analytics_reporting=False, context={**context, "environments": environments})
    found = app.settings_of(cdk_app, environment)
    console = app.add_console(cdk_app, STACK, found, app.add_stack(cdk_app, STACK, found, packages))
    return dict(Template.from_stack(console).to_json()) if console else None


@pytest.fixture(scope="module")
def console(cdk_context: dict[str, Any], empty_packages: Any) -> Resources:
    template = synthesized(cdk_context, empty_packages, "prod")
    assert template
    return Resources(template)


@pytest.fixture(scope="module")
def distribution(console: Resources) -> dict[str, Any]:
    found: dict[str, Any] = console.named("Distribution", "AWS::CloudFront::Distribution")["DistributionConfig"]
    return found


@pytest.fixture(scope="module")
def on_request(console: Resources) -> str:
    code: str = console.named("DistributionOnRequest", "AWS::CloudFront::Function")["FunctionCode"]
    return code


def test_laptop_has_no_stack_of_the_console(cdk_context: dict[str, Any], empty_packages: Any) -> None:
    assert synthesized(cdk_context, empty_packages, "laptop") is None


def test_address_is_an_output(console: Resources) -> None:
    assert "DomainName" in str(console.template["Outputs"]["ConsoleUrl"]["Value"])


def test_bucket_is_private_and_read_by_this_distribution_only(console: Resources) -> None:
    bucket = console.named("Bucket", "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "WebsiteConfiguration" not in bucket
    statements = console.named("BucketPolicy", "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert "Distribution" in str(allowed["Condition"]["StringEquals"]["AWS:SourceArn"])
    assert {"Bool": {"aws:SecureTransport": "false"}} in [statement.get("Condition") for statement in statements]


def test_routes_go_where_they_should_and_nothing_is_kept(distribution: dict[str, Any]) -> None:
    origins = {origin["Id"]: origin for origin in distribution["Origins"]}
    hosts = {"/api/*": "ApiRestApi", "/live": "PushApi", "/sign-in": "cognito-idp", "/files/*": "ImageBucket"}
    behaviors = {behavior["PathPattern"]: behavior for behavior in distribution["CacheBehaviors"]}
    assert behaviors.keys() == hosts.keys()
    for pattern, behavior in behaviors.items():
        origin = origins[behavior["TargetOriginId"]]
        assert hosts[pattern] in str(origin["DomainName"])
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
        assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
        assert behavior["CachePolicyId"] == CACHING_DISABLED
        # The host has to be the origin's own, which presigned addresses are signed for.
        assert behavior["OriginRequestPolicyId"] == ALL_BUT_THE_HOST
        assert behavior["ViewerProtocolPolicy"] == "https-only"


def test_every_answer_has_the_headers_of_the_laptop(console: Resources, distribution: dict[str, Any]) -> None:
    for behavior in distribution["CacheBehaviors"]:
        assert _headers(console.behind(behavior["ResponseHeadersPolicyId"])) == dict(DATA_HEADERS)
    page = distribution["DefaultCacheBehavior"]
    assert _headers(console.behind(page["ResponseHeadersPolicyId"])) == dict(PAGE_HEADERS)


def test_policy_lets_the_page_run_its_own_files_and_nothing_else() -> None:
    policy = _directives(PAGE_HEADERS)
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    nothing = ("default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types")
    assert {name: policy[name] for name in nothing} == {name: ["'none'"] for name in nothing}


def test_policy_lets_nothing_run_that_was_uploaded() -> None:
    assert _directives(DATA_HEADERS) == {"default-src": ["'none'"], "frame-ancestors": ["'none'"], "sandbox": []}


def test_page_and_its_settings_are_copied(console: Resources) -> None:
    (copied,) = console.of_type("Custom::CDKBucketDeployment").values()
    assert copied["SystemMetadata"] == {"cache-control": "no-cache"}
    settings = str(copied["SourceMarkers"])
    assert "UserPoolClient" in settings
    assert "#/v2/executions/details/arn:" in settings
    assert ":{executionArn}" in settings


def test_settings_of_the_page_name_the_routes() -> None:
    document = Surroundings(stage="dev", region="r", user_pool_client_id="c", execution_url=None).document()
    assert document == {
        "api": "/api",
        "signIn": "/sign-in",
        "live": "/live",
        "files": "/files",
        "userPoolClientId": "c",
        "region": "r",
        "stage": "dev",
        "executionUrl": None,
    }


def test_own_domain_brings_its_certificate_and_new_tls_only(cdk_context: dict[str, Any], empty_packages: Any) -> None:
    certificate = "arn:aws:acm:us-east-1:111122223333:certificate/own"
    template = synthesized(
        cdk_context, empty_packages, "dev", console_domain="darkroom.example", console_certificate=certificate
    )
    assert template
    (found,) = Resources(template).of_type("AWS::CloudFront::Distribution").values()
    assert found["DistributionConfig"]["Aliases"] == ["darkroom.example"]
    assert found["DistributionConfig"]["ViewerCertificate"] == {
        "AcmCertificateArn": certificate,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    assert template["Outputs"]["ConsoleUrl"]["Value"] == "https://darkroom.example"


def test_function_at_the_edge_knows_every_file(on_request: str) -> None:
    site = json.loads(on_request.partition("const SITE = ")[2].partition(";\n")[0])
    assert site["files"] == sorted({*files_in(ROOT / "console"), CONFIG})
    assert len(on_request.encode()) < 10_240


def test_function_at_the_edge_routes_as_the_laptop_does(on_request: str) -> None:
    code = on_request.replace("const SITE", "const SYNTHESIZED", 1)
    site = {
        "front": "/index.html",
        "files": sorted(console_routes.FILES),
        "live": "/v1",
        "notFound": "not here",
        "headers": {"content-security-policy": "strict"},
    }
    code = f"const SITE = {json.dumps(site)};\n{code}"
    table = {
        **{case[:2]: case[3] if case[2] != "/live" else "/v1" for case in console_routes.PASSED_ON},
        **{case[:2]: case[2] for case in console_routes.SERVED},
        **dict.fromkeys(console_routes.MISSING, 404),
        **{case[:2]: (405, case[2]) for case in console_routes.REFUSED},
    }
    answers = _run(code, [_request(method, path) for method, path in table])
    for case, answer in zip(table, answers, strict=True):
        if "uri" in answer:
            assert answer["uri"] == table[case], case
            continue
        assert answer["headers"]["content-security-policy"] == {"value": "strict"}
        allow = answer["headers"].get("allow", {}).get("value")
        assert table[case] == ((answer["statusCode"], allow) if allow else answer["statusCode"]), case


def test_sign_in_is_not_sent_along_with_a_presigned_address(on_request: str) -> None:
    for path, kept in {"/files/jobs/key": False, "/api/jobs": True}.items():
        (answer,) = _run(on_request, [_request("GET", path)])
        assert ("authorization" in answer["headers"]) == kept


def test_redirect_to_the_image_bucket_stays_at_the_origin(console: Resources) -> None:
    source = (ROOT / "stacks" / "console_edge" / "response.js").read_text()
    code = console.named("DistributionOnResponse", "AWS::CloudFront::Function")["FunctionCode"]
    assert "ImageBucket" in str(code)
    assert source in "".join(part for part in code["Fn::Join"][1] if isinstance(part, str))
    cases = {
        "https://images.s3.amazonaws.com/jobs/key?X-Amz-Signature=1": "/files/jobs/key?X-Amz-Signature=1",
        "https://images.s3.amazonaws.com.example/jobs/key": "https://images.s3.amazonaws.com.example/jobs/key",
        "/jobs/other": "/jobs/other",
    }
    events = [{"response": {"statusCode": 303, "headers": {"location": {"value": location}}}} for location in cases]
    events.append({"response": {"statusCode": 200, "headers": {}}})
    answers = _run(f'const SITE = {{"storage": "https://images.s3.amazonaws.com"}};\n{source}', events)
    assert [answer["headers"].get("location", {}).get("value") for answer in answers] == [*cases.values(), None]


@pytest.mark.parametrize("path", ["request.js", "response.js"])
def test_functions_stay_within_what_cloudfront_runs(path: str) -> None:
    text = (ROOT / "stacks" / "console_edge" / path).read_text()
    for unknown in ("import ", "require(", "async ", "?.", "??", "fetch(", "class "):
        assert unknown not in text


def _request(method: str, path: str) -> dict[str, Any]:
    headers = {"authorization": {"value": "token"}}
    return {"request": {"method": method, "uri": path, "querystring": {}, "headers": headers, "cookies": {}}}


def _run(code: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run a function of CloudFront's by Node."""
    done = subprocess.run(  # noqa: S603 - our own code
        [str(Path(sys.executable).parent / "node"), "-e", RUN],
        input=json.dumps({"code": code, "events": events}),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _directives(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """A content security policy, taken apart."""
    parts = [directive.split() for directive in headers["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in parts}


def _headers(policy: dict[str, Any]) -> dict[str, str]:
    """What a policy of response headers makes CloudFront say."""
    config = policy["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    transport = security["StrictTransportSecurity"]
    assert all(header["Override"] for header in security.values())
    named = {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "Strict-Transport-Security": f"max-age={transport['AccessControlMaxAgeSec']}"
        + ("; includeSubDomains" if transport["IncludeSubdomains"] else ""),
        "X-Content-Type-Options": "nosniff" if security["ContentTypeOptions"] else "",
        "X-Frame-Options": security["FrameOptions"]["FrameOption"],
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
    }
    return named | {item["Header"]: item["Value"] for item in config["CustomHeadersConfig"]["Items"]}
