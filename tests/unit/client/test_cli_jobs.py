import base64
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from darkroom import Client

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import REPORT, FakeDarkroom, problem

pytestmark = pytest.mark.usefixtures("signed_in")
RunCommand = Callable[..., Run]


@pytest.fixture
def job_id(client: Client) -> str:
    return client.submit("image-1", tags={"trip": "alps"}).job_id


def test_status_shows_stages_and_tags(run: RunCommand, fake: FakeDarkroom, job_id: str) -> None:
    fake.now += 1.2
    ended = run("status", job_id)

    assert ended.code == 0
    for shown in (job_id, "running 33 %", "trip=alps", "inspect", "palette"):
        assert shown in ended.out


def test_status_of_a_failed_job_says_why_and_succeeds_in_looking(
    run: RunCommand, fake: FakeDarkroom, client: Client
) -> None:
    fake.end_of = lambda body: "FAILED"
    job_id = client.submit("image-1").job_id
    fake.now += 10
    ended = run("status", job_id)

    assert ended.code == 0
    assert "This is no image. (InvalidImage in inspect)" in ended.out


def test_status_with_json_of_one_unknown_among_several_keeps_their_order(
    run: RunCommand, fake: FakeDarkroom, job_id: str
) -> None:
    ended = run("status", "--json", "unknown", job_id)
    missing, found = ended.lines()

    assert ended.code == 4
    assert (missing["jobId"], missing["error"]["kind"]) == ("unknown", "NotFound")  # type: ignore[index]
    assert found == fake.jobs[job_id].document(fake.now)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(404, "no"), 4),
        (problem(409, "no"), 6),
        (problem(400, "no"), 2),
        (problem(403, "no"), 3),
        (problem(429, "no"), 5),
        (problem(500, "no"), 5),
        (httpx.ConnectError("down"), 5),
        (httpx.Response(200, text="<html>"), 5),
    ],
)
def test_cancel_when_refused_answers_with_the_code_for_it(
    run: RunCommand, fake: FakeDarkroom, answer: httpx.Response | Exception, code: int
) -> None:
    fake.fail("cancel", *[answer] * 5)
    ended = run("cancel", "job", "--json")

    assert ended.code == code
    assert json.loads(ended.out)["error"]["exitCode"] == code
    assert ended.err.startswith("job: ")


def test_cancel_of_a_running_job_says_how_it_stands(run: RunCommand, job_id: str) -> None:
    ended = run("cancel", job_id)

    assert (ended.code, ended.out) == (0, f"{job_id}: cancelling\n")


def test_cancel_of_one_that_is_over_among_several_cancels_the_others(
    run: RunCommand, fake: FakeDarkroom, client: Client, job_id: str
) -> None:
    fake.now += 10
    other = client.submit("image-2").job_id
    ended = run("cancel", job_id, other)

    assert ended.code == 6
    assert fake.jobs[other].cancelled_at is not None


def test_delete_of_jobs_asked_for_once_deletes_what_is_over(
    run: RunCommand, fake: FakeDarkroom, client: Client, job_id: str
) -> None:
    fake.now += 10
    running = client.submit("image-2").job_id
    ended = run("delete", "--yes", job_id, running)

    assert (ended.code, ended.out) == (6, f"{job_id}: deleted\n")
    assert fake.jobs.keys() == {running}


def test_delete_asks_before_and_does_nothing_unless_told_to(
    run: RunCommand, fake: FakeDarkroom, monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    fake.now += 10
    assert run("delete", job_id).code == 2
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, err: question != "Delete 1 job for good?")

    ended = run("delete", job_id)

    assert (ended.code, ended.out) == (1, "")
    assert job_id in fake.jobs


def test_delete_with_json_says_what_is_gone(run: RunCommand, fake: FakeDarkroom, job_id: str) -> None:
    fake.now += 10

    assert run("delete", "--yes", "--json", job_id).lines() == [{"jobId": job_id, "deleted": True}]


def test_redrive_of_failed_jobs_says_how_they_stand(run: RunCommand, fake: FakeDarkroom, client: Client) -> None:
    fake.end_of = lambda body: "FAILED"
    ids = [client.submit("image-1").job_id for _ in range(2)]
    fake.now += 10
    ended = run("redrive", *ids)

    assert (ended.code, ended.out) == (0, f"{ids[0]}: queued\n{ids[1]}: queued\n")
    assert f"darkroom watch {ids[0]} {ids[1]}" in ended.err
    assert [fake.jobs[job_id].attempt for job_id in ids] == [2, 2]


