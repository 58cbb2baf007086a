"""What inspect tells of good images, and the working copy it makes of them."""

import hashlib
import json
from io import BytesIO

import pytest
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base

WORKING_COPY = "working-copy.jpg"
SCRIPT = "<script>alert(1)</script>"
LEFT_RED = (255, 0, 0)


def _quarters(size=(80, 60)):
    """Red, green, blue and white quarters: whatever way it is turned can be told from the corners."""
    width, height = size
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image


def _exif(**main):
    exif = Image.Exif()
    for name, value in main.items():
        exif[Base[name]] = value
    return exif


def _opened(artefact):
    image = Image.open(BytesIO(artefact.content))
    image.load()
    return image


def _near(colour, other, tolerance=6):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, other, strict=True))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_inspect_each_format_tells_it_by_content(image_format, run_stage, encode):
    upload = encode(_quarters(), image_format)
    output = run_stage("inspect", upload)
    assert output.result["format"] == image_format
    assert output.result["mediaType"] == f"image/{image_format.lower()}"
    assert (output.result["width"], output.result["height"]) == (80, 60)
    assert output.result["frames"] == 1
    assert output.result["animated"] is False
    assert output.result["bytes"] == len(upload)
    assert output.result["sha256"] == hashlib.sha256(upload).hexdigest()
    corner = _opened(output.artefacts[WORKING_COPY]).getpixel((5, 5))
    assert _near(corner, LEFT_RED)


def test_inspect_photo_gives_a_small_serialisable_result(run_stage, photo, photo_name):
    output = run_stage("inspect", photo(photo_name))
    assert len(json.dumps(output.result, allow_nan=False)) < 1_000
    with Image.open(BytesIO(photo(photo_name))) as original:
        assert (output.result["width"], output.result["height"]) == original.size


def test_inspect_photo_makes_a_working_copy_of_the_agreed_size(run_stage, photo, photo_name):
    output = run_stage("inspect", photo(photo_name))
    image = _opened(output.artefacts[WORKING_COPY])
    described = output.result["workingCopy"]
    assert image.size == (described["width"], described["height"])
    assert 768 <= max(image.size) <= 1536
    assert described["scale"] == pytest.approx(image.width / output.result["width"], rel=0.002)
    assert output.artefacts[WORKING_COPY].media_type == "image/jpeg"


@pytest.mark.parametrize(("size", "working"), [((767, 10), 767), ((1535, 3), 1535), ((1536, 3), 768), ((6200, 1), 775)])
def test_inspect_sizes_at_the_borders_are_reduced_by_whole_numbers(size, working, run_stage, encode):
    for image_format in ("JPEG", "PNG"):
        output = run_stage("inspect", encode(Image.new("RGB", size), image_format))
        assert output.result["workingCopy"]["width"] == working


def test_inspect_one_pixel_passes_every_stage(run_stage, encode):
    inspected = run_stage("inspect", encode(Image.new("L", (1, 1), 99), "PNG"))
    working = inspected.artefacts[WORKING_COPY].content
    results = {"inspect": inspected.result}
    for name in ("palette", "quality", "fingerprint", "codes"):
        results[name] = run_stage(name, working, results=results).result
    assert run_stage("report", working, results=results).result["summary"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "PNG", "WEBP", "AVIF"])
def test_inspect_orientation_is_told_and_applied(orientation, image_format, run_stage, encode):
    upload = encode(_quarters(), image_format, exif=_exif(Orientation=orientation).tobytes())
    output = run_stage("inspect", upload)
    assert output.result["orientation"] == orientation
    displayed = (80, 60) if orientation < 5 else (60, 80)
    assert (output.result["width"], output.result["height"]) == displayed
    image = _opened(output.artefacts[WORKING_COPY])
    assert image.size == displayed
    # Where the red quarter of the stored image comes to lie, by the EXIF standard's table of orientations.
    right, bottom = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[
        orientation
    ]
    corner = (displayed[0] - 6 if right else 5, displayed[1] - 6 if bottom else 5)
    assert _near(image.getpixel(corner), LEFT_RED, tolerance=12)


