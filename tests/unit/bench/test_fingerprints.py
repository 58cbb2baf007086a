"""How well the photographs are found again, by the same measurement as on any other folder."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.likeness import LARGEST_DISTANCE
from laptop.bench import fingerprints
from laptop.bench.fingerprints import VERSIONS, Measured

FOUND_BY_NOTHING = {"mirrored"}
FOUND_BY_LUCK = {"cropped by 6 %", "cropped by 10 %"}


@pytest.fixture(scope="module")
def photographs(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's, at a quarter of their size."""
    folder = tmp_path_factory.mktemp("photographs")
    for path in photos.glob("*.jpg"):
        with Image.open(path) as image:
            image.draft("RGB", (image.width // 4, image.height // 4))
            image.save(folder / path.name, quality=95)
    (folder / "ATTRIBUTION.md").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def measured(photographs: Path) -> Sequence[Measured]:
    return [found for path in sorted(photographs.iterdir()) if (found := fingerprints.measure(path))]


def test_every_photograph_is_found_by_each_version_and_confirmed(measured: Sequence[Measured]) -> None:
    assert len(measured) == 4
    recalled = {recall.version: (recall.found, recall.confirmed) for recall in fingerprints.recalls(measured)}

    assert recalled.keys() == {version.name for version in VERSIONS}
    for version in recalled.keys() - FOUND_BY_LUCK - FOUND_BY_NOTHING:
        assert recalled[version] == (4, 4), version
    assert {recalled[version] for version in FOUND_BY_NOTHING} == {(0, 0)}


def test_large_crop_is_found_with_the_largest_distance(measured: Sequence[Measured]) -> None:
    found = {recall.version: recall.found_at_most for recall in fingerprints.recalls(measured)}

    assert {version: found[version] for version in FOUND_BY_LUCK} == dict.fromkeys(FOUND_BY_LUCK, 4)


def test_no_photograph_is_found_for_another(measured: Sequence[Measured]) -> None:
    assert fingerprints.false_matches(measured, max_distance=LARGEST_DISTANCE) == []


def test_pictures_that_are_taken_for_each_other_are_counted_and_named() -> None:
    marks = [Fingerprint(perceptual=f"{bits:016x}", difference=f"{bits:016x}") for bits in (0, 2**8 - 1, 2**15 - 1)]
    pictures = [
        Measured(name=f"{name}.jpg", original=mark, versions=(mark,) * len(VERSIONS))
        for name, mark in zip("abc", marks, strict=True)
    ]

    told = list(fingerprints.report(pictures))

    assert told[0] == "3 pictures, 3 pairs of different ones"
    assert told[-5:] == [
        "different pictures found for each other: 2 pairs",
        "  of these confirmed: 2",
        "  within 20 bits: 3 pairs",
        "  7 bits of pHash, 7 of dHash: b.jpg, c.jpg",
        "  8 bits of pHash, 8 of dHash: a.jpg, b.jpg",
    ]


def test_main_of_a_folder_without_images_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    monkeypatch.setattr("sys.argv", ["fingerprints", str(tmp_path)])

    with pytest.raises(SystemExit) as end:
        fingerprints.main()

    assert end.value.code == 2