def test_redrive_with_json_of_one_that_has_not_failed_redrives_the_others(
    run: RunCommand, fake: FakeDarkroom, client: Client, job_id: str
) -> None:
    fake.end_of = lambda body: "FAILED"
    failed = client.submit("image-1").job_id
    fake.now += 10
    ended = run("redrive", "--json", job_id, failed)
    refused, accepted = ended.lines()

    assert ended.code == 6
    assert (refused["jobId"], refused["error"]["kind"]) == (job_id, "Conflict")  # type: ignore[index]
    assert (accepted["jobId"], accepted["status"]) == (failed, "QUEUED")


def test_redrive_of_an_unknown_job_says_so_and_nothing_of_watching(run: RunCommand) -> None:
    ended = run("redrive", "unknown")

    assert ended.code == 4
    assert "darkroom watch" not in ended.err


def test_status_of_a_failed_job_that_a_redrive_can_help_says_what_to_type(
    run: RunCommand, fake: FakeDarkroom, client: Client
) -> None:
    fake.end_of = lambda body: "FAILED"
    helped, hopeless = (client.submit("image-1").job_id for _ in range(2))
    fake.jobs[helped].redrive_can_help, fake.jobs[hopeless].redrive_can_help = True, False
    fake.now += 10

    assert f"next       darkroom redrive {helped}" in run("status", helped).out
    assert "darkroom redrive" not in run("status", hopeless).out
    assert f"To try again: darkroom redrive {helped}\n" in run("watch", hopeless, helped).err


def test_status_of_a_job_with_a_deadline_shows_it(run: RunCommand, client: Client, job_id: str) -> None:
    bounded = client.submit("image-1", options={"deadlineSeconds": 90}).job_id

    assert "deadline" in run("status", bounded).out
    assert "deadline" not in run("status", job_id).out


def test_list_shows_the_newest_first_up_to_the_limit(run: RunCommand, client: Client) -> None:
    ids = [client.submit("image-1", tags={"n": str(number)}).job_id for number in range(4)]
    ended = run("list", "--limit", 3)
    shown = [line.split()[0] for line in ended.out.splitlines()]

    assert shown == ["JOB", *ids[:0:-1]]
    assert "n=3" in ended.out


def test_list_with_json_prints_one_object_for_each_job(run: RunCommand, fake: FakeDarkroom, client: Client) -> None:
    for _ in range(3):
        client.submit("image-1")
    ended = run("list", "--json", "--status", "queued")

    assert ended.code == 0
    assert {line["jobId"] for line in ended.lines()} == set(fake.jobs)
    assert ended.err == ""


def test_list_without_jobs_prints_nothing_on_stdout(run: RunCommand) -> None:
    ended = run("list")

    assert (ended.code, ended.out) == (0, "")
    assert "No jobs" in ended.err


@pytest.mark.parametrize("options", [["--status", "asleep"], ["--limit", "0"]])
def test_list_with_what_cannot_be_is_a_usage_error(run: RunCommand, options: list[str]) -> None:
    assert run("list", *options).code == 2


def test_watch_of_several_jobs_ends_with_their_reports(run: RunCommand, client: Client, job_id: str) -> None:
    other = client.submit("image-2").job_id
    ended = run("watch", job_id, other, job_id)

    assert ended.code == 0
    assert ended.out.count("A JPEG of 40 x 30 pixels.") == 2


def test_watch_with_json_of_one_unknown_watches_the_others(run: RunCommand, job_id: str) -> None:
    ended = run("watch", "--json", "unknown", job_id)
    missing, done = ended.lines()

    assert ended.code == 4
    assert missing["error"]["kind"] == "NotFound"  # type: ignore[index]
    assert done["status"] == "SUCCEEDED"
    assert "goes on" not in ended.err


def test_watch_of_a_cancelled_job_says_so(run: RunCommand, client: Client, job_id: str) -> None:
    client.cancel(job_id)
    ended = run("watch", job_id)

    assert ended.code == 7
    assert "cancelled" in ended.out


def test_watch_with_ctrl_c_detaches(run: RunCommand, fake: FakeDarkroom, client: Client) -> None:
    fake.stage_seconds = 1e9
    job_id = client.submit("image-1").job_id
    fake.on_request = lambda request: os.kill(os.getpid(), signal.SIGINT) if not fake.sent("GET") else None
    ended = run("watch", job_id)

    assert ended.code == 130
    assert f"darkroom watch {job_id}" in ended.err


def test_result_shows_the_report(run: RunCommand, fake: FakeDarkroom, job_id: str) -> None:
    fake.now += 10
    ended = run("result", job_id)

    assert ended.code == 0
    assert "A JPEG of 40 x 30 pixels." in ended.out


