import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import REPORT, FakeDarkroom, problem

pytestmark = pytest.mark.usefixtures("signed_in")
RunCommand = Callable[..., Run]


def write_photos(folder: Path, number: int) -> list[Path]:
    photos = [folder / f"photo-{index}.jpg" for index in range(number)]
    for photo in photos:
        photo.write_bytes(b"\xff\xd8\xff")
    return photos


def interrupt_at(fake: FakeDarkroom, method: str, host: str = "api.test") -> threading.Event:
    """Press Ctrl-C when the first such request arrives, and hold its answer back until the event is set."""
    released = threading.Event()

    def press(request: httpx.Request) -> None:
        if (request.method, request.url.host) == (method, host):
            fake.on_request = lambda later: None
            os.kill(os.getpid(), signal.SIGINT)
            released.wait(5)

    fake.on_request = press
    return released


def test_analyze_of_a_photo_shows_its_report(run: RunCommand, photo: Path) -> None:
    ended = run("analyze", photo)

    assert ended.code == 0
    for shown in ("succeeded", "A JPEG of 40 x 30 pixels.", "#aa3311", "75.0%", "sharp (80 of 100)", "f00d", "hello"):
        assert shown in ended.out
    assert f"{photo}: running 33 % (palette)" in ended.err


def test_analyze_with_json_prints_one_object_for_each_file_and_nothing_else(run: RunCommand, home: Path) -> None:
    photos = write_photos(home, 5)
    ended = run("analyze", "--json", *photos)

    assert ended.code == 0
    assert [line["file"] for line in ended.lines()] == [str(photo) for photo in photos]
    for line in ended.lines():
        assert line["status"] == "SUCCEEDED"
        assert line["report"] == {"jobId": line["jobId"], **REPORT}
        assert line["job"]["progress"] == 100  # type: ignore[index]


def test_analyze_passes_on_what_was_asked(run: RunCommand, fake: FakeDarkroom, photo: Path) -> None:
    run("analyze", photo, "--analyses", "palette, codes", "--colours", 3, "--tag", "trip=alps", "--tag", "a=b=c")
    (job,) = fake.jobs.values()

    assert job.body["analyses"] == ["palette", "codes"]
    assert job.body["options"] == {"colours": 3}
    assert job.body["tags"] == {"trip": "alps", "a": "b=c"}


