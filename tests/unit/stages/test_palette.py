import json

import pytest
from PIL import Image


def _stripes(*parts):
    """Vertical stripes of the given colours and shares of the width."""
    image = Image.new("RGB", (800, 400))
    left = 0
    for colour, share in parts:
        image.paste(colour, (left, 0, left + int(800 * share), 400))
        left += int(800 * share)
    return image


def _palette(run_stage, working_copy, upload, **options):
    return run_stage("palette", working_copy(upload), options=options).result


def _near(colour, other, tolerance=8):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, other, strict=True))


def test_palette_known_colours_are_found_with_their_shares(run_stage, working_copy, encode):
    upload = encode(_stripes(((200, 30, 30), 0.5), ((20, 60, 200), 0.3), ((250, 240, 200), 0.2)), "PNG")
    colours = _palette(run_stage, working_copy, upload, colours=3)["colours"]
    assert [round(colour["share"], 1) for colour in colours] == [0.5, 0.3, 0.2]
    for colour, expected in zip(colours, [(200, 30, 30), (20, 60, 200), (250, 240, 200)], strict=True):
        assert _near(colour["rgb"], expected)
        assert colour["hex"] == "#{:02x}{:02x}{:02x}".format(*colour["rgb"])


@pytest.mark.parametrize("number", range(2, 13))
def test_palette_photo_gives_the_number_asked_for_and_shares_that_make_one(
    number, run_stage, working_copy, photo, photo_name
):
    colours = _palette(run_stage, working_copy, photo(photo_name), colours=number)["colours"]
    shares = [colour["share"] for colour in colours]
    assert len(colours) == number
    assert sum(shares) == pytest.approx(1, abs=1e-9)
    assert shares == sorted(shares, reverse=True)
    assert min(shares) > 0


def test_palette_single_colour_is_one_entry(run_stage, working_copy, encode):
    result = _palette(run_stage, working_copy, encode(Image.new("RGB", (300, 200), (12, 34, 56)), "PNG"))
    assert len(result["colours"]) == 1
    assert result["colours"][0]["share"] == 1
    assert _near(result["mean"]["rgb"], (12, 34, 56), tolerance=2)


def test_palette_small_strong_colour_is_kept(run_stage, working_copy, encode):
    image = Image.new("RGB", (800, 400), (40, 90, 40))
    image.paste((30, 70, 35), (0, 0, 400, 400))
    image.paste((230, 20, 20), (360, 160, 440, 240))
    colours = _palette(run_stage, working_copy, encode(image, "PNG"))["colours"]
    red = [colour for colour in colours if _near(colour["rgb"], (230, 20, 20), tolerance=25)]
    assert red[0]["share"] == pytest.approx(0.02, abs=0.005)


def test_palette_histogram_puts_values_in_their_bins(run_stage, working_copy, encode):
    result = _palette(run_stage, working_copy, encode(_stripes(((250, 8, 130), 0.5), ((8, 8, 130), 0.5)), "PNG"))
    histogram = result["histogram"]
    assert set(histogram) == {"red", "green", "blue", "luma"}
    assert all(len(bins) == 16 and sum(bins) == pytest.approx(1, abs=0.01) for bins in histogram.values())
    assert histogram["red"][0] == pytest.approx(0.5, abs=0.02)
    assert histogram["red"][15] == pytest.approx(0.5, abs=0.02)
    assert histogram["green"][0] > 0.97
    assert histogram["blue"][8] > 0.97


def test_palette_result_is_small_json(run_stage, working_copy, photo, photo_name):
    result = _palette(run_stage, working_copy, photo(photo_name), colours=12)
    assert len(json.dumps(result, allow_nan=False)) < 4_000
