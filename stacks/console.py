"""The console in an account: a private bucket with the page, and CloudFront before it and all that it talks to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from aws_cdk import CfnElement, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from stacks.console_site import (
    CACHE_CONTROL,
    CONFIG,
    DATA_HEADERS,
    FRONT_PAGE,
    NOT_FOUND_PAGE,
    PAGE_HEADERS,
    Route,
    Surroundings,
    files_in,
)
from stacks.findings import accept
from stacks.logs import LogKeeping

EDGE: Final = Path(__file__).parent / "console_edge"
LONGEST_FUNCTION: Final = 10_240
"""Bytes. CloudFront takes no larger one."""
NOT_SERVED: Final = ("*.md", "*.txt", "*.json", ".*")
_SECURITY_HEADERS: Final = frozenset(
    (
        "Content-Security-Policy",
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
    )
)
"""CloudFront has words of its own for these, and refuses them among the others."""


class EdgeFunctionTooLargeError(ValueError):
    """The function at the edge has outgrown what CloudFront takes; the message says what to shorten."""


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What is behind the origin's routes: hosts, and the stages of the two APIs there."""

    api_host: str
    api_stage: str
    live_host: str
    live_stage: str
    sign_in_host: str
    files_host: str
    """Of the image bucket, as its presigned addresses have it."""


class ConsoleStack(Stack):
    """One environment's console. Apart from Darkroom, which knows nothing of it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        folder: Path,
        behind: Behind,
        surroundings: Surroundings,
        domain: str,
        certificate: str,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id, description="Darkroom: the console")
        bucket = self._bucket()
        self.distribution = _Distribution(
            self, "Distribution", folder=folder, bucket=bucket, behind=behind, domain=domain, certificate=certificate
        ).distribution
        self._publish(bucket, folder, surroundings, log_retention_days)
        CfnOutput(self, "ConsoleUrl", value=f"https://{domain or self.distribution.distribution_domain_name}")

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,  # of a page that everybody may read
            enforce_ssl=True,
            minimum_tls_version=1.2,
            # All of it is in the repository. The deployment empties it when the stack is deleted.
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(bucket, {"AwsSolutions-S1": "Only CloudFront reads here, and what it reads is no secret."})
        return bucket

    def _publish(self, bucket: s3.Bucket, folder: Path, surroundings: Surroundings, log_retention_days: int) -> None:
        """Copy the page into the bucket, by a function of CDK's that runs in deployments only."""
        log_keeping = LogKeeping(
            retention_days=log_retention_days, removal_policy=RemovalPolicy.DESTROY, encryption_key=None
        )
        deployment.BucketDeployment(
            self,
            "Page",
            destination_bucket=bucket,
            sources=[
                deployment.Source.asset(str(folder), exclude=list(NOT_SERVED)),
                deployment.Source.json_data(CONFIG.removeprefix("/"), surroundings.document()),
            ],
            cache_control=[deployment.CacheControl.from_string(CACHE_CONTROL)],
            prune=True,
            retain_on_delete=False,
            memory_limit=256,
            log_group=log_keeping.log_group(self, "PageLog"),
        )
        self._accept_publisher(bucket)

    def _accept_publisher(self, bucket: s3.Bucket) -> None:
        """Of the function that copies the page: CDK's own code, role and runtime."""
        (publisher,) = (
            child for child in self.node.children if child.node.id.startswith("Custom::CDKBucketDeployment")
        )
        bucket_id = self.get_logical_id(cast(CfnElement, bucket.node.default_child))
        copying = "It copies whatever files the page has from CDK's bucket of assets to the page's own."
        of_cdk = "CDK's own function, at work in deployments only, which fail when it fails."
        assets = "arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/*"
        actions = ("GetObject*", "GetBucket*", "List*", "DeleteObject*", "Abort*")
        basic = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        accept(
            publisher,
            {
                **{f"AwsSolutions-IAM5[Action::s3:{action}]": copying for action in actions},
                f"AwsSolutions-IAM5[Resource::{assets}]": copying,
                f"AwsSolutions-IAM5[Resource::<{bucket_id}.Arn>/*]": copying,
                f"AwsSolutions-IAM4[Policy::{basic}]": of_cdk,
                "AwsSolutions-L1": of_cdk,
                "Serverless-LambdaLatestVersion": of_cdk,
                "Serverless-LambdaDLQ": of_cdk,
                "Serverless-LambdaTracing": of_cdk,
            },
        )