def test_analyze_with_a_deadline_passes_it_on_beside_the_other_options(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    run("analyze", photo, "--deadline", 90, "--colours", 3)
    (job,) = fake.jobs.values()

    assert job.body["options"] == {"colours": 3, "deadlineSeconds": 90}


def test_analyze_with_wait_shows_no_progress(run: RunCommand, photo: Path) -> None:
    ended = run("analyze", photo, "--wait")

    assert (ended.code, ended.err) == (0, "")
    assert "succeeded" in ended.out


def test_analyze_with_detach_prints_ids_alone_and_leaves(run: RunCommand, fake: FakeDarkroom, home: Path) -> None:
    fake.stage_seconds = 10_000
    ended = run("analyze", "--detach", *write_photos(home, 3))

    assert ended.code == 0
    assert sorted(ended.out.split()) == sorted(fake.jobs)
    assert "darkroom watch" in ended.err
    assert fake.sent("GET") == []


def test_analyze_with_detach_and_json_prints_objects(run: RunCommand, fake: FakeDarkroom, photo: Path) -> None:
    ended = run("analyze", "--detach", "--json", photo)

    assert ended.lines() == [{"file": str(photo), "jobId": next(iter(fake.jobs)), "status": "QUEUED"}]


def test_analyze_when_the_job_fails_says_why(run: RunCommand, fake: FakeDarkroom, photo: Path) -> None:
    fake.end_of = lambda body: "FAILED"
    ended = run("analyze", photo)

    assert ended.code == 1
    assert "failed after 3.0 s: This is no image. (InvalidImage in inspect)" in ended.out


def test_analyze_of_several_files_with_one_missing_reports_it_first_and_does_the_others(
    run: RunCommand, fake: FakeDarkroom, home: Path
) -> None:
    photos = write_photos(home, 2)
    ended = run("analyze", photos[0], home / "missing.jpg", photos[1])

    assert ended.code == 2
    assert ended.out.count("succeeded") == 2
    assert ended.err.splitlines()[0] == f"{home / 'missing.jpg'}: The file cannot be read: No such file or directory."
    assert ended.err.count("missing.jpg") == 1


def test_analyze_of_several_files_with_one_bad_and_json_says_so_in_its_place(run: RunCommand, home: Path) -> None:
    good, *_ = write_photos(home, 1)
    ended = run("analyze", "--json", home, good)
    refused, done = ended.lines()

    assert ended.code == 2
    assert refused["file"] == str(home)
    assert refused["error"]["kind"] == "LocalFile"  # type: ignore[index]
    assert done["status"] == "SUCCEEDED"


def test_analyze_of_nothing_but_bad_files_sends_nothing(run: RunCommand, fake: FakeDarkroom, home: Path) -> None:
    ended = run("analyze", home, "missing.jpg")

    assert ended.code == 2
    assert "This is a folder" in ended.err
    assert fake.requests == []


def test_analyze_of_several_files_with_one_upload_refused_does_the_others(
    run: RunCommand, fake: FakeDarkroom, home: Path
) -> None:
    fake.fail(r"storage\.test", httpx.Response(403, text="<Code>AccessDenied</Code>"))
    ended = run("analyze", *write_photos(home, 3))

    assert ended.code == 5
    assert ended.out.count("succeeded") == 2
    assert ended.err.count("AccessDenied") == 1


def test_analyze_with_an_analysis_that_does_not_exist_is_a_usage_error(run: RunCommand, photo: Path) -> None:
    ended = run("analyze", photo, "--analyses", "sharpnes")

    assert ended.code == 2
    assert "is no known analysis" in ended.err
    assert "goes on" not in ended.err


@pytest.mark.parametrize(
    "options",
    [
        ["--wait", "--detach"],
        ["--analyses", "palette,,codes"],
        ["--tag", "trip"],
        ["--tag", "=x"],
        ["--tag", "a=1", "--tag", "a=2"],
        ["--colours", "many"],
        ["--no-such-option"],
    ],
)
def test_analyze_with_options_that_cannot_be_is_a_usage_error(
    run: RunCommand, fake: FakeDarkroom, photo: Path, options: list[str]
) -> None:
    assert run("analyze", photo, *options).code == 2
    assert fake.requests == []


def test_analyze_when_submitting_gets_no_answer_says_that_the_job_may_go_on(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    fake.fail("PUT", *[httpx.ReadError("reset")] * 5)
    ended = run("analyze", photo)

    assert ended.code == 5
    assert "cannot be reached" in ended.err
    assert "darkroom watch 0" in ended.err


def test_analyze_when_the_connection_is_lost_while_watching_says_how_to_go_on(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    fake.fail("GET", *[httpx.ConnectError("down")] * 5)
    ended = run("analyze", photo)

    assert ended.code == 5
    assert f"darkroom watch {next(iter(fake.jobs))}" in ended.err


def test_analyze_with_ctrl_c_while_watching_detaches(run: RunCommand, fake: FakeDarkroom, home: Path) -> None:
    fake.stage_seconds = 1e9
    released = interrupt_at(fake, "GET")
    ended = run("analyze", *write_photos(home, 2))
    released.set()

    assert ended.code == 130
    assert ended.out == ""
    assert all(job_id in ended.err for job_id in fake.jobs)
    assert "trouble" not in ended.err
    assert fake.sent("cancel") == []


def test_analyze_with_ctrl_c_and_json_prints_what_is_known(run: RunCommand, fake: FakeDarkroom, photo: Path) -> None:
    fake.stage_seconds = 1e9
    released = interrupt_at(fake, "GET")
    ended = run("analyze", "--json", photo)
    released.set()
    (line,) = ended.lines()

    assert ended.code == 130
    assert (line["jobId"], line["status"]) == (next(iter(fake.jobs)), "QUEUED")


def test_analyze_with_ctrl_c_while_uploading_says_what_was_not_submitted(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    released = interrupt_at(fake, "POST", "storage.test")
    ended = run("analyze", photo)
    released.set()

    assert ended.code == 130
    assert f"{photo}: not submitted." in ended.err
    assert "go" not in ended.err.replace("photo.png: not", "")
    assert fake.jobs == {}


def test_analyze_with_ctrl_c_while_submitting_names_the_job_that_there_may_be(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    released = interrupt_at(fake, "PUT")
    ended = run("analyze", photo)
    released.set()

    assert ended.code == 130
    assert "darkroom watch 0" in ended.err


def test_analyze_with_hostile_text_in_tags_and_codes_shows_it_harmlessly(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    report = json.loads(json.dumps(REPORT))
    report["analyses"]["codes"]["codes"][0]["text"] = "\x1b[2J[red]x[/red]\nnew"
    report["image"]["exif"]["make"] = "\x9b31m[bold]evil"
    fake.fail("/result", httpx.Response(200, json=report))
    ended = run("analyze", photo, "--tag", "t=\x1b]0;title\x07")

    assert ended.code == 0
    assert r"\x1b[2J[red]x[/red]\nnew" in ended.out
    assert r"\x9b31m[bold]evil" in ended.out
    assert "\x1b" not in ended.out + ended.err


def test_analyze_when_the_sign_in_has_ended_says_it_once(run: RunCommand, fake: FakeDarkroom, home: Path) -> None:
    fake.refresh_tokens.clear()
    fake.now += 10_000
    ended = run("analyze", *write_photos(home, 3))

    assert ended.code == 3
    assert ended.err.count("darkroom login") == 1


def test_analyze_when_the_report_cannot_be_had_keeps_the_outcome(
    run: RunCommand, fake: FakeDarkroom, photo: Path
) -> None:
    fake.fail("/result", *[problem(500, "oops")] * 5)
    ended = run("analyze", photo)

    assert ended.code == 5
    assert "succeeded" in ended.out
    assert "oops" in ended.err


def test_analyze_with_different_ends_answers_with_the_worst(run: RunCommand, fake: FakeDarkroom, home: Path) -> None:
    ends = iter(["SUCCEEDED", "CANCELLED", "FAILED"])
    fake.end_of = lambda body: next(ends)

    assert run("analyze", *write_photos(home, 3)).code == 1
