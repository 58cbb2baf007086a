"""What inspect refuses, in which words, and that no bytes at all make it fail in another way."""

import random
import struct
import zlib

import pytest
from PIL import Image, ImageFile

from lambdas.jobs.errors import InvalidImage, JobCancelled
from lambdas.stages import image_limits

ONE_PIXEL = zlib.compress(b"\0\0\0\0")
GIF_HEADER = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"
GIF_FRAME = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width, height, *chunks, data=ONE_PIXEL):
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _jpeg_of_size(encode, width, height):
    """A JPEG of 16 pixels whose header claims another size."""
    content = bytearray(encode(Image.new("RGB", (16, 16))))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _refusal(run_stage, content):
    with pytest.raises(InvalidImage) as caught:
        run_stage("inspect", content)
    return str(caught.value)


def test_inspect_empty_file_is_refused(run_stage):
    assert "empty" in _refusal(run_stage, b"")


def test_inspect_too_many_bytes_are_refused_unread(run_stage, encode, picture):
    assert "52,428,800" in _refusal(run_stage, encode(picture) + bytes(image_limits.MAX_BYTES))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"just text that was renamed to .jpg", "not an image"),
        (b"<html><body></body></html>", "not an image"),
        (b"\0" * 1000, "not an image"),
        (b"%PDF-1.7", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"PK\x03\x04", "ZIP"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "SVG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC photo"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", "Convert it to JPEG"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
        (b"\0\0\1\0\1\0\x10\x10", "icon"),
    ],
)
def test_inspect_other_formats_are_refused_by_name(content, word, run_stage):
    assert word in _refusal(run_stage, content)


def test_inspect_format_that_pillow_reads_but_is_not_listed_is_refused(run_stage, encode, picture):
    for image_format in ("PPM", "ICO", "TGA", "PCX"):
        _refusal(run_stage, encode(picture, image_format))


def test_inspect_too_many_pixels_are_refused_from_the_header(run_stage, encode):
    assert "50" in _refusal(run_stage, _png(10_000, 8_000))
    assert "100 megapixels" in _refusal(run_stage, _jpeg_of_size(encode, 20_000, 6_000))
    assert "megapixels" in _refusal(
        run_stage, b"GIF89a" + struct.pack("<HH", 65_000, 65_000) + GIF_HEADER[10:] + GIF_FRAME
    )


def test_inspect_too_long_a_side_is_refused(run_stage, encode):
    assert "30,000" in _refusal(run_stage, _png(30_001, 1))
    assert "30,000" in _refusal(run_stage, _jpeg_of_size(encode, 1, 65_000))