class _Distribution(Construct):
    """One origin. Billed by the request and by the byte, after many free ones."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        folder: Path,
        bucket: s3.Bucket,
        behind: Behind,
        domain: str,
        certificate: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._data_headers = self._policy("DataHeaders", DATA_HEADERS)
        self._on_request = self._request_function(folder, behind)
        on_response = self._function("OnResponse", "response.js", {"storage": f"https://{behind.files_host}"})
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{Stack.of(self).stack_name}: the page and all that it talks to",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,  # the cheapest: Europe and North America
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", certificate) if certificate else None,
            domain_names=[domain] if domain else None,
            default_behavior=self._page(bucket),
            additional_behaviors={
                f"{Route.API}/*": self._data(
                    _origin(behind.api_host, path=f"/{behind.api_stage}"), on_response=on_response
                ),
                Route.LIVE: self._data(_origin(behind.live_host)),
                Route.SIGN_IN: self._data(_origin(behind.sign_in_host)),
                f"{Route.FILES}/*": self._data(_origin(behind.files_host)),
            },
        )
        accept(
            self.distribution,
            {
                "AwsSolutions-CFR1": "People travel; who may use it is decided by signing in.",
                "AwsSolutions-CFR2": "What can be asked for through it are public files, and APIs that hold their own.",
                "AwsSolutions-CFR3": "Its log would hold tickets and presigned addresses. The API logs its calls.",
                **(
                    {}
                    if certificate
                    else {
                        "AwsSolutions-CFR4": "cloudfront.net's certificate has a policy of its own: "
                        "`console_domain` and `console_certificate` bring TLS 1.2 and later."
                    }
                ),
            },
        )

    def _page(self, bucket: s3.Bucket) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(bucket),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,  # for a second at least, then as the files say
            compress=True,
            response_headers_policy=self._policy("PageHeaders", PAGE_HEADERS),
            function_associations=[_before(self._on_request)],
        )

    def _data(
        self, origin: origins.HttpOrigin, *, on_response: cloudfront.Function | None = None
    ) -> cloudfront.BehaviorOptions:
        """Pass all on but the host, which has to be the origin's own; keep nothing."""
        after = [] if on_response is None else [_after(on_response)]
        return cloudfront.BehaviorOptions(
            origin=origin,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            compress=False,
            response_headers_policy=self._data_headers,
            function_associations=[_before(self._on_request), *after],
        )

    def _request_function(self, folder: Path, behind: Behind) -> cloudfront.Function:
        files = files_in(folder)
        return self._function(
            "OnRequest",
            "request.js",
            {
                "front": FRONT_PAGE,
                "files": sorted({*files, CONFIG}),
                "live": f"/{behind.live_stage}",
                "notFound": files[NOT_FOUND_PAGE].read_text(),
                "headers": {name.lower(): value for name, value in PAGE_HEADERS.items()},
            },
        )

    def _function(self, construct_id: str, file: str, site: dict[str, object]) -> cloudfront.Function:
        """Make a function of a file, with what it has to know before it. Raises EdgeFunctionTooLargeError."""
        code = f"const SITE = {Stack.of(self).to_json_string(site)};\n{(EDGE / file).read_text()}"
        if len(code.encode()) > LONGEST_FUNCTION:
            raise EdgeFunctionTooLargeError(
                f"{file} has become {len(code.encode())} bytes long; CloudFront takes {LONGEST_FUNCTION}. "
                f"Shorten {NOT_FOUND_PAGE}, or put files together."
            )
        return cloudfront.Function(
            self,
            construct_id,
            code=cloudfront.FunctionCode.from_inline(code),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )

    def _policy(self, construct_id: str, headers: Mapping[str, str]) -> cloudfront.ResponseHeadersPolicy:
        """Say the headers in CloudFront's words; those of an origin give way."""
        others = {name: value for name, value in headers.items() if name not in _SECURITY_HEADERS}
        return cloudfront.ResponseHeadersPolicy(
            self,
            construct_id,
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=headers["Content-Security-Policy"], override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(730), include_subdomains=True, override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=name, value=value, override=True)
                    for name, value in others.items()
                ]
            ),
        )


def _origin(host: str, *, path: str | None = None) -> origins.HttpOrigin:
    return origins.HttpOrigin(
        host,
        origin_path=path,
        protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
        origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
        read_timeout=Duration.seconds(30),  # the API answers within 29
    )


def _before(function: cloudfront.Function) -> cloudfront.FunctionAssociation:
    return cloudfront.FunctionAssociation(function=function, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST)


def _after(function: cloudfront.Function) -> cloudfront.FunctionAssociation:
    return cloudfront.FunctionAssociation(function=function, event_type=cloudfront.FunctionEventType.VIEWER_RESPONSE)
