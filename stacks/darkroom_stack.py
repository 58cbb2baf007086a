"""The whole of Darkroom: builds the capabilities and says, here and nowhere else, who may do what to which."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.adapters import keys
from lambdas.config import FUNCTION_MEMORY_MB, OFF, ON, Variable
from lambdas.stages.catalogue import STAGES, Reads, Stage
from stacks.alarms import Alarms, New, Watched
from stacks.api import STAGE_NAME as API_STAGE
from stacks.api import Api, Throttle, Throttles
from stacks.budget import Budget
from stacks.bundling import Package, Packages
from stacks.console import Behind
from stacks.console_site import EXECUTION, Surroundings
from stacks.dashboards import Dashboards, Functions
from stacks.dead_letters import DeadLetters
from stacks.encryption import Encryption
from stacks.event_stream import EventStream
from stacks.execution_ends import ExecutionEnds
from stacks.firewall import Firewall
from stacks.functions import FunctionFactory
from stacks.identity import Identity
from stacks.image_bucket import ImageBucket
from stacks.intake import Intake
from stacks.job_table import JobTable
from stacks.logs import LogKeeping
from stacks.measurements import grant_measurements
from stacks.openapi import Contract
from stacks.push_channel import STAGE_NAME as PUSH_STAGE
from stacks.push_channel import PushChannel
from stacks.queries import Queries
from stacks.reconciler import Reconciler
from stacks.rekognition import grant_looking
from stacks.releases import Releases
from stacks.sampling import Sampling
from stacks.settings import Settings
from stacks.topics import Severity, Topics
from stacks.workflow import Workflow

STARTER_TIMEOUT = Duration.seconds(30)
BURIER_TIMEOUT = Duration.seconds(30)
API_TIMEOUT = Duration.seconds(29)
"""The gateway gives up at 29 seconds."""
CLEAN_UP_TIMEOUT = Duration.seconds(60)
SETTLE_TIMEOUT = Duration.seconds(30)
RECONCILE_TIMEOUT = Duration.minutes(2)
PUBLISH_TIMEOUT = Duration.seconds(30)
WATCH_TIMEOUT = Duration.seconds(29)
"""The gateway gives up at 29 seconds here, too."""
REDRIVE_TIMEOUT = Duration.seconds(20)


class DarkroomStack(Stack):
    """One environment of Darkroom."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        packages: Packages,
        contract: Contract,
        definition: str,
        at_once: bool = False,
    ) -> None:
        """`at_once` has new versions do all of the work at once, whatever the alarms say: to mend what is broken."""
        super().__init__(
            scope,
            construct_id,
            description="Darkroom: image analysis as long-running work",
            termination_protection=settings.retain_data,
        )
        self._settings = settings
        self._api_code = _code(packages.api)
        self._stage_code = _code(packages.stages)
        removal_policy = RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY
        self.encryption = Encryption(
            self, "Encryption", own_key=settings.customer_managed_key, removal_policy=removal_policy
        )
        self._logs = LogKeeping(
            retention_days=settings.log_retention_days,
            removal_policy=removal_policy,
            encryption_key=self.encryption.key,
        )
        self._factory = FunctionFactory(
            runtime=settings.runtime,
            architecture=settings.architecture,
            log_level=settings.log_level,
            log_keeping=self._logs,
            tracing=settings.tracing,
        )
        self._functions = Construct(self, "Functions")
        self._releases = Releases(self, "Releases", gradual=settings.gradual_deployment)
        self.table = JobTable(
            self,
            "JobTable",
            removal_policy=removal_policy,
            deletion_protection=settings.retain_data,
            point_in_time_recovery=settings.point_in_time_recovery,
            encryption=self.encryption,
        )
        self.bucket = ImageBucket(
            self,
            "ImageBucket",
            removal_policy=removal_policy,
            upload_retention_days=settings.upload_retention_days,
            job_retention_days=settings.job_retention_days,
            encryption=self.encryption,
        )
        self.events = EventStream(
            self, "Events", bus_name=self.stack_name, removal_policy=removal_policy, encryption=self.encryption
        )
        self.push = PushChannel(
            self,
            "Push",
            name=self.stack_name,
            messages_per_second=settings.requests_per_second,
            message_burst=settings.request_burst,
            log_keeping=self._logs,
            encryption=self.encryption,
        )
        self.dead_letters = DeadLetters(self, "DeadLetters", encryption=self.encryption)
        self.intake = Intake(
            self,
            "Intake",
            starter_timeout=STARTER_TIMEOUT,
            burier_timeout=BURIER_TIMEOUT,
            last_resort=self.dead_letters.queue,
            encryption=self.encryption,
        )
        self.identity = Identity(
            self,
            "Identity",
            mfa=settings.mfa,
            removal_policy=removal_policy,
            deletion_protection=settings.retain_data,
        )
        self.workflow = self._workflow(definition)
        self.api_calls = self._api_calls()
        self.api = self._api(contract)
        if settings.tracing:
            Sampling(self, "Sampling", api_name=self.stack_name)
        if settings.firewall:
            Firewall(
                self,
                "Firewall",
                stage=self.api.rest_api.deployment_stage,
                requests_per_address=settings.firewall_requests_per_address,
            )
        self.start_execution = self._start_execution()
        self._bury_message()
        self._settle_ended()
        self.reconcile = self._reconcile()
        self.redrive_job = self._redrive_job()
        self.publish_events = self._publish_events()
        self._watch()
        self._outputs()
        if settings.alarms:
            alarms = self._watch_over()
            if settings.gradual_deployment:
                self._shift(alarms, at_once=at_once)

    def behind_the_console(self) -> Behind:
        """Tell where a console's requests go."""
        return Behind(
            api_host=f"{self.api.rest_api.rest_api_id}.execute-api.{self.region}.{self.url_suffix}",
            api_stage=API_STAGE,
            live_host=f"{self.push.api.api_id}.execute-api.{self.region}.{self.url_suffix}",
            live_stage=PUSH_STAGE,
            sign_in_host=f"cognito-idp.{self.region}.{self.url_suffix}",
            files_host=self.bucket.bucket.bucket_regional_domain_name,
        )

    def surroundings(self, stage: str) -> Surroundings:
        """Tell what a console has to know of this environment, whose name is `stage`."""
        execution = self.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.workflow.name}:{EXECUTION}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        console = f"https://{self.region}.console.aws.amazon.com/states/home?region={self.region}"
        return Surroundings(
            stage=stage,
            region=self.region,
            user_pool_client_id=self.identity.client.user_pool_client_id,
            execution_url=f"{console}#/v2/executions/details/{execution}",
        )

    def _workflow(self, definition: str) -> Workflow:
        self._stages = {stage.name: self._stage(stage) for stage in STAGES}
        self.settle_failed = self._settle_failed()
        workflow = Workflow(
            self,
            "Workflow",
            name=f"{self.stack_name}-image-analysis",
            definition=definition,
            functions={
                **{stage.placeholder: self._releases.frozen(self._stages[stage.name]) for stage in STAGES},
                "CleanUpFunctionArn": self._releases.frozen(self._clean_up()),
                "SettleFailedFunctionArn": self._releases.frozen(self.settle_failed),
            },
            dead_letter_queue=self.dead_letters.queue,
            job_table_name=self.table.table.table_name,
            log_keeping=self._logs,
            tracing=self._settings.tracing,
            gradual=self._releases.gradual,
        )
        self.table.grant_rows(workflow.state_machine, "UpdateItem")
        self.dead_letters.grant_sending(workflow.state_machine)
        return workflow

    def _api(self, contract: Contract) -> Api:
        return Api(
            self,
            "Api",
            name=self.stack_name,
            contract=contract,
            user_pool=self.identity.pool,
            intake=self.intake,
            handler=self._releases.called(self.api_calls),
            operations=self._releases.called(self._operations()),
            throttles=_throttles(self._settings),
            log_keeping=self._logs,
            tracing=self._settings.tracing,
        )

    def _stage(self, stage: Stage) -> lambda_.Function:
        """Make the function of a stage. It alone, of all stages, may read uploads if the catalogue says so."""
        function = self._factory.create(
            self._functions,
            stage.state,
            description=f"stage {stage.name}",
            code=self._stage_code if stage.image_libraries else self._api_code,
            handler="run_stage",
            memory_mb=stage.memory_mb,
            timeout=Duration.seconds(stage.timeout_seconds),
            environment={**self._job_environment(), Variable.STAGE: stage.name},
        )
        self.table.grant_rows(function, "UpdateItem")  # a write that is refused brings the row along
        self.bucket.grant_artefacts(function, "GetObject", "PutObject", "DeleteObject")
        if stage.reads is Reads.UPLOAD:
            self.bucket.grant_uploads(function, "GetObject")
            self.bucket.grant_telling_missing(function, keys.UPLOAD_PREFIX)
        if stage.asks_rekognition and self._settings.labels:
            grant_looking(function)
        return function

    def _clean_up(self) -> lambda_.Function:
        function = self._api_function(
            "CleanUp",
            description="deletes a cancelled job's artefacts and settles its row",
            handler="clean_up",
            timeout=CLEAN_UP_TIMEOUT,
            environment={**self._job_environment(), **self._patience()},
        )
        self._grant_cleaning_up(function)
        return function

    def _settle_failed(self) -> lambda_.Function:
        function = self._api_function(
            "SettleFailed",
            description="says what went wrong, writes it into the job's row and hands on its dead letter",
            handler="settle_failed",
            timeout=SETTLE_TIMEOUT,
            environment={Variable.JOB_TABLE: self.table.table.table_name, **self._patience()},
        )
        self.table.grant_rows(function, "GetItem", "UpdateItem")
        return function

    def _start_execution(self) -> lambda_.Function:
        function = self._starter(
            "StartExecution",
            description="reads the job queue, writes the job's row and starts its execution",
            handler="start_execution",
            timeout=STARTER_TIMEOUT,
        )
        self.intake.start_with(self._releases.called(function), max_concurrency=self._settings.starter_max_concurrency)
        return function

    def _bury_message(self) -> None:
        function = self._starter(
            "BuryMessage",
            description="tries an unstarted message once more, or makes of it a failed job and a dead letter",
            handler="bury_message",
            timeout=BURIER_TIMEOUT,
        )
        self.intake.bury_with(self._releases.called(function))

    def _settle_ended(self) -> None:
        function = self._api_function(
            "SettleEnded",
            description="settles the job of an execution that ended where no Catch could see it",
            handler="settle_ended",
            timeout=CLEAN_UP_TIMEOUT,
            environment=self._settling_environment(),
        )
        self._grant_cleaning_up(function)
        self.dead_letters.grant_sending(function)
        ExecutionEnds(
            self,
            "ExecutionEnds",
            state_machine=self.workflow.state_machine,
            settler=self._releases.called(function),
            dead_letter_queue=self.dead_letters.queue,
        )

    def _reconcile(self) -> lambda_.Function:
        function = self._api_function(
            "Reconcile",
            description="settles or restarts jobs that have stood still for too long",
            handler="reconcile",
            timeout=RECONCILE_TIMEOUT,
            environment={
                **self._settling_environment(),
                Variable.STATE_MACHINE_ARN: self.workflow.start_arn,
            },
        )
        self.table.grant_listing_due(function)
        self._grant_cleaning_up(function)
        self.workflow.grant_starting(function)
        self.workflow.grant_executions(function, "DescribeExecution", "StopExecution")
        self.dead_letters.grant_sending(function)
        Reconciler(self, "Reconciler", function=self._releases.called(function))
        return function

    def _redrive_job(self) -> lambda_.Function:
        """Nothing calls it but operators, by the right to invoke it."""
        function = self._api_function(
            "RedriveJob",
            description="starts a new attempt at a failed job, for an operator",
            handler="redrive_job",
            timeout=REDRIVE_TIMEOUT,
            environment={Variable.JOB_TABLE: self.table.table.table_name, **self._redriving_environment()},
        )
        self.table.grant_rows(function, "GetItem", "UpdateItem")
        self._grant_starting(function)
        return function

    def _publish_events(self) -> lambda_.Function:
        function = self._api_function(
            "PublishEvents",
            description="tells of every change of a job: in the log of events, and on the bus",
            handler="publish_events",
            timeout=PUBLISH_TIMEOUT,
            environment={
                Variable.EVENT_TABLE: self.events.log.table_name,
                Variable.EVENT_BUS_NAME: self.events.bus.event_bus_name,
                Variable.EVENT_FAILURES_URL: self.events.failures.queue_url,
                **self._push_environment(),
            },
        )
        self.events.publish_with(self._releases.called(function), table=self.table.table)
        self.push.grant_watchers(function, "Query", "DeleteItem")
        self.push.grant_telling(function)
        return function

    def _watch(self) -> None:
        """Make the functions behind the push channel."""
        authorizer = self._api_function(
            "AuthorizeWatcher",
            description="lets a watcher in by its ticket",
            handler="authorize_watcher",
            timeout=WATCH_TIMEOUT,
            environment={Variable.TICKET_TABLE: self.push.tickets.table_name},
        )
        self.push.grant_redeeming(authorizer)
        watch = self._api_function(
            "Watch",
            description="notes what watchers want to be told of, and tells them what they have missed",
            handler="watch",
            timeout=WATCH_TIMEOUT,
            environment={Variable.EVENT_TABLE: self.events.log.table_name, **self._push_environment()},
        )
        self.push.grant_watchers(watch, "PutItem", "UpdateItem", "DeleteItem", "Query")
        self.push.grant_telling(watch)
        self.events.grant_log(watch, "Query")
        self.push.answer_with(self._releases.called(watch), authorizer=self._releases.called(authorizer))
        self.push.log_with(self.api.rest_api.node.find_child("Account"))

    def _watch_over(self) -> Alarms:
        settings = self._settings
        topics = Topics(
            self,
            "Topics",
            name=self.stack_name,
            emails={Severity.PAGE: settings.page_email, Severity.TICKET: settings.ticket_email},
            slack_workspace=settings.slack_workspace,
            slack_channel=settings.slack_channel,
        )
        watched = self._watched()
        alarms = Alarms(
            self,
            "Alarms",
            name=self.stack_name,
            watched=watched,
            topics=topics,
            runbooks_url=settings.runbooks_url,
        )
        Dashboards(
            self,
            "Dashboards",
            name=self.stack_name,
            watched=watched,
            functions=Functions(starter=self.start_execution, api=self.api_calls, stages=self._stages),
            alarms=alarms,
            runbooks_url=settings.runbooks_url,
        )
        Queries(
            self,
            "Queries",
            name=self.stack_name,
            functions=self._factory.log_groups,
            gateway=self.api.access_log,
        )
        if settings.monthly_budget_dollars:
            topics.let_budgets_publish()
            Budget(
                self,
                "Budget",
                name=self.stack_name,
                dollars=settings.monthly_budget_dollars,
                topic=topics.topics[Severity.TICKET],
            )
        return alarms

    def _shift(self, alarms: Alarms, *, at_once: bool) -> None:
        """New versions go back when what they do fails, or when whatever somebody is woken for happens meanwhile."""
        woken = [alarms.alarms[name] for name in ("stalled", "api-5xx", "failure-rate")]
        self.workflow.shift(alarms=[alarms.alarms["new-stages"], *woken], at_once=at_once)
        self._releases.shift(alarms=[alarms.alarms["new-functions"], *woken], at_once=at_once)

    def _watched(self) -> Watched:
        return Watched(
            api=self.api.rest_api,
            job_queue=self.intake.queue,
            unstarted=self.intake.dead_letter_queue,
            dead_letters=self.dead_letters.queue,
            untold=self.events.failures,
            publisher=self.publish_events,
            reconciler=self.reconcile,
            state_machine=self.workflow.state_machine,
            table=self.table.table,
            new=self._new(),
        )

    def _new(self) -> New | None:
        if not self._releases.gradual:
            return None
        return New(
            functions=list(self._releases.live.values()),
            begins=self._stages[STAGES[0].name].current_version,
            settles_failed=self.settle_failed.current_version,
        )

    def _grant_cleaning_up(self, function: lambda_.Function) -> None:
        self.table.grant_rows(function, "GetItem", "UpdateItem")
        self.bucket.grant_listing_artefacts(function)
        self.bucket.grant_artefacts(function, "DeleteObject")

    def _grant_starting(self, function: lambda_.Function) -> None:
        self.workflow.grant_starting(function)
        self.workflow.grant_executions(function, "DescribeExecution")

    def _starter(self, construct_id: str, *, description: str, handler: str, timeout: Duration) -> lambda_.Function:
        """Make a function that may start executions, and write down and report what cannot be started."""
        function = self._api_function(
            construct_id,
            description=description,
            handler=handler,
            timeout=timeout,
            environment={
                **self._settling_environment(),
                **self._redriving_environment(),
                **self._limits(),
                Variable.LABELS: ON if self._settings.labels else OFF,
                Variable.RETENTION_DAYS: str(self._settings.job_retention_days),
            },
        )
        self.table.grant_rows(function, "PutItem", "UpdateItem")
        self.table.grant_counting(function)
        self._grant_starting(function)
        self.dead_letters.grant_sending(function)
        return function

    def _api_calls(self) -> lambda_.Function:
        function = self._api_function(
            "ApiCalls",
            description="answers the API's calls, except those that submit a job",
            handler="api",
            timeout=API_TIMEOUT,
            environment={
                **self._job_environment(),
                **self._redriving_environment(),
                Variable.EVENT_TABLE: self.events.log.table_name,
                Variable.TICKET_TABLE: self.push.tickets.table_name,
                Variable.PUSH_URL: self.push.url,
                Variable.JOB_QUEUE_URL: self.intake.queue.queue_url,
                Variable.INTAKE_DEAD_LETTER_QUEUE_URL: self.intake.dead_letter_queue.queue_url,
                **self._limits(),
                Variable.MAX_UPLOAD_BYTES: str(self._settings.max_upload_bytes),
                Variable.RETENTION_DAYS: str(self._settings.job_retention_days),
            },
        )
        self.table.grant_rows(function, "GetItem", "BatchGetItem", "PutItem", "UpdateItem")
        self.table.grant_listing(function)
        self.events.grant_log(function, "Query")
        self.push.grant_issuing(function)
        self._grant_starting(function)
        # It signs forms and links in its own name, so they can do what it may do, until they expire.
        self.bucket.grant_uploads(function, "PutObject")
        self.bucket.grant_artefacts(function, "GetObject", "DeleteObject")
        # So that a report that has expired is told apart from one that may not be read, and a deleted job's are found.
        self.bucket.grant_telling_missing(function, keys.JOB_PREFIX)
        self.intake.queue.grant(function, "sqs:GetQueueAttributes")
        self.intake.dead_letter_queue.grant(function, "sqs:GetQueueAttributes")
        return function

    def _operations(self) -> lambda_.Function:
        function = self._api_function(
            "Operations",
            description="answers the API's calls for operators",
            handler="operations",
            timeout=API_TIMEOUT,
            environment={
                Variable.JOB_TABLE: self.table.table.table_name,
                **self._redriving_environment(),
                Variable.JOB_QUEUE_URL: self.intake.queue.queue_url,
                Variable.INTAKE_DEAD_LETTER_QUEUE_URL: self.intake.dead_letter_queue.queue_url,
                Variable.DEAD_LETTER_QUEUE_URL: self.dead_letters.queue.queue_url,
            },
        )
        self.table.grant_rows(function, "GetItem", "UpdateItem")
        self._grant_starting(function)
        self.workflow.grant_listing(function)
        self.intake.queue.grant(function, "sqs:GetQueueAttributes")
        self.intake.dead_letter_queue.grant(function, "sqs:GetQueueAttributes")
        self.dead_letters.grant_sorting(function)
        grant_measurements(function)
        return function

    def _api_function(
        self,
        construct_id: str,
        *,
        description: str,
        handler: str,
        timeout: Duration,
        environment: Mapping[Variable, str],
    ) -> lambda_.Function:
        return self._factory.create(
            self._functions,
            construct_id,
            description=description,
            code=self._api_code,
            handler=handler,
            memory_mb=FUNCTION_MEMORY_MB,
            timeout=timeout,
            environment=environment,
        )

    def _push_environment(self) -> dict[Variable, str]:
        return {Variable.WATCHER_TABLE: self.push.watchers.table_name, Variable.PUSH_URL: self.push.url}

    def _job_environment(self) -> dict[Variable, str]:
        return {
            Variable.JOB_TABLE: self.table.table.table_name,
            Variable.IMAGE_BUCKET: self.bucket.bucket.bucket_name,
        }

    def _settling_environment(self) -> dict[Variable, str]:
        return {
            **self._job_environment(),
            **self._patience(),
            Variable.DEAD_LETTER_QUEUE_URL: self.dead_letters.queue.queue_url,
        }

    def _redriving_environment(self) -> dict[Variable, str]:
        return {**self._patience(), Variable.STATE_MACHINE_ARN: self.workflow.start_arn}

    def _limits(self) -> dict[Variable, str]:
        return {Variable.MAX_OPEN_JOBS: str(self._settings.max_open_jobs)}

    def _patience(self) -> dict[Variable, str]:
        return {Variable.PATIENCE_SECONDS: str(self._settings.patience_seconds)}

    def _outputs(self) -> None:
        """Say what clients and operators need to know. None of it is secret."""
        outputs = {
            "ApiUrl": self.api.url,
            "Region": self.region,
            "UserPoolId": self.identity.pool.user_pool_id,
            "UserPoolClientId": self.identity.client.user_pool_client_id,
            "TokenUrl": self.identity.token_url,
            "JobQueueUrl": self.intake.queue.queue_url,
            "IntakeDeadLetterQueueUrl": self.intake.dead_letter_queue.queue_url,
            "DeadLetterQueueUrl": self.dead_letters.queue.queue_url,
            "RedriveFunctionName": self._releases.called(self.redrive_job).function_name,
            "ReconcileFunctionName": self._releases.called(self.reconcile).function_name,
            "PushUrl": self.push.url.replace("https", "wss", 1),
            "EventBusName": self.events.bus.event_bus_name,
            "StateMachineArn": self.workflow.state_machine.state_machine_arn,
            "JobTableName": self.table.table.table_name,
            "ImageBucketName": self.bucket.bucket.bucket_name,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _throttles(settings: Settings) -> Throttles:
    return Throttles(
        submissions=Throttle(per_second=settings.submissions_per_second, burst=settings.submission_burst),
        uploads=Throttle(per_second=settings.uploads_per_second, burst=settings.upload_burst),
        others=Throttle(per_second=settings.requests_per_second, burst=settings.request_burst),
    )


def _code(package: Package) -> lambda_.Code:
    return lambda_.Code.from_asset(str(package.path), asset_hash=package.digest)
