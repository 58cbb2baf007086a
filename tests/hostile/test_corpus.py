"""A corpus of hostile, broken and odd files: each ends in a report or in InvalidImage, in bounded memory and time.

The limit of time is the kernel's, on the processor time of each file's process; nothing here looks at a clock.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.hostile import table
from tests.hostile.building import build
from tests.hostile.case import MARK, Expected
from tests.hostile.judging import REFUSED, REPORT, Outcome, run_all
from tests.hostile.kinds import mutations_of_each

SEED = 20_261_124
MUTATIONS = 2
AT_LEAST = 1_000

Files = Mapping[Path, Expected]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return build(tmp_path_factory.mktemp("corpus"), seed=SEED, mutations=MUTATIONS, thorough=False)


@pytest.fixture(scope="module")
def outcomes(files: Files) -> list[Outcome]:
    return list(run_all(files, keep_artefacts=True))


def test_corpus_every_file_ends_as_it_has_to(files: Files, outcomes: list[Outcome]) -> None:
    assert len(outcomes) == len(files) > AT_LEAST
    assert table.faults(outcomes, files) == []
    assert {outcome.outcome for outcome in outcomes} == {REPORT, REFUSED}


def test_corpus_no_artefact_carries_what_the_files_say_about_themselves(outcomes: list[Outcome]) -> None:
    assert [f"{file}: {name}" for file, name, content in _artefacts(outcomes) if MARK.encode() in content] == []


def test_corpus_pictures_carry_no_metadata_at_all(outcomes: list[Outcome]) -> None:
    talkative = [
        f"{file}: {name}"
        for file, name, content in _artefacts(outcomes)
        if name.endswith(".jpg") and _markers(content) - {0xE0, 0xDB, 0xC0, 0xC4}
    ]
    assert talkative == []


def test_corpus_reports_are_json_without_control_characters(outcomes: list[Outcome]) -> None:
    reports = [content.decode() for _, name, content in _artefacts(outcomes) if name == "report.json"]
    assert len(reports) == sum(outcome.outcome == REPORT for outcome in outcomes)
    for text in reports:
        assert json.loads(text)["schemaVersion"]
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]|\\u00[01]", text)


def test_mutations_follow_from_the_seed() -> None:
    first, again, other = ([case.make() for case in mutations_of_each(seed, 2)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def _artefacts(outcomes: list[Outcome]) -> Iterator[tuple[str, str, bytes]]:
    for outcome in outcomes:
        for name, content in outcome.artefacts:
            yield outcome.file, name, content


def _markers(jpeg: bytes) -> set[int]:
    """The kinds of all segments before the pixels."""
    markers, position = set(), 2
    while jpeg[position + 1] != 0xDA:
        markers.add(jpeg[position + 1])
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
    return markers
