"""The few plain facts that Darkroom tells of an image's EXIF block: an allow-list, cleaned, and never a place.

Must not raise: a photo with a broken EXIF block is still a photo.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

from lambdas.stages.image_limits import MAX_EXIF_BYTES
from lambdas.stages.plain_text import clean

_TEXT_LENGTH = 64
_LONGEST_FRACTION = 0.3
_TAKEN_AT = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d")
_GPS_COORDINATES = {2, 4, 20, 22}
"""Latitude and longitude, of the place and of the destination. A GPS block without them gives no place away."""
_RAW_PROFILE = "Raw profile type exif"
"""Under this name ImageMagick puts EXIF, in hexadecimal, into a PNG's text."""

Tags = Mapping[int, Any]


class Exif:
    """The tags of an image, read without trust."""

    def __init__(self, image: Image.Image) -> None:
        self._main, self._photo, self._gps = _directories(image)
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
        self._xmp = xmp if isinstance(xmp, bytes) else str(xmp).encode(errors="ignore")

    @property
    def orientation(self) -> int:
        """How the image is to be turned for display, 1 to 8 (1: not at all)."""
        value = self._main.get(Base.Orientation)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004 - the values EXIF defines

    @property
    def has_location(self) -> bool:
        """Whether the file says where the picture was taken."""
        return bool(_GPS_COORDINATES & set(self._gps)) or b"GPSLatitude" in self._xmp

    def plain(self) -> dict[str, Any]:
        """Give the allow-listed fields that are there."""
        fields = {
            "make": _text(self._main.get(Base.Make)),
            "model": _text(self._main.get(Base.Model)),
            "lens": _text(self._photo.get(Base.LensModel)),
            "takenAt": _taken_at(self._photo),
            "exposureSeconds": _number(self._photo.get(Base.ExposureTime), digits=6),
            "fNumber": _number(self._photo.get(Base.FNumber), digits=2),
            "iso": _whole(self._photo.get(Base.ISOSpeedRatings)),
            "focalLengthMm": _number(self._photo.get(Base.FocalLength), digits=2),
            "software": _text(self._main.get(Base.Software)),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def in_words(self) -> dict[str, str]:
        """Say what took the picture, and how, as a photographer would: only what is known."""
        known = self.plain()
        words = {
            "camera": _camera(known.get("make"), known.get("model")),
            "lens": known.get("lens"),
            "exposure": _exposure(known),
            "takenAt": known.get("takenAt"),
        }
        return {name: value for name, value in words.items() if value}


def _camera(make: str | None, model: str | None) -> str | None:
    """Name the camera; makers put their own name into the model's as they please."""
    if make and model and not model.lower().startswith(make.lower().split()[0]):
        return f"{make} {model}"
    return model or make


def _exposure(known: Mapping[str, Any]) -> str | None:
    """Write the exposure: `1/250 s at f/2.8, ISO 400, 35 mm`."""
    seconds, f_number, iso, focal = (known.get(name) for name in ("exposureSeconds", "fNumber", "iso", "focalLengthMm"))
    light = " at ".join(
        part for part in (_shutter(seconds) if seconds else "", f"f/{f_number:g}" if f_number else "") if part
    )
    return ", ".join(part for part in (light, f"ISO {iso}" if iso else "", f"{focal:g} mm" if focal else "") if part)


def _shutter(seconds: float) -> str:
    """Write an exposure time as cameras show it: fractions below a third of a second."""
    return f"1/{round(1 / seconds)} s" if seconds < _LONGEST_FRACTION else f"{seconds:g} s"


def _directories(image: Image.Image) -> tuple[Tags, Tags, Tags]:
    """Read the main, the photo's and the GPS directory; one that cannot be read is empty."""
    if max(len(image.info.get("exif") or b""), len(image.info.get(_RAW_PROFILE) or "") // 2) > MAX_EXIF_BYTES:
        return {}, {}, {}
    try:
        exif = image.getexif()
    except Exception:  # noqa: BLE001 - Pillow's parser raises what struct, fractions and codecs raise
        return {}, {}, {}
    return _Readable(exif), _directory(exif, IFD.Exif), _directory(exif, IFD.GPSInfo)


def _directory(exif: Image.Exif, which: IFD) -> Tags:
    try:
        return _Readable(exif.get_ifd(which))
    except Exception:  # noqa: BLE001 - as above
        return {}


class _Readable(Mapping[int, Any]):
    """Values are parsed when they are asked for, each on its own: those that cannot be read are not there.

    A TIFF may hold tags of millions of fractions, of which each takes 200 bytes; nobody asks for those.
    """

    def __init__(self, tags: Any) -> None:
        self._tags = tags

    def __getitem__(self, tag: int) -> Any:
        try:
            return self._tags[tag]
        except Exception as error:
            raise KeyError(tag) from error

    def __iter__(self) -> Iterator[int]:
        return iter(self._tags)

    def __len__(self) -> int:
        return len(self._tags)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return None
    return clean(_as_utf8(value[: _TEXT_LENGTH * 8]), _TEXT_LENGTH) or None


def _as_utf8(value: str) -> str:
    # EXIF text is ASCII by its standard and read as Latin-1; what is more is UTF-8 in practice.
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _number(value: Any, *, digits: int) -> float | None:
    """Give a positive, finite number. Fractions with a zero below, and pairs, occur."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return round(number, digits) if math.isfinite(number) and number > 0 else None


def _whole(value: Any) -> int | None:
    number = _number(value[0] if isinstance(value, tuple) and value else value, digits=0)
    return None if number is None else int(number)


def _taken_at(photo: Tags) -> str | None:
    """Write the time as RFC 3339 does, with the offset from UTC only where the camera has recorded one."""
    for tag, offset_tag in (
        (Base.DateTimeOriginal, Base.OffsetTimeOriginal),
        (Base.DateTimeDigitized, Base.OffsetTimeDigitized),
    ):
        match = _TAKEN_AT.match(_text(photo.get(tag)) or "")
        if match:
            offset = _text(photo.get(offset_tag)) or ""
            return _timestamp(match.groups(), offset if _OFFSET.fullmatch(offset) else "")
    return None


def _timestamp(parts: tuple[str, ...], offset: str) -> str | None:
    try:
        year, month, day, hour, minute, second = (int(part) for part in parts)
        return datetime(year, month, day, hour, minute, second).isoformat() + offset  # noqa: DTZ001 - a camera's local time
    except ValueError:
        return None
