"""`darkroom smoke` against a Darkroom that works, and against one that does not: each check has to notice its fault."""

import copy
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from darkroom import Profile
from darkroom.cli import main
from darkroom.smoke import BLUE, HEIGHT, RED, SHARE, WIDTH, picture
from PIL import Image

from tests.unit.client.conftest import Run
from tests.unit.client.fake_darkroom import API, REPORT, FakeDarkroom, problem

RunCommand = Callable[..., Run]
CHECKS = (
    "sign-in", "upload", "submit-twice", "success", "result", "artefact", "unchanged", "no-image", "cancel",
    "unknown-id", "delete",
)  # fmt: skip


@pytest.fixture
def working(fake: FakeDarkroom) -> FakeDarkroom:
    fake.report = copy.deepcopy(REPORT)
    fake.report["image"] = {
        "format": "PNG",
        "width": WIDTH,
        "height": HEIGHT,
        "sha256": hashlib.sha256(picture()).hexdigest(),
    }
    fake.report["analyses"]["palette"] = {"colours": [{"rgb": [198, 42, 41], "share": 0.76}]}
    fake.artefact = b"\xff\xd8"
    fake.error_class = "ImageNotFound"
    fake.end_of = lambda body: "SUCCEEDED" if body["imageId"] in fake.images else "FAILED"
    return fake


@pytest.fixture
def checked(working: FakeDarkroom, signed_in: object, run: RunCommand) -> Callable[..., dict[str, str | None]]:
    """Run it; tell by check why it failed, None for those that did not."""

    def checked(*arguments: str) -> dict[str, str | None]:
        ended = run("smoke", "--json", *arguments)
        failures = {str(line["check"]): line.get("failure") for line in ended.lines()}
        assert ended.code == int(any(failures.values()))
        return failures  # type: ignore[return-value]

    return checked


def test_picture_is_what_its_checks_say() -> None:
    import io

    image = Image.open(io.BytesIO(picture()))
    assert (image.format, image.size, image.mode) == ("PNG", (WIDTH, HEIGHT), "RGB")
    assert sorted(image.getcolors()) == sorted(
        [(int(WIDTH * HEIGHT * SHARE), RED), (int(WIDTH * HEIGHT * (1 - SHARE)), BLUE)]
    )


def test_smoke_of_a_darkroom_that_works_is_well_and_leaves_nothing(
    working: FakeDarkroom, signed_in: object, run: RunCommand
) -> None:
    ended = run("smoke")

    assert ended.code == 0
    assert [line.split()[:2] for line in ended.out.splitlines()] == [["ok", check] for check in CHECKS]
    assert working.jobs == {}


def test_smoke_tells_a_program_line_by_line(
    working: FakeDarkroom, checked: Callable[..., dict[str, str | None]]
) -> None:
    assert checked() == dict.fromkeys(CHECKS)


def test_smoke_leaves_out_what_it_is_told_to(checked: Callable[..., dict[str, str | None]]) -> None:
    assert checked("--skip", "no-image", "--skip", "cancel").keys() == set(CHECKS) - {"no-image", "cancel"}


def test_smoke_knows_its_checks(working: FakeDarkroom, signed_in: object, run: RunCommand) -> None:
    ended = run("smoke", "--skip", "no-picture")

    assert ended.code == 2
    assert "no-image" in ended.err


def _report(change: Callable[[dict[str, Any]], object]) -> Callable[[FakeDarkroom], None]:
    return lambda fake: (change(fake.report), None)[1]


def _instead(where: str, *answers: httpx.Response) -> Callable[[FakeDarkroom], None]:
    return lambda fake: fake.fail(where, *answers)


def _changed(route: str, answer: Callable[[FakeDarkroom, httpx.Request], httpx.Response]) -> Callable[..., None]:
    """Answer each request to a route otherwise than the fake would."""

    def break_it(fake: FakeDarkroom) -> None:
        def on_request(request: httpx.Request) -> None:
            if re.search(route, f"{request.method} {request.url.path}"):
                fake.faults.insert(0, (route, answer(fake, request)))

        fake.on_request = on_request

    return break_it


def _always(route: str, status: int) -> Callable[[FakeDarkroom], None]:
    return _changed(route, lambda fake, request: problem(status, "Broken."))


def _end(*, image: str) -> Callable[[FakeDarkroom], None]:
    def break_it(fake: FakeDarkroom) -> None:
        fake.end_of = lambda body: image

    return break_it


def _set(**values: Any) -> Callable[[FakeDarkroom], None]:
    return lambda fake: [setattr(fake, name, value) for name, value in values.items()] and None


def _other_id(fake: FakeDarkroom, request: httpx.Request) -> httpx.Response:
    """Accept a submission under an id of its own, each time another one."""
    name = f"job-{len(fake.requests)}"
    return httpx.Response(202, json={"jobId": name, "status": "QUEUED", "links": {}})


