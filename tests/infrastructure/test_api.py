"""The gateway against the API document, and against callers who try things."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from lambdas.config import OPERATORS
from stacks.submission import _everything_but
from tests.infrastructure.conftest import ROOT
from tests.infrastructure.templates import Resources

DOCUMENT = yaml.safe_load((ROOT / "openapi.yaml").read_text())
METHODS = {"get", "put", "post", "patch", "delete"}
SUBMITTING = {("PUT", "/jobs/{jobId}"), ("POST", "/jobs")}

Calls = dict[tuple[str, str], dict[str, Any]]
IF_TRACED = '#if("$!context.xrayTraceId" != "")'
LONGEST_RULE_NAME = 32
"""By X-Ray."""


@pytest.fixture
def calls(template: Resources) -> Calls:
    """Properties of the gateway's methods, by method and path."""
    methods = template.of_type("AWS::ApiGateway::Method").values()
    return {(method["HttpMethod"], _path(template, method["ResourceId"])): method for method in methods}


@pytest.fixture
def submissions(calls: Calls) -> Calls:
    return {key: calls[key] for key in SUBMITTING}


def test_gateway_has_the_calls_of_the_document_and_no_others(calls: Calls) -> None:
    documented = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS
    }
    assert calls.keys() == documented


def test_every_call_needs_an_access_token_that_is_a_users_or_has_the_right_scope(
    template: Resources, calls: Calls
) -> None:
    for (verb, path), method in calls.items():
        assert method["AuthorizationType"] == "COGNITO_USER_POOLS"
        right = "darkroom/jobs.read" if verb == "GET" or path == "/tickets" else "darkroom/jobs.write"
        # With scopes, ID tokens do not pass.
        assert method["AuthorizationScopes"] == [right, "aws.cognito.signin.user.admin"]
        authorizer = template.behind(method["AuthorizerId"])
        assert authorizer["IdentitySource"] == "method.request.header.Authorization"
        assert len(authorizer["ProviderARNs"]) == 1


def test_every_call_is_validated(template: Resources, calls: Calls) -> None:
    for (verb, path), method in calls.items():
        has_body = "requestBody" in DOCUMENT["paths"][path][verb.lower()]
        validator = template.behind(method["RequestValidatorId"])
        assert validator["ValidateRequestParameters"] is True
        assert validator["ValidateRequestBody"] is has_body
        assert ("application/json" in method.get("RequestModels", {})) is has_body


def test_every_parameter_is_declared(calls: Calls) -> None:
    assert calls["GET", "/jobs"]["RequestParameters"] == {
        "method.request.querystring.status": False,
        "method.request.querystring.limit": False,
        "method.request.querystring.cursor": False,
        "method.request.querystring.owner": False,
    }
    assert calls["GET", "/jobs/{jobId}"]["RequestParameters"]["method.request.path.jobId"] is True


def test_everything_but_submitting_goes_to_the_functions_behind_the_api(template: Resources, calls: Calls) -> None:
    for key in calls.keys() - SUBMITTING:
        integration = calls[key]["Integration"]
        assert integration["Type"] == "AWS_PROXY"
        function = "FunctionsOperations" if "/operations" in "".join(key) else "FunctionsApiCalls"
        assert function in str(integration["Uri"])


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        ({"imageId": "a"}, True),
        ({"imageId": "a", "analyses": ["palette"], "options": {"colours": 3}, "tags": {"trip": "Asturias"}}, True),
        ({}, False),
        ({"imageId": "../secret"}, False),
        ({"imageId": "a", "owner": "somebody"}, False),
        ({"imageId": "a", "analyses": []}, False),
        ({"imageId": "a", "analyses": ["palette", "palette"]}, False),
        ({"imageId": "a", "options": {"colours": 99}}, False),
        ({"imageId": "a", "tags": {"a": 1}}, False),
    ],
)
def test_submission_model_refuses_what_the_document_refuses(template: Resources, body: Any, is_valid: bool) -> None:
    schema = template.named("ApiJobSubmissionModel", "AWS::ApiGateway::Model")["Schema"]
    assert "$ref" not in json.dumps(schema)
    assert jsonschema.Draft4Validator(schema).is_valid(body) is is_valid


def test_submissions_go_to_the_job_queue_as_a_form(submissions: Calls) -> None:
    for method in submissions.values():
        integration = method["Integration"]
        assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS", "POST")
        assert "IntakeJobQueue" in str(integration["Uri"])
        assert integration["RequestParameters"] == {
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        }