def test_inspect_exif_gives_only_listed_fields_as_clean_text(run_stage, encode, picture):
    exif = _exif(
        Make="  Make\x00\x07r\n", Model=SCRIPT, Software="x" * 500, Artist="Somebody", ImageDescription="secret"
    )
    photo = exif.get_ifd(IFD.Exif)
    photo[Base.DateTimeOriginal] = "2024:02:29 10:20:30"
    photo[Base.OffsetTimeOriginal] = "+02:00"
    photo[Base.ExposureTime] = 0.008
    photo[Base.FNumber] = 2.8
    photo[Base.ISOSpeedRatings] = 400
    photo[Base.FocalLength] = 50.0
    photo[Base.LensModel] = "Lens \u202etxt.exe"
    photo[Base.BodySerialNumber] = "123456"
    result = run_stage("inspect", encode(picture, exif=exif)).result
    fields = result["exif"]
    assert fields.pop("software") == "x" * 63 + "…"
    assert "\u202e" not in fields.pop("lens")
    assert fields == {
        "make": "Maker",
        "model": SCRIPT,
        "takenAt": "2024-02-29T10:20:30+02:00",
        "exposureSeconds": 0.008,
        "fNumber": 2.8,
        "iso": 400,
        "focalLengthMm": 50.0,
    }
    assert "123456" not in json.dumps(result)


def test_inspect_impossible_exif_values_are_left_out(run_stage, encode, picture):
    exif = _exif(Orientation=77, Make="\x01\x02")
    photo = exif.get_ifd(IFD.Exif)
    photo[Base.DateTimeOriginal] = "2023:02:30 25:61:61"
    photo[Base.ExposureTime] = (1, 0)
    photo[Base.ISOSpeedRatings] = 0
    result = run_stage("inspect", encode(picture, exif=exif)).result
    assert result["exif"] == {}
    assert result["orientation"] == 1


def test_inspect_broken_exif_leaves_the_photo_readable(run_stage, encode, picture):
    result = run_stage("inspect", encode(picture, exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")).result
    assert result["exif"] == {}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_inspect_location_is_flagged_but_never_told(image_format, run_stage, encode, picture):
    exif = _exif(Make="Maker")
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 11.0)})
    output = run_stage("inspect", encode(picture, image_format, exif=exif.tobytes()))
    assert output.result["hasLocation"] is True
    assert "47" not in json.dumps(output.result["exif"])
    assert run_stage("inspect", encode(picture, image_format)).result["hasLocation"] is False


def test_inspect_working_copy_carries_no_metadata(run_stage, encode, picture):
    exif = _exif(Make="Secret maker")
    exif.get_ifd(IFD.GPSInfo)[2] = (47.0, 22.0, 33.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    upload = encode(picture, exif=exif, icc_profile=profile, comment=b"a secret", xmp=b"<x>secret</x>", dpi=(300, 300))
    output = run_stage("inspect", upload)
    assert output.result["iccProfile"].startswith("sRGB")
    assert output.result["dpi"] == [300.0, 300.0]
    image = _opened(output.artefacts[WORKING_COPY])
    assert [marker for marker, _ in image.applist] == ["APP0"]
    assert b"secret" not in output.artefacts[WORKING_COPY].content.lower()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 100, (100, 100, 100)),
        ("I;16", 0x8000, (128, 128, 128)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("LA", (0, 0), (255, 255, 255)),
    ],
)
def test_inspect_png_modes_become_srgb_on_white(mode, colour, expected, run_stage, encode):
    # Long enough to be reduced on the way.
    output = run_stage("inspect", encode(Image.new(mode, (1600, 16), colour), "PNG"))
    image = _opened(output.artefacts[WORKING_COPY])
    assert image.mode == "RGB"
    assert _near(image.getpixel((8, 4)), expected, tolerance=2)
    assert output.result["hasAlpha"] is (mode in {"RGBA", "LA"})
    assert output.result["bitDepth"] == {"1": 1, "I;16": 16}.get(mode, 8)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("LAB", (255, 128, 128), (255, 255, 255)),
        ("YCbCr", (128, 128, 128), (128, 128, 128)),
    ],
)
def test_inspect_tiff_modes_become_srgb(mode, colour, expected, run_stage, encode):
    image = _opened(run_stage("inspect", encode(Image.new(mode, (16, 16), colour), "TIFF")).artefacts[WORKING_COPY])
    assert _near(image.getpixel((8, 8)), expected)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_inspect_32_bit_values_are_stretched_from_black_to_white(mode, run_stage, encode):
    image = Image.new(mode, (32, 16), -5000)
    image.paste(70000, (16, 0, 32, 16))
    output = run_stage("inspect", encode(image, "TIFF"))
    working = _opened(output.artefacts[WORKING_COPY])
    assert output.result["bitDepth"] == 32
    assert _near(working.getpixel((4, 8)), (0, 0, 0))
    assert _near(working.getpixel((28, 8)), (255, 255, 255))