def _kept(fake: FakeDarkroom, request: httpx.Request) -> httpx.Response:
    return httpx.Response(204)


def _never_304(fake: FakeDarkroom, request: httpx.Request) -> httpx.Response:
    job = fake.jobs.get(request.url.path.rpartition("/")[2])
    if job is None:
        return problem(404, "None of your jobs has this id.")
    fake.now += 1
    return httpx.Response(200, json=job.document(fake.now), headers={"ETag": '"same"'})


def _accepted_in_vain(fake: FakeDarkroom, request: httpx.Request) -> httpx.Response:
    return httpx.Response(202, json={"jobId": "job", "status": "CANCELLING", "links": {}})


def _another_job(fake: FakeDarkroom, request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=next(iter(fake.jobs.values())).document(fake.now))


FAULTS: tuple[tuple[str, Callable[[FakeDarkroom], None]], ...] = (
    ("sign-in", _always(r"GET \S*/jobs(\?|$)", 403)),
    ("upload", _always(r"POST \S*/uploads", 400)),
    ("submit-twice", _changed(r"PUT \S*-image$", _other_id)),
    ("success", _end(image="FAILED")),
    ("success", _set(stage_seconds=1000.0)),
    ("result", _report(lambda report: report["image"].update(width=48))),
    ("result", _report(lambda report: report["image"].update(format="JPEG"))),
    ("result", _report(lambda report: report["image"].update(sha256="0" * 64))),
    ("result", _report(lambda report: report["analyses"]["palette"]["colours"][0].update(rgb=list(BLUE)))),
    ("result", _report(lambda report: report["analyses"]["palette"]["colours"][0].update(share=0.25))),
    ("result", _report(lambda report: report["analyses"].pop("palette"))),
    ("artefact", _set(artefact=b"<html>")),
    ("unchanged", _changed(r"GET \S*/smoke-\w+-image$", _never_304)),
    ("no-image", _set(error_class="UnexpectedError")),
    ("no-image", _end(image="SUCCEEDED")),
    ("cancel", _changed(r"POST \S*/cancel", lambda fake, request: problem(409, "The job has already ended."))),
    ("cancel", _changed(r"POST \S*/cancel", _accepted_in_vain)),
    ("unknown-id", _changed(r"GET \S*-unknown$", _another_job)),
    ("delete", _changed(r"DELETE \S*/jobs/", _kept)),
)  # fmt: skip


@pytest.mark.parametrize(("check", "fault"), FAULTS)
def test_smoke_notices(
    check: str,
    fault: Callable[[FakeDarkroom], None],
    working: FakeDarkroom,
    checked: Callable[..., dict[str, str | None]],
) -> None:
    fault(working)

    failures = checked("--seconds", "60")

    assert failures[check], failures
    before = CHECKS[: CHECKS.index(check)]
    assert not any(failures[name] for name in before), failures


def test_every_check_has_a_fault_that_it_notices() -> None:
    assert {check for check, _ in FAULTS} == set(CHECKS)


def test_smoke_ends_in_its_time_whatever_hangs(
    working: FakeDarkroom, checked: Callable[..., dict[str, str | None]]
) -> None:
    working.stage_seconds = 100_000.0
    began = working.now

    failures = checked("--seconds", "30")

    assert working.now - began < 60
    assert failures["delete"] == "there was no time left for it"


def test_smoke_deletes_what_has_ended_when_it_fails(
    working: FakeDarkroom, checked: Callable[..., dict[str, str | None]]
) -> None:
    working.report["image"]["width"] = 1
    checked()
    assert working.jobs == {}


def test_smoke_without_a_sign_in_says_so(working: FakeDarkroom, profile: Profile, run: RunCommand) -> None:
    assert run("smoke").code == 3


def test_smoke_of_a_machine_signs_in_with_its_secret(
    working: FakeDarkroom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    working.fail(
        "machines.test/oauth2/token",
        httpx.Response(200, json={"access_token": working.issue(), "expires_in": 3600, "token_type": "Bearer"}),
    )
    for name, value in {
        "API_URL": API,
        "TOKEN_URL": "https://machines.test/oauth2/token",
        "CLIENT_ID": "deployer",
        "CLIENT_SECRET": "secret",
    }.items():
        monkeypatch.setenv(f"DARKROOM_{name}", value)

    assert main(["smoke", "--json"], working.surroundings) == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["check"] for line in lines] == list(CHECKS)
    assert len(working.sent("machines.test")) == 1


def test_smoke_of_half_a_machine_says_what_is_missing(
    working: FakeDarkroom, monkeypatch: pytest.MonkeyPatch, run: RunCommand
) -> None:
    monkeypatch.setenv("DARKROOM_CLIENT_SECRET", "secret")
    ended = run("smoke")
    assert ended.code == 2
    assert "DARKROOM_TOKEN_URL" in ended.err
