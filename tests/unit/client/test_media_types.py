import pytest
from darkroom.media_types import media_type


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.JPG", b"", "image/jpeg"),
        ("a.tif", b"whatever", "image/tiff"),
        ("a.avif", b"", "image/avif"),
        ("a.dat", b"\x89PNG\r\n\x1a\n", "image/png"),
        (None, b"GIF89a...", "image/gif"),
        (None, b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (None, b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (None, b"MM\x00*", "image/tiff"),
        (None, b"BM....", "image/bmp"),
        ("notes.txt", b"no image at all", "image/jpeg"),
        ("empty", b"", "image/jpeg"),
    ],
)
def test_media_type_of_a_file_goes_by_extension_then_by_content(
    name: str | None, content: bytes, expected: str
) -> None:
    assert media_type(content, name) == expected
