"""`python -m laptop.bench.fingerprints [FOLDER]`: how well the same picture is found again, and others are not.

Every picture of the folder is changed in known ways, and both go through the stages as uploads do. Two pictures of the
folder are taken for different ones: put no picture into it twice.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageEnhance, ImageOps

from lambdas.jobs.errors import InvalidImage
from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.likeness import LARGEST_DISTANCE, SAME_PICTURE_BITS, Entry, Match, matches
from lambdas.stages.catalogue import IDENTIFIES, MAKES_WORKING_COPY
from lambdas.stages.contract import StageOutput
from laptop.bench.pipeline import input_of
from laptop.places import PHOTOS

_JPEG: Final[tuple[str, Mapping[str, Any]]] = ("JPEG", {"quality": 90})
Change = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A way in which pictures come back changed."""

    name: str
    change: Change = lambda image: image
    encoding: tuple[str, Mapping[str, Any]] = _JPEG

    def of(self, image: Image.Image) -> bytes:
        """Make it, as a file."""
        buffer = BytesIO()
        encoding, options = self.encoding
        self.change(image).save(buffer, encoding, **options)
        return buffer.getvalue()


def _smaller(factor: int) -> Change:
    return lambda image: image.resize((max(1, image.width // factor), max(1, image.height // factor)))


def _cropped(share: float) -> Change:
    """Cut off this share of width and of height, the same on all sides."""

    def crop(image: Image.Image) -> Image.Image:
        across, down = image.width * share / 2, image.height * share / 2
        return image.crop((round(across), round(down), round(image.width - across), round(image.height - down)))

    return crop


def _brighter(factor: float) -> Change:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def _more_contrast(factor: float) -> Change:
    return lambda image: ImageEnhance.Contrast(image).enhance(factor)


def _one_after_another(image: Image.Image) -> Image.Image:
    return _brighter(1.15)(_cropped(0.02)(_smaller(2)(image)))


VERSIONS: Final = (
    Version(name="resized to a half", change=_smaller(2)),
    Version(name="resized to a quarter", change=_smaller(4)),
    Version(name="resized to an eighth", change=_smaller(8)),
    Version(name="JPEG of quality 50", encoding=("JPEG", {"quality": 50})),
    Version(name="JPEG of quality 20", encoding=("JPEG", {"quality": 20})),
    Version(name="WebP of quality 40", encoding=("WEBP", {"quality": 40, "method": 2})),
    Version(name="in grey", change=lambda image: image.convert("L")),
    Version(name="30 % darker", change=_brighter(0.7)),
    Version(name="30 % brighter", change=_brighter(1.3)),
    Version(name="contrast 0.7", change=_more_contrast(0.7)),
    Version(name="contrast 1.3", change=_more_contrast(1.3)),
    Version(name="cropped by 1 %", change=_cropped(0.01)),
    Version(name="cropped by 2 %", change=_cropped(0.02)),
    Version(name="cropped by 4 %", change=_cropped(0.04)),
    Version(name="cropped by 6 %", change=_cropped(0.06)),
    Version(name="cropped by 10 %", change=_cropped(0.10)),
    Version(
        name="a half, cropped by 2 %, 15 % brighter, quality 60",
        change=_one_after_another,
        encoding=("JPEG", {"quality": 60}),
    ),
    Version(name="turned by 1 degree", change=lambda image: image.rotate(1, Image.Resampling.BICUBIC)),
    Version(name="mirrored", change=ImageOps.mirror),
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One picture: its fingerprint, and those of its versions, in the order of `VERSIONS`."""

    name: str
    original: Fingerprint
    versions: tuple[Fingerprint, ...]


@dataclass(frozen=True, kw_only=True)
class Recall:
    """How many pictures are found by one version of them."""

    version: str
    found: int
    """As `GET /jobs/{jobId}/similar` finds them unless told otherwise."""
    confirmed: int
    found_at_most: int
    """With the largest `maxDistance` that there is."""
    distances: tuple[int, ...]
    """Sorted, in bits."""


def measure(path: Path) -> Measured | None:
    """Take the fingerprints of a picture and of its versions; None when it is no image that Darkroom reads."""
    try:
        original = fingerprint(path.read_bytes())
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
    except (InvalidImage, OSError):
        return None
    versions = tuple(fingerprint(version.of(image)) for version in VERSIONS)
    return Measured(name=path.name, original=original, versions=versions)


def fingerprint(upload: bytes) -> Fingerprint:
    """Fingerprint an upload by the stages that do it for a job. Raises InvalidImage."""
    outputs: dict[str, StageOutput] = {}
    for stage in (MAKES_WORKING_COPY, IDENTIFIES):
        outputs[stage.name] = stage.load().run(input_of(stage, upload, outputs))
    found = Fingerprint.found_in(outputs[IDENTIFIES.name].result)
    if found is None:
        raise LookupError("The fingerprint stage has told no fingerprint.")
    return found


def recalls(pictures: Sequence[Measured]) -> Iterator[Recall]:
    """Look for each picture by each of its versions."""
    for number, version in enumerate(VERSIONS):
        near = [_match(picture.versions[number], picture) for picture in pictures]
        distances = tuple(sorted(match.distance for match in near))
        yield Recall(
            version=version.name,
            found=sum(distance <= SAME_PICTURE_BITS for distance in distances),
            confirmed=sum(match.is_confirmed for match in near),
            found_at_most=sum(distance <= LARGEST_DISTANCE for distance in distances),
            distances=distances,
        )


def false_matches(pictures: Sequence[Measured], *, max_distance: int) -> list[tuple[Match, str, str]]:
    """Look for each picture by each other one; return what is found, nearest first, with the names of both."""
    found = (
        (match, one.name, other.name)
        for one, other in combinations(pictures, 2)
        if (match := _match(one.original, other)).distance <= max_distance
    )
    return sorted(found, key=lambda entry: (entry[0].distance, entry[1:]))


def _match(wanted: Fingerprint, picture: Measured) -> Match:
    entry = Entry(job_id=picture.name, created_at="", fingerprint=picture.original)
    (match,) = matches(wanted, [entry], max_distance=64)
    return match


def report(pictures: Sequence[Measured]) -> Iterator[str]:
    """Write down what was measured, line by line."""
    yield f"{len(pictures)} pictures, {len(pictures) * (len(pictures) - 1) // 2} pairs of different ones"
    yield ""
    within = f"within {LARGEST_DISTANCE}"
    yield f"{'the same picture':<52}{'found':>9}{'confirmed':>11}{within:>11}{'median':>8}{'most':>6}"
    for recall in recalls(pictures):
        shares = [_share(count, len(pictures)) for count in (recall.found, recall.confirmed, recall.found_at_most)]
        middle = recall.distances[len(recall.distances) // 2]
        yield (f"{recall.version:<52}{shares[0]:>9}{shares[1]:>11}{shares[2]:>11}{middle:>8}{recall.distances[-1]:>6}")
    yield ""
    yield from _of_pairs(false_matches(pictures, max_distance=LARGEST_DISTANCE))


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}"


def _of_pairs(wrong: Sequence[tuple[Match, str, str]]) -> Iterator[str]:
    found = [entry for entry in wrong if entry[0].distance <= SAME_PICTURE_BITS]
    yield f"different pictures found for each other: {len(found)} pairs"
    yield f"  of these confirmed: {sum(match.is_confirmed for match, *_ in found)}"
    yield f"  within {LARGEST_DISTANCE} bits: {len(wrong)} pairs"
    for match, one, other in found:
        yield f"  {match.distance} bits of pHash, {match.difference_distance} of dHash: {one}, {other}"


def measure_all(paths: Iterable[Path]) -> list[Measured]:
    """Measure pictures, on all processors."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return [measured for measured in processes.map(measure, paths) if measured is not None]


def main() -> int:
    """Measure a folder, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m laptop.bench.fingerprints", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PHOTOS, help="of pictures; photos/ if not given")
    folder = parser.parse_args().folder
    if not folder.is_dir():
        parser.error(f"{folder} is no folder.")
    pictures = measure_all(sorted(path for path in folder.iterdir() if path.is_file()))
    if not pictures:
        parser.error(f"there is no image in {folder}.")
    print(*report(pictures), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
