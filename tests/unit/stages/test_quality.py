"""The scores order pairs of which we know the better one: a photograph, and the same photograph made worse."""

import json
from io import BytesIO

import pytest
from PIL import Image, ImageEnhance, ImageFilter


@pytest.fixture(scope="module")
def judge(run_stage, encode):
    """Judge an image as the stage does, at the size that it has."""

    def judge(image):
        return run_stage("quality", encode(image, quality=92, subsampling=0)).result

    return judge


def _blurred(image, radius):
    return image.filter(ImageFilter.GaussianBlur(radius))


def test_quality_more_blur_scores_less(judge, small_photo, photo_name):
    image = small_photo(photo_name)
    judged = [judge(_blurred(image, radius))["sharpness"] for radius in (0, 0.5, 1, 2, 4)]
    values = [sharpness["value"] for sharpness in judged]
    assert values == sorted(values, reverse=True)
    assert judged[0]["score"] > judged[1]["score"] > judged[2]["score"] > judged[3]["score"]


def test_quality_photo_and_its_blurred_twin_get_different_words(judge, small_photo, photo_name):
    image = small_photo(photo_name)
    assert judge(image)["sharpness"]["verdict"] == "sharp"
    assert judge(_blurred(image, 1))["sharpness"]["verdict"] in {"slightly soft", "blurred"}
    assert judge(_blurred(image, 3))["sharpness"]["verdict"] == "blurred"


def test_quality_blurred_original_scores_less_through_the_working_copy(run_stage, working_copy, photo, encode):
    original = working_copy(photo("life"))
    with Image.open(BytesIO(photo("life"))) as image:
        blurred = working_copy(encode(_blurred(image, 8)))
    sharp, soft = (run_stage("quality", content).result["sharpness"]["score"] for content in (original, blurred))
    assert sharp > soft + 30


def test_quality_sharp_subject_before_a_blurred_background_is_sharp(judge, small_photo):
    image = small_photo("life")
    portrait = _blurred(image, 6)
    box = (200, 100, 500, 400)
    portrait.paste(image.crop(box), box)
    assert judge(portrait)["sharpness"]["verdict"] == "sharp"


def test_quality_darkness_does_not_count_as_blur(judge, small_photo, photo_name):
    image = small_photo(photo_name)
    dark = ImageEnhance.Brightness(image).enhance(0.5)
    assert judge(dark)["sharpness"]["score"] == pytest.approx(judge(image)["sharpness"]["score"], abs=15)


@pytest.mark.parametrize(
    ("factor", "verdicts"), [(0.2, {"too dark"}), (0.45, {"dark"}), (3.5, {"bright", "too bright"})]
)
def test_quality_darkened_and_brightened_photos_score_less_on_exposure(
    factor, verdicts, judge, small_photo, photo_name
):
    image = small_photo(photo_name)
    good, changed = judge(image)["exposure"], judge(ImageEnhance.Brightness(image).enhance(factor))["exposure"]
    assert good["verdict"] == "well exposed"
    assert changed["verdict"] in verdicts
    assert changed["score"] < good["score"]


def _exposed(image, stops):
    """The photograph with so many times two more light, as a camera that is set otherwise would have taken it."""
    table = [min(1.0, (value / 255) ** 2.2 * 2**stops) ** (1 / 2.2) * 255 for value in range(256)]
    return image.point([round(value) for value in table] * 3)


def test_quality_stops_follow_the_light_that_was_taken_away(judge, small_photo, photo_name):
    image = small_photo(photo_name)
    told = {stops: judge(_exposed(image, stops))["exposure"]["stops"] for stops in (-4, -3, -2)}
    assert told[-4] < told[-3] < told[-2] < 0
    assert told[-2] - told[-3] == pytest.approx(1, abs=0.4)
    # A photograph is in the middle to within a stop and a half.
    assert told[-3] == pytest.approx(-3, abs=1.5)


def test_quality_stops_of_a_plain_tone_are_those_to_middle_grey(judge):
    # A sixteenth of 18 % of the light, and white: 18 % is two and a half stops below it.
    dark, white = Image.new("RGB", (64, 64), (28,) * 3), Image.new("RGB", (64, 64), "white")
    assert judge(dark)["exposure"]["stops"] == pytest.approx(-4, abs=0.2)
    assert judge(white)["exposure"]["stops"] == pytest.approx(2.5, abs=0.2)


@pytest.mark.parametrize("stops", [-4, -2.5, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2.5])
def test_quality_words_about_exposure_never_contradict_each_other(stops, judge, small_photo, photo_name):
    judged = judge(_exposed(small_photo(photo_name), stops))
    exposure = judged["exposure"]
    said = [verdict for verdict in judged["verdicts"] if "exposed by" in verdict]
    direction = {"too dark": "Under", "dark": "Under", "bright": "Over", "too bright": "Over"}
    if exposure["verdict"] == "well exposed":
        assert (exposure["stops"], said) == (0, [])
    else:
        (sentence,) = said
        assert sentence.startswith(direction[exposure["verdict"]])
        assert (exposure["stops"] < 0) == sentence.startswith("Under")
        assert abs(exposure["stops"]) >= 0.5


@pytest.mark.parametrize(("level", "score"), [(0, 0), (255, 0), (120, 100)])
def test_quality_plain_tones_have_known_exposure(level, score, judge):
    judged = judge(Image.new("RGB", (64, 64), (level,) * 3))
    assert judged["exposure"]["score"] == score
    assert judged["exposure"]["value"] == pytest.approx(level / 255, abs=0.005)
    assert judged["contrast"]["score"] == 0
    assert judged["sharpness"]["verdict"] == "no detail"


def test_quality_less_contrast_scores_less(judge, small_photo, photo_name):
    image = small_photo(photo_name)
    judged = [judge(ImageEnhance.Contrast(image).enhance(factor))["contrast"] for factor in (1, 0.5, 0.2)]
    assert judged[0]["score"] > judged[1]["score"] > judged[2]["score"]
    assert judged[0]["verdict"] == "good"
    assert judged[2]["verdict"] == "flat"


def test_quality_clipped_tones_are_measured_and_told(judge):
    image = Image.new("L", (400, 400), 128)
    image.paste(255, (0, 0, 400, 100))
    image.paste(0, (0, 100, 400, 140))
    judged = judge(image.convert("RGB"))
    assert judged["clipping"]["highlights"] == pytest.approx(0.25, abs=0.01)
    assert judged["clipping"]["shadows"] == pytest.approx(0.10, abs=0.01)
    assert "25% of the image is pure white and 10% of the image is pure black" in judged["exposure"]["advice"]
    assert judged["exposure"]["score"] < 50


def test_quality_half_black_half_white_has_the_greatest_contrast(judge):
    image = Image.new("RGB", (400, 400), "white")
    image.paste("black", (0, 0, 200, 400))
    contrast = judge(image)["contrast"]
    assert contrast["value"] == pytest.approx(0.5, abs=0.01)
    assert (contrast["score"], contrast["verdict"]) == (100, "strong")


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (15, 15), (17, 17)])
def test_quality_tiny_images_are_judged_without_failing(size, judge):
    image = Image.effect_noise(size, 50).convert("RGB")
    assert 0 <= judge(image)["sharpness"]["score"] <= 100


def test_quality_result_is_small_json(judge, small_photo, photo_name):
    assert len(json.dumps(judge(small_photo(photo_name)), allow_nan=False)) < 1_500
