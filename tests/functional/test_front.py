"""The laptop's front over HTTP, without an emulator behind it: files, headers, and what it refuses."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from laptop import ports
from laptop.front_main import Front
from laptop.places import CONSOLE
from stacks.console_site import CONFIG, DATA_HEADERS, MEDIA_TYPES, PAGE_HEADERS, Route, files_in

SETTINGS = {"api": "/api", "stage": "laptop"}
FILES = sorted(files_in(CONSOLE))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    """One that has no emulator behind it: nobody listens at that port."""
    plan = {
        "port": ports.free(),
        "folder": str(CONSOLE),
        "config": SETTINGS,
        "endpoint": f"http://127.0.0.1:{ports.free()}",
        "behind": dict.fromkeys(Route, "/behind"),
        "bucket": "images",
    }
    with Front(plan) as front:
        thread = threading.Thread(target=front.serve_forever, args=(0.05,))
        thread.start()
        yield front
        front.shutdown()
        thread.join()


@pytest.fixture
def browser(front: Front) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{front.server_address[1]}", trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/", CONFIG, *FILES])
def test_every_file_comes_with_the_policy_and_its_media_type(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in PAGE_HEADERS} == dict(PAGE_HEADERS)
    suffix = f".{path.rpartition('.')[2]}" if "." in path else ".html"
    assert answer.headers["Content-Type"] == MEDIA_TYPES.get(suffix, "application/json")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in answer.headers


def test_files_are_those_of_the_folder_and_none_that_is_not_of_the_page() -> None:
    assert "/index.html" in FILES
    assert "/404.html" in FILES
    assert not [path for path in FILES if path.endswith((".json", ".md", ".txt"))]


def test_page_has_no_script_and_no_style_of_its_own() -> None:
    for path, file in files_in(CONSOLE).items():
        if path.endswith(".html"):
            text = file.read_text()
            assert " style=" not in text
            assert "<style" not in text
            assert " on" not in [part[:3] for part in text.split("<")]
            assert text.count("<script") == text.count('<script type="module" src="')


def test_config_is_what_it_was_started_with(browser: httpx.Client) -> None:
    assert browser.get(CONFIG).json() == SETTINGS


@pytest.mark.parametrize("path", ["/nothing", "/views", "/vendor/checksums.json", "/api"])
def test_unknown_path_is_answered_by_the_page_for_it(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert answer.text == (CONSOLE / "404.html").read_text()
    assert answer.headers["Content-Security-Policy"] == PAGE_HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/../app.py", "/views/../../app.py", "/%2e%2e/app.py", "//etc/passwd", "/..\\app.py", "/vendor/../../.git/config"],
)
def test_path_that_leads_out_of_the_folder_is_refused(front: Front, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.server_address[1])  # httpx would resolve the dots
    connection.putrequest("GET", path)
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.status == 404
    assert b"import" not in answer.read()
    connection.close()


def test_unchanged_file_is_not_sent_again(browser: httpx.Client) -> None:
    tag = browser.get("/").headers["ETag"]

    answer = browser.get("/", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["Content-Security-Policy"]


def test_text_is_compressed_for_who_can_read_it(browser: httpx.Client) -> None:
    packed, plain = (browser.get("/", headers={"Accept-Encoding": kind}) for kind in ("gzip, br", "identity"))

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])


def test_head_is_get_without_the_body(browser: httpx.Client) -> None:
    head, get = browser.head("/index.html"), browser.get("/index.html")

    assert head.content == b""
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


@pytest.mark.parametrize("host", ["darkroom.example", "127.0.0.1", "localhost:1", ""])
def test_another_name_of_this_machine_is_refused(browser: httpx.Client, host: str) -> None:
    assert browser.get(CONFIG, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/sign-in"), ("PUT", "/files/images/key")])
def test_method_that_a_path_does_not_have_is_refused(browser: httpx.Client, method: str, path: str) -> None:
    answer = browser.request(method, path, content=b"x" * 1000)

    assert answer.status_code == 405
    assert method not in answer.headers["Allow"]
    assert {name: answer.headers.get(name) for name in DATA_HEADERS} == dict(DATA_HEADERS)
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/files/", "/files/other/key", "/files/images-of-others/key"])
def test_below_files_there_is_the_bucket_of_images_only(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 403


def test_live_without_an_upgrade_says_so(browser: httpx.Client) -> None:
    assert browser.get("/live?ticket=t").status_code == 426


def test_emulator_that_is_gone_is_a_problem_that_says_what_to_do(browser: httpx.Client) -> None:
    answer = browser.get("/api/jobs")

    assert answer.status_code == 502
    assert "make status" in json.loads(answer.text)["detail"]


def test_log_has_no_query(browser: httpx.Client, capfd: Any) -> None:
    browser.get("/live?ticket=secret")

    said = capfd.readouterr().err
    assert "/live 426" in said
    assert "secret" not in said
