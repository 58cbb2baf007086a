import json
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

QR = zxingcpp.BarcodeFormat.QRCode


def _code(text, code_format=QR, scale=6):
    """A code as a grey image, quiet zone included."""
    image = zxingcpp.create_barcode(text, code_format).to_image(scale=scale)
    height, width = image.shape
    return Image.frombytes("L", (width, height), memoryview(image).tobytes())


def _page(*placed, size=(1000, 800), background=200):
    page = Image.new("L", size, background)
    for code, position in placed:
        page.paste(code, position)
    return page


@pytest.fixture
def read(run_stage, encode):
    def read(image, **parameters):
        return run_stage("codes", encode(image, quality=92), **parameters).result

    return read


@pytest.mark.parametrize(
    ("code_format", "text", "name"),
    [
        (QR, "https://example.org/?q=1&r=<b>", "QR Code"),
        (zxingcpp.BarcodeFormat.DataMatrix, "a small thing", "Data Matrix"),
        (zxingcpp.BarcodeFormat.Aztec, "a ticket", "Aztec"),
        (zxingcpp.BarcodeFormat.PDF417, "a letter", "PDF417"),
        (zxingcpp.BarcodeFormat.EAN13, "5901234123457", "EAN-13"),
        (zxingcpp.BarcodeFormat.Code128, "PARCEL-42", "Code 128"),
    ],
)
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_codes_of_each_kind_are_read_in_each_direction(code_format, text, name, turned, read):
    code = _code(text, code_format, scale=3).rotate(turned, expand=True)
    (found,) = read(_page((code, (100, 120))))["codes"]
    assert found["text"] == text
    assert found["format"] == name
    assert found["truncated"] is False


@pytest.mark.parametrize("angle", [10, 33, 45, 200])
def test_codes_at_a_slant_are_read(angle, read):
    code = _code("slanted").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=255)
    (found,) = read(_page((code, (100, 100)), background=255))["codes"]
    assert found["text"] == "slanted"


def test_codes_position_is_the_corners_in_the_working_copy_and_in_the_original(read):
    code = _code("here", scale=6)
    quiet = 4 * 6
    result = read(_page((code, (300, 200))), results={"inspect": {"workingCopy": {"scale": 0.25}}})
    (found,) = result["codes"]
    left, top, right, bottom = 300 + quiet, 200 + quiet, 300 + code.width - quiet, 200 + code.height - quiet
    expected = [[left, top], [right, top], [right, bottom], [left, bottom]]
    for corner, near in zip(found["position"], expected, strict=True):
        assert all(abs(a - b) <= 4 for a, b in zip(corner, near, strict=True))
    assert found["positionInOriginal"] == [[x * 4, y * 4] for x, y in found["position"]]
    assert found["orientation"] == 0


def test_codes_without_a_known_scale_have_no_position_in_the_original(read):
    (found,) = read(_page((_code("here"), (50, 50))))["codes"]
    assert "positionInOriginal" not in found


def test_codes_several_are_given_from_top_to_bottom(read):
    texts = ["one", "two", "three", "four"]
    places = [(20, 20), (500, 40), (30, 400), (520, 420)]
    result = read(_page(*((_code(text), place) for text, place in zip(texts, places, strict=True))))
    assert [code["text"] for code in result["codes"]] == texts
    assert result["found"] == 4


def test_codes_more_than_fifty_are_counted_but_not_listed(read):
    codes = [(_code(str(i), scale=3), (20 + i % 10 * 130, 20 + i // 10 * 120)) for i in range(60)]
    result = read(_page(*codes, size=(1400, 800), background=255))
    assert result["found"] > 50
    assert len(result["codes"]) == 50


def test_codes_text_is_cleaned_and_cut(read):
    (found,) = read(
        _page((_code("\x1b[2Jline\r\nnext\x00\u202eend " + "x" * 2_100, scale=4), (0, 0)), size=(800, 800))
    )["codes"]
    assert found["text"].startswith("[2Jline\nnextend xxx")
    assert len(found["text"]) == 2_000
    assert found["truncated"] is True


def test_codes_texts_together_stay_within_a_message(read, monkeypatch):
    monkeypatch.setattr("lambdas.stages.codes.MAX_TEXT_TOTAL", 150)
    codes = [(_code(f"{i}" * 100, scale=4), (10 + i * 220, 10)) for i in range(4)]
    result = read(_page(*codes, size=(1000, 300), background=255))
    assert [len(code["text"]) for code in result["codes"]] == [100, 50, 0, 0]
    assert [code["truncated"] for code in result["codes"]] == [False, True, True, True]


def test_codes_photo_without_codes_gives_an_empty_list(run_stage, working_copy, photo, photo_name):
    result = run_stage("codes", working_copy(photo(photo_name))).result
    assert result == {"codes": [], "found": 0}


def test_codes_in_a_large_photo_are_read_through_the_working_copy(run_stage, working_copy, photo, encode):
    image = Image.open(BytesIO(photo("life"))).convert("RGB")
    image.paste(_code("https://example.org", scale=14).convert("RGB"), (1000, 700))
    inspected = run_stage("inspect", encode(image, quality=85))
    working = inspected.artefacts["working-copy.jpg"].content
    result = run_stage("codes", working, results={"inspect": inspected.result}).result
    (found,) = result["codes"]
    assert found["text"] == "https://example.org"
    assert all(abs(a - b) < 20 for a, b in zip(found["positionInOriginal"][0], (1056, 756), strict=True))
    assert len(json.dumps(result)) < 1_000
