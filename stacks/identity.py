"""Who may use the API: a Cognito user pool, in which an operator makes the users."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from lambdas.config import OPERATORS
from stacks.findings import accept

SCOPES = cognito.ResourceServerScope
READ = SCOPES(scope_name="jobs.read", scope_description="Look at one's own jobs and fetch their results")
WRITE = SCOPES(
    scope_name="jobs.write", scope_description="Upload images; submit, cancel, redrive and delete one's own jobs"
)
RESOURCE_SERVER = "darkroom"
OF_USERS = "aws.cognito.signin.user.admin"
"""The scope that the pool gives to whoever signs in to it as a user, and to no machine."""

_MFA = {"off": cognito.Mfa.OFF, "optional": cognito.Mfa.OPTIONAL, "required": cognito.Mfa.REQUIRED}


class Identity(Construct):
    """Users sign in with their email address; machines, whose clients operators make, with an id and a secret.

    Cognito bills by the user active in a month, after many free ones, and by the machine's client and its tokens.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        mfa: str,
        removal_policy: RemovalPolicy,
        deletion_protection: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "UserPool",
            # Whoever can sign up can submit, and every job costs money.
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=_password_policy(),
            mfa=_MFA[mfa],
            # Text messages can be intercepted, and are billed one by one.
            mfa_second_factor=None if mfa == "off" else cognito.MfaSecondFactor(otp=True, sms=False),
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
        )
        accept(
            self.pool,
            {
                "AwsSolutions-COG2": "A setting: offered in production; a hindrance to trying things out.",
                "AwsSolutions-COG8": "The plus plan is billed by the user; operators make the users, who are known.",
            },
        )
        self.client = self.pool.add_client(
            "Client",
            # A command line cannot keep a secret.
            generate_secret=False,
            auth_flows=cognito.AuthFlow(user_password=True, user_srp=True),
            disable_o_auth=True,
            # The same answer for an unknown user as for a wrong password.
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            # Between the password and the code: time to get an authenticator app and to type its key. Three by default.
            auth_session_validity=Duration.minutes(10),
            id_token_validity=Duration.hours(1),
            access_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
        )
        self.pool.add_resource_server("Scopes", identifier=RESOURCE_SERVER, scopes=[READ, WRITE])
        # Where machines get their tokens. Users cannot sign in there: their client has no OAuth flow.
        self.domain = self.pool.add_domain(
            "Domain", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=_domain_prefix(Stack.of(self)))
        )
        self.pool.add_group(
            "Operators",
            group_name=OPERATORS,
            description="May look at, cancel and redrive everybody's jobs; each time is logged",
        )

    @property
    def token_url(self) -> str:
        """Where a machine trades its id and secret for an access token (RFC 6749, 4.4)."""
        return f"{self.domain.base_url()}/oauth2/token"


def scopes_for(method: str, *, reads: bool = False) -> list[str]:
    """Any one of which an access token must have: a user's whole sign-in, or a machine's right to read or to write.

    `reads` says of another method than GET that it only leads to reading.
    """
    right = READ if method == "GET" or reads else WRITE
    return [f"{RESOURCE_SERVER}/{right.scope_name}", OF_USERS]


def _domain_prefix(stack: Stack) -> str:
    """A name that is free: prefixes are shared by all accounts of a region, and must be in lower case."""
    return f"{stack.stack_name.lower()}-{stack.account}"


def _password_policy() -> cognito.PasswordPolicy:
    return cognito.PasswordPolicy(
        min_length=12,
        require_lowercase=True,
        require_uppercase=True,
        require_digits=True,
        require_symbols=True,
        temp_password_validity=Duration.days(3),
    )
