"""The page as files: what was vendored is what was published, nothing is built, nothing makes HTML out of text."""

import hashlib
import json
import re
from pathlib import Path

import pytest

CONSOLE = Path(__file__).parents[2] / "console"
VENDOR = CONSOLE / "vendor"
VENDORED = json.loads((VENDOR / "checksums.json").read_text())
OURS = sorted(path for path in CONSOLE.rglob("*.js") if VENDOR not in path.parents)
FIRST_LOAD_BYTES = 150_000
MAKES_HTML = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\b|new Function"
)
KEEPS = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie")


@pytest.mark.parametrize("row", VENDORED, ids=lambda row: row["file"])
def test_vendored_file_is_as_published_but_for_what_is_told(row: dict[str, str]) -> None:
    content = (VENDOR / row["file"]).read_text()
    if "appended" in row:
        assert content.endswith(row["appended"])
        content = content.removesuffix(row["appended"])
    if "replaced" in row:
        assert content.count(row["replaced"]["to"]) == 1  # type: ignore[index]
        content = content.replace(row["replaced"]["to"], row["replaced"]["from"])  # type: ignore[index]
    assert hashlib.sha256(content.encode()).hexdigest() == row["publishedSha256"]


def test_every_vendored_file_has_a_checksum_and_its_package_a_licence() -> None:
    files = {row["file"] for row in VENDORED}
    assert files == {path.name for path in VENDOR.iterdir()} - {"checksums.json"}
    assert {f"LICENSE-{row['package']}.txt" for row in VENDORED} <= files


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_module_makes_no_html_of_text_and_keeps_nothing(path: Path) -> None:
    text = path.read_text()
    assert not MAKES_HTML.search(text)
    assert not KEEPS.search(text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_module_imports_files_that_are_there_and_names_that_they_have(path: Path) -> None:
    for names, target in re.findall(r'^import \{([^}]*)\} from "([^"]+)";', path.read_text(), re.MULTILINE):
        module = (path.parent / target).resolve()
        assert module.is_file(), target
        for name in (each.split(" as ")[0].strip() for each in names.split(",")):
            assert re.search(rf"\b{re.escape(name)}\b", module.read_text()), (target, name)
            bare = re.sub(r"^import .*$", "", path.read_text(), flags=re.MULTILINE)
            assert re.search(rf"\b{re.escape(name)}\b", bare), f"{name} is imported and not used"


def test_page_has_no_inline_script_and_no_inline_style() -> None:
    page = (CONSOLE / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert all('src="' in tag for tag in re.findall(r"<script[^>]*>", page))
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_first_load_is_small_even_when_nothing_is_compressed() -> None:
    first = {CONSOLE / name for name in ("index.html", "look.css", "layout.css", "icon.svg")}
    todo = [CONSOLE / "main.js"]
    while todo:
        path = todo.pop()
        if path not in first:
            first.add(path)
            imported = re.findall(r'(?:^import[^;]*?|^export[^;]*?)from ?"([^"]+)"', path.read_text(), re.MULTILINE)
            todo += [(path.parent / target).resolve() for target in imported]
    assert sum(path.stat().st_size for path in first) < FIRST_LOAD_BYTES