def test_no_other_content_type_gets_past_the_template(submissions: Calls) -> None:
    for method in submissions.values():
        assert method["Integration"]["PassthroughBehavior"] == "NEVER"
        assert method["Integration"]["RequestTemplates"].keys() == {"application/json"}


def test_everything_from_the_request_is_encoded(submissions: Calls) -> None:
    for method in submissions.values():
        form = _form(method)
        assert "$util.urlEncode($input.body)" in form
        rest = re.sub(
            r"\$util\.urlEncode\(\$(input\.body|context\.authorizer\.claims\.sub|context\.xrayTraceId|jobId)\)",
            "",
            form,
        )
        assert "$" not in rest
        assert "#" not in rest


def test_call_without_a_trace_is_accepted_like_any_other(submissions: Calls) -> None:
    for method in submissions.values():
        line = method["Integration"]["RequestTemplates"]["application/json"].rpartition("\n")[2]
        always, condition, if_traced = line.partition(IF_TRACED)
        assert "MessageSystemAttribute" not in always
        assert if_traced.startswith("&MessageSystemAttribute.1.Name=") if condition else not if_traced


def test_owner_comes_from_the_token(submissions: Calls) -> None:
    for method in submissions.values():
        fields = dict(part.split("=", 1) for part in _form(method).split("&"))
        assert fields["Action"] == "SendMessage"
        attributes = _attributes(fields)
        assert attributes["owner"] == "$util.urlEncode($context.authorizer.claims.sub)"
        assert attributes["schemaVersion"] == "1"
        assert fields["MessageGroupId"] == attributes["owner"]


def test_message_carries_the_trace_of_its_call_along_where_there_are_traces(
    template: Resources, submissions: Calls
) -> None:
    (stage,) = template.of_type("AWS::ApiGateway::Stage").values()
    header = {"AWSTraceHeader": "Root%3D$util.urlEncode($context.xrayTraceId)%3BSampled%3D1"}
    for method in submissions.values():
        fields = dict(part.split("=", 1) for part in _form(method).split("&"))
        assert _attributes(fields, "MessageSystemAttribute") == (header if stage["TracingEnabled"] else {})


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_submission_is_recorded_and_the_access_log_says_by_which_trace(
    templates: dict[str, Any], name: str
) -> None:
    template = Resources(templates[name])
    rules = [rule["SamplingRule"] for rule in template.of_type("AWS::XRay::SamplingRule").values()]
    assert {(rule["HTTPMethod"], rule["URLPath"]) for rule in rules} == {("PUT", "*/jobs/*"), ("POST", "*/jobs")}
    for rule in rules:
        assert (rule["FixedRate"], rule["ServiceType"]) == (1.0, "AWS::ApiGateway::Stage")
        assert len(rule["RuleName"]) <= LONGEST_RULE_NAME
    (stage,) = template.of_type("AWS::ApiGateway::Stage").values()
    assert stage["TracingEnabled"] is True
    assert json.loads(stage["AccessLogSetting"]["Format"])["traceId"] == "$context.xrayTraceId"
    assert {function["TracingConfig"]["Mode"] for function in template.of_type("AWS::Lambda::Function").values()} == {
        "Active"
    }
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine").values()
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_only_put_carries_an_id(submissions: Calls) -> None:
    ids = {
        verb: _attributes(dict(part.split("=", 1) for part in _form(method).split("&"))).get("jobId")
        for (verb, _), method in submissions.items()
    }
    assert ids == {"PUT": "$util.urlEncode($jobId)", "POST": None}


def test_put_takes_the_id_from_the_path_and_empties_a_bad_one(submissions: Calls) -> None:
    template = submissions["PUT", "/jobs/{jobId}"]["Integration"]["RequestTemplates"]["application/json"]
    first, second, _ = template.split("\n")
    assert first == "#set($jobId = $input.params('jobId'))"
    assert second.startswith("#set($jobId = $jobId.replaceAll('")


@pytest.mark.parametrize("job_id", ["a", "A-b_9", "x" * 64])
def test_good_id_stays(job_id: str) -> None:
    assert re.sub(_everything_but(DOCUMENT["components"]["schemas"]["JobId"]["pattern"]), "", job_id) == job_id


@pytest.mark.parametrize("job_id", ["a b", "a\n", "\n", "x" * 65, "é", "a/b", "a&b", "a\x00", "ok\nbad bad"])
def test_bad_id_becomes_empty(job_id: str) -> None:
    assert re.sub(_everything_but(DOCUMENT["components"]["schemas"]["JobId"]["pattern"]), "", job_id) == ""


