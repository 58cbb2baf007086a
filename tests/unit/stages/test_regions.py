"""Regions: tiles whose sharpness and tones are known because the image was made so, and the bound of memory."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from lambdas.jobs.errors import InvalidImage, JobCancelled
from lambdas.stages import decoding
from lambdas.stages.contract import StageOutput

PROJECT = Path(__file__).parents[3]
BOUND_MB = 256


@pytest.fixture
def regions(run_stage: Any) -> Any:
    """Run inspect and regions on an upload."""

    def run(upload: bytes, checkpoint: Any = None) -> StageOutput:
        inspected = run_stage("inspect", upload).result
        return run_stage("regions", upload, results={"inspect": inspected}, checkpoint=checkpoint)

    return run


def half_blurred(picture: Image.Image) -> Image.Image:
    """The left half as it is, the right half out of focus."""
    blurred = picture.filter(ImageFilter.GaussianBlur(6))
    middle = picture.width // 2
    blurred.paste(picture.crop((0, 0, middle, picture.height)), (0, 0))
    return blurred


def halves(numbers: list[list[float]]) -> tuple[float, float]:
    """Means of the left and the right half, without the tiles in the middle."""
    columns = len(numbers[0])
    left = [value for row in numbers for value in row[: columns // 2 - 1]]
    right = [value for row in numbers for value in row[columns // 2 + 1 :]]
    return sum(left) / len(left), sum(right) / len(right)


def test_regions_tells_the_sharp_half_from_the_blurred(regions: Any, small_photo: Any, encode: Any) -> None:
    result = regions(encode(half_blurred(small_photo("life")), quality=95)).result

    sharp, blurred = halves(result["tiles"]["sharpness"])
    width = small_photo("life").width
    assert sharp > 3 * blurred
    assert result["sharpest"]["box"][2] <= width // 2 + 1
    assert result["softest"]["box"][0] >= width // 2 - width // 16


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
def test_regions_are_where_they_are_displayed(regions: Any, encode: Any, orientation: int) -> None:
    """White in one corner of the stored pixels; the displayed picture says in which corner it is."""
    stored = Image.new("L", (640, 320), 40)
    stored.paste(220, (0, 0, 160, 80))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upload = encode(stored, exif=exif)
    displayed = Image.open(BytesIO(upload))
    transposed = decoding.upright(displayed.convert("L"), orientation, decoding.JPEG)

    brightness = regions(upload).result["tiles"]["brightness"]

    columns, rows = len(brightness[0]), len(brightness)
    assert (columns, rows) == ((16, 8) if orientation < 5 else (8, 16))
    for row, column in ((0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1)):
        x = transposed.width * (2 * column + 1) // (2 * columns)
        y = transposed.height * (2 * row + 1) // (2 * rows)
        assert brightness[row][column] == pytest.approx(transposed.getpixel((x, y)), abs=2)


def test_regions_measures_tones_of_each_tile(regions: Any, encode: Any) -> None:
    image = Image.new("L", (512, 256), 255)
    image.paste(0, (0, 0, 256, 256))

    tiles = regions(encode(image, "PNG")).result["tiles"]

    assert tiles["shadows"][0][0] == tiles["highlights"][0][-1] == 1
    assert tiles["shadows"][0][-1] == tiles["highlights"][0][0] == 0
    assert (tiles["brightness"][0][0], tiles["brightness"][0][-1]) == (0, 255)
    assert tiles["contrast"][0] == [0] * 16


VARIETIES: list[tuple[str, str, dict[str, Any]]] = [
    ("JPEG", "CMYK", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("PNG", "RGBA", {}),
    ("PNG", "I;16", {}),
    ("PNG", "P", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "F", {}),
    ("WEBP", "RGB", {}),
    ("GIF", "P", {}),
    ("BMP", "RGB", {}),
]


@pytest.mark.parametrize("variety", VARIETIES, ids=lambda variety: f"{variety[0]}-{variety[1]}")
def test_regions_of_every_format(regions: Any, encode: Any, picture: Any, variety: Any) -> None:
    image_format, mode, parameters = variety
    wide = picture.resize((480, 320)).convert("L" if mode in {"I;16", "F"} else "RGB")
    image = wide.convert("I").point(lambda v: v * 256).convert("I;16") if mode == "I;16" else wide.convert(mode)

    output = regions(encode(image, image_format, **parameters))

    assert output.result["measured"] is True
    assert max(value for row in output.result["tiles"]["brightness"] for value in row) > 100


def test_regions_heat_map_is_a_small_picture_without_metadata(regions: Any, encode: Any, small_photo: Any) -> None:
    artefact = regions(encode(half_blurred(small_photo("life")), comment=b"secret")).artefacts["heat-map.png"]

    drawn = Image.open(BytesIO(artefact.content))
    levels = drawn.convert("L")
    middle = drawn.width // 2
    left, right = (levels.crop(box).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
                   for box in ((0, 0, middle, drawn.height), (middle, 0, drawn.width, drawn.height)))  # fmt: skip
    assert artefact.media_type == "image/png"
    assert (drawn.format, max(drawn.size)) == ("PNG", 512)
    assert left > right
    assert drawn.info.keys() <= {"transparency"}
    assert len(artefact.content) < 10_000


def test_regions_says_how_far_it_is_after_each_tile(regions: Any, encode: Any, small_photo: Any) -> None:
    told: list[float] = []

    result = regions(encode(small_photo("life")), told.append).result

    assert len(told) == 2 + result["columns"] * result["rows"]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_regions_stops_between_tiles(regions: Any, encode: Any, small_photo: Any) -> None:
    told: list[float] = []

    def cancel_half_way(fraction: float) -> None:
        told.append(fraction)
        if fraction > 0.6:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        regions(encode(small_photo("life")), cancel_half_way)
    assert told[-1] < 0.7


def test_regions_of_a_single_pixel(regions: Any, encode: Any) -> None:
    result = regions(encode(Image.new("RGB", (1, 1), "white"), "PNG")).result

    assert result["tiles"]["brightness"] == [[255]]
    assert result["tiles"]["sharpness"] == [[0.0]]


def test_regions_of_what_cannot_be_decoded_within_the_bound_says_so(
    regions: Any, encode: Any, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_NATIVE_BYTES", 30_000)

    png = regions(encode(picture.convert("RGBA"), "PNG", compress_level=9))

    assert png.result["measured"] is False
    assert "Save it as a baseline JPEG" in png.result["reason"]
    assert png.artefacts == {}


def test_regions_of_a_jpeg_above_the_bound_is_measured_on_a_smaller_decoding(
    regions: Any, encode: Any, small_photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = encode(small_photo("life"))
    pixels = small_photo("life").width * small_photo("life").height
    monkeypatch.setattr(decoding, "MAX_NATIVE_BYTES", len(upload) + pixels // 2)

    assert regions(upload).result["scale"] == pytest.approx(0.5, abs=0.01)


def test_regions_of_a_damaged_file_blames_the_file(run_stage: Any, encode: Any, picture: Any) -> None:
    whole = encode(picture.resize((800, 600)), quality=95)

    with pytest.raises(InvalidImage):
        run_stage(
            "regions", whole[: len(whole) // 2], results={"inspect": {"width": 800, "height": 600, "orientation": 1}}
        )


PEAK = r"""
import re, sys
from pathlib import Path
from lambdas.stages.catalogue import BY_NAME
from lambdas.stages.contract import StageInput
image = Path(sys.argv[1]).read_bytes()
width, height = (int(number) for number in sys.argv[2:])
results = {"inspect": {"width": width, "height": height, "orientation": 1}}
output = BY_NAME["regions"].load().run(StageInput(image=image, options={}, results=results, checkpoint=lambda _: None))
# Not ru_maxrss, which a new program inherits from the one that started it.
peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
print(output.result["measured"], output.result.get("scale"), int(peak[1]) // 1024)
"""


LARGE: list[tuple[tuple[int, int], str, str, dict[str, Any]]] = [
    ((8160, 6120), "JPEG", "RGB", {"quality": 90}),
    ((11500, 8600), "JPEG", "RGB", {"quality": 75}),
    ((8160, 6120), "JPEG", "RGB", {"quality": 75, "progressive": True}),
    ((8160, 6120), "JPEG", "CMYK", {"quality": 75}),
    ((8160, 6120), "TIFF", "L", {"compression": "tiff_lzw"}),
]


@pytest.mark.parametrize("large", LARGE, ids=lambda large: f"{large[0][0]}-{large[1]}-{large[2]}-{len(large[3])}")
def test_regions_of_50_megapixels_and_more_keeps_within_256_mb(small_photo: Any, tmp_path: Path, large: Any) -> None:
    size, image_format, mode, parameters = large
    resized = small_photo("picos-de-europa").resize(size, Image.Resampling.BILINEAR)
    resized.convert(mode).save(tmp_path / "large", image_format, **parameters)

    command = [sys.executable, "-c", PEAK, str(tmp_path / "large"), *map(str, size)]
    printed = subprocess.run(  # noqa: S603 - our own program
        command, cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout

    measured, _, peak = printed.split()
    assert measured == "True"
    assert int(peak) <= BOUND_MB
