import itertools
import math

import pytest
from PIL import Image

from lambdas.stages.blurhash import encode as encode_blurhash
from lambdas.stages.perceptual_hash import average_hash, difference_hash, distance, perceptual_hash

PHOTO_NAMES = ("freespace", "life", "picos-de-europa", "seeding")

# What imagehash 4.3.2 (phash, dhash) gives for the photographs at full size.
IMAGEHASH = {
    "freespace": ("fab4a5f194469346", "8e1729291999cba3"),
    "life": ("d6715b84d2364793", "88994c2ce8e66474"),
    "picos-de-europa": ("a0e2583d3f4f87e0", "a097c56fbe7edcc6"),
    "seeding": ("c3ca9d9d8aa4e86a", "f9d0a1e9c95a7643"),
}


@pytest.fixture(scope="module")
def fingerprint(run_stage, working_copy):
    def fingerprint(upload):
        return run_stage("fingerprint", working_copy(upload)).result

    return fingerprint


def test_fingerprint_photo_is_that_of_imagehash_on_the_original(fingerprint, photo, photo_name):
    result = fingerprint(photo(photo_name))
    of_pattern, of_differences = IMAGEHASH[photo_name]
    assert result["pHash"] == of_pattern
    # Where neighbours are equally bright, a bit may fall either way on the working copy.
    assert distance(result["dHash"], of_differences) <= 2


def test_hashes_of_a_drawn_pattern_equal_imagehash():
    image = Image.new("L", (64, 64))
    pattern = [int(127 + 100 * math.sin(x / 5) * math.cos(y / 9)) for y in range(64) for x in range(64)]
    image.putdata(pattern)
    # From imagehash 4.3.2: phash, dhash, average_hash.
    assert perceptual_hash(image) == "fa07f87827780578"
    assert difference_hash(image) == "9999666666999999"
    assert average_hash(image) == "cccc333333cccccc"


def test_hashes_of_a_plain_image_are_those_of_no_difference():
    plain = Image.new("L", (50, 30), 77)
    assert perceptual_hash(plain) == "8000000000000000"
    assert difference_hash(plain) == average_hash(plain) == "0" * 16


@pytest.mark.parametrize("change", ["half", "third", "jpeg 40", "webp", "grey"])
def test_fingerprint_version_of_a_photo_is_near_it(change, fingerprint, small_photo, encode, photo_name):
    image = small_photo(photo_name)
    version = {
        "half": lambda: encode(image.resize((image.width // 2, image.height // 2))),
        "third": lambda: encode(image.resize((image.width // 3, image.height // 3)), "PNG"),
        "jpeg 40": lambda: encode(image, quality=40),
        "webp": lambda: encode(image, "WEBP", quality=50, method=0),
        "grey": lambda: encode(image.convert("L")),
    }[change]()
    original, changed = IMAGEHASH[photo_name], fingerprint(version)
    assert distance(original[0], changed["pHash"]) <= 4
    assert distance(original[1], changed["dHash"]) <= 4


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PHOTO_NAMES, 2)))
def test_fingerprint_different_photos_are_far_apart(one, other, fingerprint, photo):
    assert distance(fingerprint(photo(one))["pHash"], fingerprint(photo(other))["pHash"]) >= 20


def test_distance_counts_differing_bits():
    assert distance("0" * 16, "f" * 16) == 64
    assert distance("8000000000000001", "0000000000000001") == 1


def _gradient():
    image = Image.new("RGB", (4, 3))
    for y in range(3):
        for x in range(4):
            image.putpixel((x, y), (x * 60, y * 80, 255 - x * 40))
    return image


def test_blurhash_gradient_equals_the_reference_implementation():
    # From the C library (blurhash-python 1.2.2).
    assert encode_blurhash(_gradient(), 4, 3) == "L~DI}MKUO0$.v@R?Wtr{eEe;fQe;"


def test_blurhash_single_component_is_the_mean_colour():
    assert encode_blurhash(Image.new("RGB", (8, 8), (255, 255, 255)), 1, 1) == "00TSUA"
    assert encode_blurhash(Image.new("RGB", (8, 8), (0, 0, 0)), 1, 1) == "000000"


DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def _number(digits):
    value = 0
    for digit in digits:
        value = value * 83 + DIGITS.index(digit)
    return value


def _linear(value):
    return value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4


def _srgb(share):
    share = min(1, max(0, share))
    return round(255 * (share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055))


def _decode(text, x, y):
    """The colour at a place (0 to 1) of a blurhash, written from the published description and not from the encoder."""
    across, down = _number(text[0]) % 9 + 1, _number(text[0]) // 9 + 1
    assert len(text) == 4 + 2 * across * down
    highest = (_number(text[1]) + 1) / 166
    constant = _number(text[2:6])
    colour = [_linear(constant >> shift & 255) for shift in (16, 8, 0)]
    for index in range(1, across * down):
        code = _number(text[4 + index * 2 : 6 + index * 2])
        basis = math.cos(math.pi * x * (index % across)) * math.cos(math.pi * y * (index // across))
        for channel, step in enumerate((code // 361, code // 19 % 19, code % 19)):
            share = (step - 9) / 9
            colour[channel] += math.copysign(share * share, share) * highest * basis
    return tuple(_srgb(value) for value in colour)


def test_blurhash_decodes_to_the_picture(fingerprint, encode):
    image = Image.new("RGB", (400, 300), (30, 60, 200))
    image.paste((220, 200, 40), (200, 0, 400, 300))
    text = fingerprint(encode(image, "PNG"))["blurhash"]
    left, right = _decode(text, 0.15, 0.5), _decode(text, 0.85, 0.5)
    assert all(abs(a - b) < 50 for a, b in zip(left, (30, 60, 200), strict=True))
    assert all(abs(a - b) < 50 for a, b in zip(right, (220, 200, 40), strict=True))
    assert left[2] > right[2]
    assert right[0] > left[0]


def test_fingerprint_result_has_its_four_marks(fingerprint, photo):
    result = fingerprint(photo("life"))
    assert set(result) == {"pHash", "dHash", "aHash", "blurhash"}
    assert len(result["blurhash"]) == 28