def test_only_what_sqs_confirmed_is_accepted(submissions: Calls) -> None:
    for method in submissions.values():
        answers = {answer["StatusCode"]: answer for answer in method["Integration"]["IntegrationResponses"]}
        patterns = {status: answer.get("SelectionPattern") for status, answer in answers.items()}
        assert patterns == {"202": "200", "400": "400", "500": None}
        assert {response["StatusCode"] for response in method["MethodResponses"]} == answers.keys()


def test_accepted_answer_is_what_the_document_says(submissions: Calls) -> None:
    sources = {
        "PUT": "$input.params('jobId')",
        "POST": "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')",
    }
    for (verb, _), method in submissions.items():
        first, text = _answer(method, "202").split("\n")
        assert first == f"#set($jobId = {sources[verb]})"
        body = json.loads(text.replace("$jobId", "job-1"))
        schema = {**DOCUMENT["components"]["schemas"]["JobAccepted"], "components": DOCUMENT["components"]}
        jsonschema.Draft4Validator(schema).validate(body)
        assert body["jobId"] == "job-1"
        assert body["status"] == "QUEUED"
        assert body["links"] == {
            "self": "/jobs/job-1",
            "cancel": "/jobs/job-1/cancel",
            "redrive": "/jobs/job-1/redrive",
            "result": "/jobs/job-1/result",
        }


@pytest.mark.parametrize("status", ["400", "500"])
def test_refused_submission_is_a_problem(submissions: Calls, status: str) -> None:
    for method in submissions.values():
        _assert_problem(json.loads(_answer(method, status)), int(status))
        (answer,) = (each for each in method["Integration"]["IntegrationResponses"] if each["StatusCode"] == status)
        headers = answer["ResponseParameters"]
        assert headers["method.response.header.Content-Type"] == "'application/problem+json'"
        assert ("method.response.header.Retry-After" in headers) == (status == "500")


def test_every_gateway_response_is_a_problem(template: Resources) -> None:
    for response in template.of_type("AWS::ApiGateway::GatewayResponse").values():
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert response["ResponseTemplates"].keys() == {"application/json"}
        problem = json.loads(response["ResponseTemplates"]["application/json"])
        _assert_problem(problem, int(response["StatusCode"]))
        assert ("gatewayresponse.header.Retry-After" in headers) == (problem["status"] in {429, 500})


def test_every_kind_of_gateway_response_is_there(template: Resources) -> None:
    import aws_cdk.aws_apigateway as apigateway

    kinds = [getattr(apigateway.ResponseType, name) for name in dir(apigateway.ResponseType) if name.isupper()]
    given = {response["ResponseType"] for response in template.of_type("AWS::ApiGateway::GatewayResponse").values()}
    assert {kind.response_type for kind in kinds} == given


def test_body_that_does_not_fit_is_told_what_is_wrong(template: Resources) -> None:
    response = template.named("ApiRestApiBadRequestBody", "AWS::ApiGateway::GatewayResponse")
    assert "$context.error.validationErrorString" in response["ResponseTemplates"]["application/json"]


def test_gateway_refuses_old_tls(template: Resources) -> None:
    (api,) = template.of_type("AWS::ApiGateway::RestApi").values()
    assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2")
    assert api["EndpointAccessMode"] == "STRICT"
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_stage_is_throttled_and_logs_no_payload(template: Resources) -> None:
    (stage,) = template.of_type("AWS::ApiGateway::Stage").values()
    for settings in stage["MethodSettings"]:
        assert settings["ThrottlingRateLimit"] > 0
        assert settings["ThrottlingBurstLimit"] > settings["ThrottlingRateLimit"]
        assert settings["DataTraceEnabled"] is False
        assert (settings["LoggingLevel"], settings["MetricsEnabled"]) == ("ERROR", True)
    log = json.loads(stage["AccessLogSetting"]["Format"])
    assert not [value for value in log.values() if re.search(r"body|params|header|path$|sourceIp", value)]


