"""The queues and their readers: nothing is lost because somebody was slow."""

from typing import Any

from tests.infrastructure.templates import Resources

DAY = 24 * 60 * 60


def test_every_queue_is_encrypted_and_refuses_plain_http(template: Resources) -> None:
    queues = template.of_type("AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    refusing = {
        policy["Queues"][0]["Ref"]
        for policy in template.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert refusing == set(queues)


def test_messages_live_longer_in_each_queue_that_they_are_moved_to(template: Resources) -> None:
    moved = [queue for queue in template.of_type("AWS::SQS::Queue").values() if "RedrivePolicy" in queue]
    assert len(moved) == 2
    for queue in moved:
        next_queue = template.behind(queue["RedrivePolicy"]["deadLetterTargetArn"])
        assert next_queue["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5


def test_dead_letters_are_kept_as_long_as_sqs_can(template: Resources) -> None:
    queue = template.named("DeadLetters", "AWS::SQS::Queue")
    assert queue["MessageRetentionPeriod"] == 14 * DAY
    assert "RedrivePolicy" not in queue


def test_job_queue_takes_no_message_that_the_contract_refuses(template: Resources) -> None:
    assert _job_queue(template)["MaximumMessageSize"] == 256 * 1024


def test_readers_have_time_limits_and_say_which_messages_failed(template: Resources) -> None:
    sources = template.of_type("AWS::Lambda::EventSourceMapping").values()
    of_queues = [source for source in sources if "StartingPosition" not in source]
    assert len(of_queues) == 2
    for source in of_queues:
        queue = template.behind(source["EventSourceArn"])
        function = template.template["Resources"][template.called_by(source["FunctionName"])]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["ScalingConfig"]["MaximumConcurrency"] >= 2
        assert source["BatchSize"] == 10


def _job_queue(template: Resources) -> dict[str, Any]:
    return template.named("IntakeJobQueue", "AWS::SQS::Queue")
