"""The controls of docs/security.md, taken away one at a time; `make mutants` shows that a test notices each."""

from tests.mutant import Mutant

API = "stacks/api.py"
SUBMISSION = "stacks/submission.py"
PUSH = "stacks/push_channel.py"
WATCHERS = "lambdas/adapters/watchers.py"
INSPECT = "tests/unit/stages/test_inspect.py"
GATEWAY_TEST = "tests/infrastructure/test_api.py"
PUSH_TEST = "tests/functional/test_push.py"
REDRIVE_TEST = "tests/functional/test_redrive.py"
API_TEST = "tests/functional/test_api.py"
CONSOLE_TEST = "tests/infrastructure/test_console.py"

SECURITY = (
    Mutant("anybody may name another owner", "lambdas/handlers/api.py",
           "if not requests.is_operator(app.current_event):", "if False:", threat=1,
           test="tests/functional/test_operators.py::test_others_list_nothing_of_an_owner_that_they_name"),
    Mutant("the body goes into the queue's form as it is", SUBMISSION,
           "MessageBody=$util.urlEncode($input.body)", "MessageBody=$input.body", threat=2,
           test=f"{GATEWAY_TEST}::test_everything_from_the_request_is_encoded"),
    Mutant("the owner comes from a header", SUBMISSION,
           '_OWNER = "$context.authorizer.claims.sub"', "_OWNER = \"$input.params('owner')\"", threat=2,
           test=f"{GATEWAY_TEST}::test_owner_comes_from_the_token"),
    Mutant("a right to read is a right to write", API,
           "reads=operation.operation_id in READING", "reads=True", threat=3,
           test=f"{GATEWAY_TEST}::test_every_call_needs_an_access_token_that_is_a_users_or_has_the_right_scope"),
    Mutant("another content type is passed on", SUBMISSION,
           "PassthroughBehavior.NEVER", "PassthroughBehavior.WHEN_NO_MATCH", threat=4,
           test=f"{GATEWAY_TEST}::test_no_other_content_type_gets_past_the_template"),
    Mutant("an upload may be of any size", "lambdas/adapters/image_bucket.py",
           ', ["content-length-range", 0, max_bytes]]', "]", threat=5,
           test=f"{API_TEST}::test_create_upload_gives_a_place_under_the_owners_own_prefix"),
    Mutant("uploads are kept for ever", "stacks/image_bucket.py",
           "_expire(keys.UPLOAD_PREFIX, days=upload_retention_days),", "", threat=5,
           test="tests/infrastructure/test_storage.py::test_nothing_in_the_bucket_is_for_ever"),
    Mutant("an id may hold a way to elsewhere", "lambdas/jobs/submission.py",
           'ID = re.compile(r"[A-Za-z0-9_-]{1,64}")', 'ID = re.compile(r"[A-Za-z0-9_./%-]{1,64}")', threat=6,
           test="tests/functional/test_start_execution.py"),
    Mutant("frames are counted without an end", "lambdas/stages/image_limits.py",
           "MAX_FRAMES = 1_000", "MAX_FRAMES = 50_000", threat=7,
           test="tests/unit/stages/test_inspect_refusals.py::test_inspect_too_many_frames_are_refused"),
    Mutant("where a photograph was taken is not flagged", "lambdas/stages/exif.py",
           'return bool(_GPS_COORDINATES & set(self._gps)) or b"GPSLatitude" in self._xmp', "return False", threat=8,
           test=f"{INSPECT}::test_inspect_location_is_flagged_but_never_told"),
    Mutant("bodies and tokens are logged", API,
           '"data_trace_enabled": False', '"data_trace_enabled": True', threat=9,
           test=f"{GATEWAY_TEST}::test_stage_is_throttled_and_logs_no_payload"),
    Mutant("one owner may have any number of unfinished jobs", "lambdas/handlers/open_jobs.py",
           "if not is_full(asked.owner):", "if True:", threat=10,
           test="tests/functional/test_open_jobs.py::test_open_jobs_one_too_many_fails_and_says_what_to_do"),
    Mutant("a rule of anybody may call the reconciler", "stacks/reconciler.py",
           "        accept(self.rule, {",
           '        caller = __import__("aws_cdk").aws_iam.ServicePrincipal("events.amazonaws.com")\n'
           '        function.add_permission("Anybody", principal=caller)\n'
           "        accept(self.rule, {", threat=11,
           test="tests/infrastructure/test_permissions.py::test_services_may_call_functions_only_for_what_is_ours"),
    Mutant("the bucket takes plain HTTP", "stacks/image_bucket.py",
           "enforce_ssl=True", "enforce_ssl=False", threat=12,
           test="tests/infrastructure/test_storage.py::test_bucket_refuses_plain_http_and_old_tls"),
    Mutant("who makes tickets may read them all", PUSH,
           'self._grant(grantee, self.tickets, "PutItem")', 'self._grant(grantee, self.tickets, "PutItem", "Scan")',
           threat=13, test="tests/infrastructure/test_permissions.py::test_function_may_do_what_its_code_does"),
    Mutant("a letter redrives whatever it says", "lambdas/handlers/letter_redrives.py",
           "if job.attempt != letter.number or job.status is not Status.FAILED:", "if False:", threat=14,
           test=REDRIVE_TEST),
    Mutant("a ticket is good for ever", "lambdas/adapters/tickets.py",
           'ConditionExpression=f"{EXPIRES_AT} > :present"',
           'ConditionExpression=f"{EXPIRES_AT} > :present OR {EXPIRES_AT} <= :present"', threat=15,
           test=f"{PUSH_TEST}::test_ticket_that_is_too_old_lets_nobody_in"),
    Mutant("a connection outlives its sign-in", WATCHERS, "end = min(until, ", "end = max(until, ", threat=15,
           test=f"{PUSH_TEST}::test_watcher_whose_sign_in_is_over_is_told_nothing_any_more"),
    Mutant("a connection whose time is over may subscribe", WATCHERS,
           'ConditionExpression=f"{EXPIRES_AT} > :present"',
           'ConditionExpression=f"{EXPIRES_AT} > :present OR {EXPIRES_AT} <= :present"', threat=15,
           test=f"{PUSH_TEST}::test_watcher_whose_sign_in_is_over_is_told_nothing_any_more"),
    Mutant("the log has the ticket", PUSH,
           '"requestId": "$context.requestId"', '"requestId": "$context.requestId $input.params()"', threat=15,
           test="tests/infrastructure/test_push_channel.py::test_log_has_no_ticket_and_no_message"),
    Mutant("script may be written into the page", "stacks/console_site.py",
           '"script-src": "'"'self'"'"', '"script-src": "'"'self' 'unsafe-inline'"'"', threat=16,
           test=f"{CONSOLE_TEST}::test_policy_lets_the_page_run_its_own_files_and_nothing_else"),
    Mutant("what was uploaded may run on our origin", "stacks/console_site.py",
           '"frame-ancestors": "'"'none'"'", "sandbox": ""}', '"frame-ancestors": "'"'none'"'"}', threat=16,
           test=f"{CONSOLE_TEST}::test_policy_lets_nothing_run_that_was_uploaded"),
    Mutant("the sign-in is kept in the browser", "console/session.js",
           "    this.#tokens = tokens;\n",
           '    this.#tokens = tokens;\n    localStorage.setItem("refresh", tokens.refresh);\n', threat=16,
           test="tests/console/test_page.py::test_module_makes_no_html_of_text_and_keeps_nothing"),
    Mutant("an image may be an address", "lambdas/jobs/submission.py",
           'ID = re.compile(r"[A-Za-z0-9_-]{1,64}")', 'ID = re.compile(r"[A-Za-z0-9_:/.-]{1,64}")', threat=17,
           test="tests/unit/jobs/test_submission.py::test_parse_submission_that_names_an_address_is_refused"),
    Mutant("packages are installed without their hashes", "stacks/bundling.py",
           '            "--require-hashes",\n', "", threat=18,
           test="tests/infrastructure/test_bundling.py"
                "::test_package_is_installed_only_with_the_hash_that_is_written_down"),
    Mutant("what has expired is still shown", "lambdas/adapters/row_writes.py",
           "return job.expires_at <= time.time()", "return False", threat=19,
           test=f"{API_TEST}::test_get_job_that_has_expired_is_not_there"),
)  # fmt: skip