def test_submissions_and_uploads_have_throttles_of_their_own(
    templates: dict[str, Any], environments: dict[str, Any]
) -> None:
    for name, settings in environments.items():
        (stage,) = Resources(templates[name]).of_type("AWS::ApiGateway::Stage").values()
        limits = {
            (each["HttpMethod"], each["ResourcePath"]): (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"])
            for each in stage["MethodSettings"]
        }
        submissions = settings["submissions_per_second"], settings["submission_burst"]
        assert limits == {
            ("*", "/*"): (settings["requests_per_second"], settings["request_burst"]),
            ("PUT", "/~1jobs~1{jobId}"): submissions,
            ("POST", "/~1jobs"): submissions,
            ("POST", "/~1uploads"): (settings["uploads_per_second"], settings["upload_burst"]),
        }


def test_users_cannot_sign_themselves_up_and_choose_strong_passwords(template: Resources) -> None:
    pool = template.named("Identity", "AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    policy = dict(pool["Policies"]["PasswordPolicy"])  # the template is everybody's
    assert policy.pop("MinimumLength") >= 12
    assert policy.pop("TemporaryPasswordValidityDays") <= 7
    assert set(policy.values()) == {True}
    assert len(policy) == 4


def test_client_keeps_no_secret_and_tells_nobody_who_exists(template: Resources) -> None:
    client = template.named("Identity", "AWS::Cognito::UserPoolClient")
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert set(client["ExplicitAuthFlows"]) == {
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }


def test_tokens_are_short_lived_and_a_sign_in_can_be_revoked(template: Resources) -> None:
    client = template.named("Identity", "AWS::Cognito::UserPoolClient")
    assert client["TokenValidityUnits"] == {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "minutes"}
    assert client["AccessTokenValidity"] <= 60
    assert client["IdTokenValidity"] <= 60
    assert client["RefreshTokenValidity"] <= 30 * 24 * 60
    assert client["EnableTokenRevocation"] is True
    assert client["AllowedOAuthFlowsUserPoolClient"] is False


def test_first_sign_in_leaves_time_to_set_an_app_up_and_no_more(template: Resources) -> None:
    assert template.named("Identity", "AWS::Cognito::UserPoolClient")["AuthSessionValidity"] == 10


def test_second_factor_is_an_app_where_there_is_one(templates: dict[str, Any], environments: dict[str, Any]) -> None:
    for name, settings in environments.items():
        pool = Resources(templates[name]).named("Identity", "AWS::Cognito::UserPool")
        assert pool["MfaConfiguration"] == {"off": "OFF", "optional": "OPTIONAL", "required": "ON"}[settings["mfa"]]
        assert pool.get("EnabledMfas", ["SOFTWARE_TOKEN_MFA"]) == ["SOFTWARE_TOKEN_MFA"]


def test_machines_have_scopes_of_their_own_and_operators_a_group(template: Resources) -> None:
    server = template.named("Identity", "AWS::Cognito::UserPoolResourceServer")
    assert server["Identifier"] == "darkroom"
    assert [scope["ScopeName"] for scope in server["Scopes"]] == ["jobs.read", "jobs.write"]
    assert template.named("Identity", "AWS::Cognito::UserPoolGroup")["GroupName"] == OPERATORS
    assert "AWS::AccountId" in str(template.named("Identity", "AWS::Cognito::UserPoolDomain")["Domain"])


def _assert_problem(problem: dict[str, Any], status: int) -> None:
    jsonschema.Draft4Validator(
        {**DOCUMENT["components"]["schemas"]["Problem"], "components": DOCUMENT["components"]}
    ).validate(problem)
    assert problem["status"] == status
    assert re.fullmatch(r"/problems/[a-z-]+", problem["type"])
    assert problem["title"]
    assert problem["detail"]


def _path(template: Resources, resource_id: Any) -> str:
    if "Fn::GetAtt" in resource_id:
        return ""
    resource = template.behind(resource_id)
    return f"{_path(template, resource['ParentId'])}/{resource['PathPart']}"


def _form(method: dict[str, Any]) -> str:
    """Take the last line of the request template: what is sent, of a call that has a trace."""
    text: str = method["Integration"]["RequestTemplates"]["application/json"]
    return text.rpartition("\n")[2].replace(IF_TRACED, "").removesuffix("#end")


def _answer(method: dict[str, Any], status: str) -> str:
    (answer,) = (each for each in method["Integration"]["IntegrationResponses"] if each["StatusCode"] == status)
    text: str = answer["ResponseTemplates"]["application/json"]
    return text


def _attributes(fields: dict[str, str], prefix: str = "MessageAttribute") -> dict[str, str]:
    numbers = [name.split(".")[1] for name in fields if name.startswith(prefix) and name.endswith(".Name")]
    assert all(fields[f"{prefix}.{number}.Value.DataType"] == "String" for number in numbers)
    return {fields[f"{prefix}.{number}.Name"]: fields[f"{prefix}.{number}.Value.StringValue"] for number in numbers}