def test_inspect_palette_with_transparency_lies_on_white(run_stage, encode):
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    for image_format in ("PNG", "GIF"):
        output = run_stage("inspect", encode(image, image_format, transparency=1))
        assert output.result["hasAlpha"] is True
        assert _near(_opened(output.artefacts[WORKING_COPY]).getpixel((8, 8)), (255, 255, 255))


def test_inspect_foreign_profile_is_converted_to_srgb(run_stage, encode):
    # A grey in a space of linear light is much lighter in sRGB: 55 of 255 of white's light is 128 of 255.
    profile = _with_linear_curves(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    upload = encode(Image.new("RGB", (16, 16), (55, 55, 55)), "PNG", icc_profile=profile)
    image = _opened(run_stage("inspect", upload).artefacts[WORKING_COPY])
    assert _near(image.getpixel((8, 8)), (128, 128, 128), tolerance=3)


def _with_linear_curves(profile):
    """Make every parametric curve of a profile the identity, and rename it, as a linear working space's would be."""
    changed = bytearray(profile)
    start = changed.find(b"para\0\0\0\0")
    while start != -1:
        # Type 0 of ICC.1, 10.18: y = x ** gamma, gamma as 16.16 fixed point.
        changed[start + 8 : start + 16] = b"\0\0\0\0\0\1\0\0"
        start = changed.find(b"para\0\0\0\0", start + 8)
    return bytes(changed).replace("sRGB built-in".encode("utf-16-be"), "Linear space ".encode("utf-16-be"))


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 500])
def test_inspect_broken_profile_is_ignored(profile, run_stage, encode, picture):
    output = run_stage("inspect", encode(picture, icc_profile=profile))
    assert output.result["iccProfile"] is None


def test_inspect_profile_of_another_colour_space_is_not_applied(run_stage, encode):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    output = run_stage("inspect", encode(Image.new("RGB", (16, 16), (9, 99, 199)), "PNG", icc_profile=profile))
    assert _near(_opened(output.artefacts[WORKING_COPY]).getpixel((8, 8)), (9, 99, 199))


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_inspect_several_frames_are_counted_and_the_first_is_used(image_format, run_stage, encode):
    first, *others = (Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue"))
    output = run_stage("inspect", encode(first, image_format, save_all=True, append_images=others))
    assert output.result["frames"] == 3
    assert output.result["animated"] is (image_format != "TIFF")
    assert _near(_opened(output.artefacts[WORKING_COPY]).getpixel((8, 8)), LEFT_RED)


def test_inspect_bigtiff_is_a_tiff(run_stage, encode, picture):
    upload = encode(picture, "TIFF", big_tiff=True, save_all=True, append_images=[picture])
    result = run_stage("inspect", upload).result
    assert (result["format"], result["frames"], result["dpi"]) == ("TIFF", 2, None)


def test_inspect_phone_jpeg_with_further_pictures_is_one_frame(run_stage, encode, picture):
    upload = encode(picture, "MPO", save_all=True, append_images=[picture.rotate(180)])
    result = run_stage("inspect", upload).result
    assert (result["format"], result["frames"], result["animated"]) == ("JPEG", 1, False)


def test_inspect_checkpoints_rise_from_zero(run_stage, encode, picture):
    fractions = []
    run_stage("inspect", encode(picture), checkpoint=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert len(fractions) >= 3


def test_inspect_same_bytes_give_the_same_output(run_stage, photo):
    assert run_stage("inspect", photo("life")) == run_stage("inspect", photo("life"))