def test_result_with_json_is_the_report_alone(run: RunCommand, fake: FakeDarkroom, job_id: str) -> None:
    fake.now += 10
    ended = run("result", job_id, "--json")

    assert json.loads(ended.out) == {"jobId": job_id, **REPORT}


def test_result_with_output_writes_report_and_pictures(
    run: RunCommand, fake: FakeDarkroom, home: Path, job_id: str
) -> None:
    fake.now += 10
    folder = home / "deep" / "down"
    ended = run("result", job_id, "--output", folder, "--json")

    assert ended.code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["preview.jpg", "report.json", "thumbnail.jpg"]
    assert json.loads((folder / "report.json").read_text()) == json.loads(ended.out)
    assert (folder / "preview.jpg").read_bytes().endswith(b"preview.jpg")
    assert "signature=secret" not in ended.out + ended.err


def test_result_with_output_that_cannot_be_written_is_a_usage_error(
    run: RunCommand, fake: FakeDarkroom, home: Path, job_id: str
) -> None:
    fake.now += 10
    (home / "file").write_text("")

    assert run("result", job_id, "--output", home / "file").code == 2


def test_result_with_html_writes_a_page_and_shows_the_report(
    run: RunCommand, fake: FakeDarkroom, home: Path, job_id: str
) -> None:
    fake.now += 10
    page = home / "report.html"
    ended = run("result", job_id, "--html", page)

    assert ended.code == 0
    assert "A JPEG of 40 x 30 pixels." in ended.out
    assert "A JPEG of 40 x 30 pixels." in page.read_text()
    preview = base64.b64encode(f"picture /images/{job_id}/preview.jpg".encode()).decode()
    assert f"base64,{preview}" in page.read_text()
    assert "signature=secret" not in page.read_text() + ended.out + ended.err


def test_result_with_html_of_a_job_with_regions_has_the_heat_map_in_it(
    run: RunCommand, fake: FakeDarkroom, home: Path, job_id: str
) -> None:
    fake.now += 10
    regions = {"measured": True, "columns": 8, "rows": 6}
    fake.fail("result$", httpx.Response(200, json=REPORT | {"analyses": {"regions": regions}}))
    run("result", job_id, "--html", home / "report.html")

    heat_map = base64.b64encode(f"picture /images/{job_id}/heat-map.jpg".encode()).decode()
    assert f"base64,{heat_map}" in (home / "report.html").read_text()


def test_result_with_html_and_json_does_both(run: RunCommand, fake: FakeDarkroom, home: Path, job_id: str) -> None:
    fake.now += 10
    ended = run("result", job_id, "--html", home / "report.html", "--json")

    assert json.loads(ended.out) == {"jobId": job_id, **REPORT}
    assert (home / "report.html").exists()


def test_result_with_html_that_cannot_be_written_is_a_usage_error(
    run: RunCommand, fake: FakeDarkroom, home: Path, job_id: str
) -> None:
    fake.now += 10
    ended = run("result", job_id, "--html", home)

    assert ended.code == 2
    assert "cannot be written to" in ended.err


def test_result_tells_which_analyses_were_not_asked_for(run: RunCommand, fake: FakeDarkroom, job_id: str) -> None:
    fake.now += 10
    document = fake.jobs[job_id].document(fake.now)
    document["timeline"].append({"stage": "labels", "status": "SKIPPED", "progress": 0, "tries": 0})
    fake.fail(f"/jobs/{job_id}$", httpx.Response(200, json=document))

    assert "labels: not asked for" in run("result", job_id).out


def test_result_of_a_job_that_has_not_ended_is_a_conflict(run: RunCommand, job_id: str) -> None:
    ended = run("result", job_id, "--json")

    assert ended.code == 6
    assert ended.lines()[0]["error"]["kind"] == "Conflict"  # type: ignore[index]


def test_commands_with_an_id_that_cannot_be_are_usage_errors(run: RunCommand, fake: FakeDarkroom) -> None:
    assert [run(command, "../x").code for command in ("status", "cancel", "redrive", "watch", "result")] == [2] * 5
    assert run("delete", "--yes", "../x").code == 2
    assert fake.requests == []


def test_watch_with_events_prints_every_event_and_nothing_else(
    run: RunCommand, fake: FakeDarkroom, client: Client
) -> None:
    fake.counts_events = True
    jobs = [client.submit("image-1").job_id for _ in range(2)]
    ended = run("watch", "--events", *jobs)

    assert ended.code == 0
    told = [(line["data"]["jobId"], line["data"]["seq"]) for line in ended.lines()]  # type: ignore[index]
    assert sorted(told) == sorted((job_id, seq) for job_id in jobs for seq in range(1, 6))
    assert [seq for job_id, seq in told if job_id == jobs[0]] == [1, 2, 3, 4, 5]