def test_inspect_webp_with_an_enormous_canvas_is_refused(run_stage, encode):
    content = bytearray(encode(Image.new("RGB", (16, 16)), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"))
    extended = content.index(b"VP8X")
    content[extended + 12 : extended + 18] = b"\xfe\x3f\0\xfe\x3f\0"
    assert "megapixels" in _refusal(run_stage, bytes(content))


def test_inspect_too_many_frames_are_refused(run_stage):
    frames = image_limits.MAX_FRAMES
    assert run_stage("inspect", GIF_HEADER + GIF_FRAME * frames + b";").result["frames"] == frames
    assert "1,000 frames" in _refusal(run_stage, GIF_HEADER + GIF_FRAME * 100_000 + b";")
    assert "1,000 frames" in _refusal(run_stage, _png(1, 1, _chunk(b"acTL", struct.pack(">II", 2**31, 0))))
    directories = b"".join(struct.pack("<HI", 0, 8 + 6 * (i + 1)) for i in range(100_000))
    assert "1,000 frames" in _refusal(run_stage, b"II*\0\x08\0\0\0" + directories)


def test_inspect_tiff_chain_that_bites_its_tail_ends(run_stage):
    assert _refusal(run_stage, b"II*\0\x08\0\0\0" + struct.pack("<HI", 0, 8))


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP", b"iTXt"])
def test_inspect_metadata_that_unpacks_enormously_is_refused(kind, run_stage):
    packed = zlib.compress(bytes(20_000_000), 9)
    head = b"k\0\1\0\0\0" if kind == b"iTXt" else b"k\0\0"
    assert "unpacks" in _refusal(run_stage, _png(1, 1, _chunk(kind, head + packed)))


def test_inspect_many_texts_that_unpack_to_much_together_are_refused(run_stage):
    packed = zlib.compress(bytes(1_000_000), 9)
    assert "unpacks" in _refusal(run_stage, _png(1, 1, *(_chunk(b"zTXt", b"k\0\0" + packed) for _ in range(6))))


def test_inspect_file_cut_into_countless_pieces_is_refused(run_stage, encode, picture):
    pieces = image_limits.MAX_CHUNKS + 1
    jpeg = encode(picture)
    assert "pieces" in _refusal(run_stage, _png(1, 1, *([_chunk(b"prIv", b"")] * pieces)))
    assert "pieces" in _refusal(run_stage, jpeg[:2] + b"\xff\xfe\0\x02" * pieces + jpeg[2:])
    assert "pieces" in _refusal(run_stage, GIF_HEADER + b"\x21\xfe" + b"\x01a" * pieces + b"\0" + GIF_FRAME)


def test_inspect_countless_scans_are_refused(run_stage, encode, picture):
    content = encode(picture, progressive=True)
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    assert "scans" in _refusal(run_stage, content[:-2] + last_scan * 100 + content[-2:])


def test_inspect_scan_markers_in_data_behind_the_image_are_no_scans(run_stage, encode, picture):
    # Phones append a short film to a photo, in which any two bytes occur.
    assert run_stage("inspect", encode(picture) + b"\xff\xda" * 500).result["format"] == "JPEG"


def test_inspect_overlapping_exif_tags_stay_small(run_stage, encode, picture):
    # Each of 5,000 tags claims the same 4 KB; in a file without limits this multiplies.
    entries = b"".join(struct.pack("<HHII", tag, 7, 4_000, 60_010) for tag in range(1_000, 6_000))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 5_000) + entries + bytes(4_100)
    assert run_stage("inspect", _png(1, 1, _chunk(b"eXIf", exif))).result["exif"] == {}


def test_inspect_infinite_pixel_values_are_refused(run_stage, encode):
    image = Image.new("F", (8, 8), 1.0)
    image.putpixel((3, 3), float("inf"))
    assert "finite" in _refusal(run_stage, encode(image, "TIFF"))


def _variants(picture):
    """Format and parameters of one picture in every form that inspect reads."""
    turned = [picture.rotate(90 * i) for i in (1, 2)]
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    several = {"save_all": True, "append_images": turned}
    return {
        "jpeg": (picture, "JPEG", {"exif": exif}),
        "progressive": (picture, "JPEG", {"progressive": True}),
        "cmyk": (picture.convert("CMYK"), "JPEG", {}),
        "png": (picture, "PNG", {"exif": exif}),
        "png palette": (picture.quantize(16), "PNG", {}),
        "apng": (picture, "PNG", several),
        "webp": (picture, "WEBP", {"exif": exif}),
        "webp lossless": (picture, "WEBP", {"lossless": True}),
        "gif": (picture, "GIF", {}),
        "gif animated": (picture, "GIF", several),
        "tiff": (picture, "TIFF", {"exif": exif}),
        "tiff deflate": (picture, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "tiff jpeg": (picture, "TIFF", {"compression": "jpeg"}),
        "bmp": (picture, "BMP", {}),
        "avif": (picture, "AVIF", {"speed": 10}),
    }


VARIANTS = tuple(_variants(Image.new("RGB", (1, 1))))


@pytest.mark.parametrize("variant", VARIANTS)
def test_inspect_file_cut_at_any_length_is_said_to_end_early(variant, run_stage, encode, picture):
    image, image_format, parameters = _variants(picture)[variant]
    content = encode(image, image_format, **parameters)
    run_stage("inspect", content)
    # From the end of the longest signature on; a file shorter than that is no image at all.
    for length in [*range(32, len(content) - 2, max(1, len(content) // 15)), len(content) - 2]:
        refusal = _refusal(run_stage, content[:length])
        # A TIFF that lacks only some tags, which are at its end, cannot be told from a damaged one.
        assert "ends early" in refusal or (image_format == "TIFF" and length > 0.9 * len(content)), length


def test_inspect_large_jpeg_cut_short_is_noticed_although_it_is_shrunk(run_stage, photo):
    content = photo("life")
    for share in (0.3, 0.9, 0.999):
        assert "ends early" in _refusal(run_stage, content[: int(len(content) * share)])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def _mutated(content, rng):
    changed = bytearray(content)
    for _ in range(rng.choice((1, 2, 8))):
        # Headers are short and decide most.
        position = rng.randrange(min(len(changed), rng.choice((64, 600, len(changed)))))
        changed[position] = rng.choice((0, 255, rng.randrange(256), changed[position] ^ 1 << rng.randrange(8)))
    if rng.random() < 0.2:
        position = rng.randrange(len(changed))
        del changed[position : position + rng.randrange(1, 40)]
    return bytes(changed)


@pytest.mark.parametrize("variant", VARIANTS)
def test_inspect_mutated_file_is_read_or_refused_and_nothing_else(variant, run_stage, encode, picture):
    image, image_format, parameters = _variants(picture)[variant]
    content = encode(image, image_format, **parameters)
    rng = random.Random(variant)  # noqa: S311 - the same mutations in every run
    for _ in range(40):
        try:
            run_stage("inspect", _mutated(content, rng))
        except InvalidImage as refusal:
            assert str(refusal).endswith(".")  # noqa: PT017 - either outcome is right


def test_inspect_noise_behind_each_signature_is_refused(run_stage):
    rng = random.Random(1)  # noqa: S311
    for signature in (
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        b"BM",
        b"RIFF????WEBP",
    ):
        for length in (0, 10, 1_000):
            _refusal(run_stage, signature + rng.randbytes(length))


def test_inspect_cancelled_job_is_not_taken_for_a_bad_image(run_stage, encode, picture):
    def cancel(fraction):
        if fraction > 0.5:
            raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        run_stage("inspect", encode(picture), checkpoint=cancel)
