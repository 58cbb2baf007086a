"""Images whose properties are known because they are made here, the project's photographs, and a way to run a stage."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lambdas.stages.contract import StageInput, StageOutput

PHOTOS = Path(__file__).parents[3] / "photos"
OPTIONS = {"colours": 6, "previewPixels": 1024, "thumbnailPixels": 256}

RunStage = Callable[..., StageOutput]
Encode = Callable[..., bytes]


def _run_stage(
    name: str, image: bytes, *, options: Mapping[str, Any] = {}, results: Mapping[str, Any] = {}, checkpoint: Any = None
) -> StageOutput:
    stage_input = StageInput(
        image=image, options=OPTIONS | dict(options), results=results, checkpoint=checkpoint or (lambda _: None)
    )
    return import_module(f"lambdas.stages.{name}").run(stage_input)


@cache
def _photo(name: str) -> bytes:
    return (PHOTOS / f"{name}.jpg").read_bytes()


@cache
def _small_photo(name: str) -> Image.Image:
    image = Image.open(BytesIO(_photo(name)))
    image.draft("RGB", (image.width // 4, image.height // 4))
    image.load()
    image.info.clear()
    return image


def _encode(image: Image.Image, image_format: str = "JPEG", **parameters: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, image_format, **parameters)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def run_stage() -> RunStage:
    """Run a stage by name on bytes, with the default options unless told otherwise."""
    return _run_stage


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encode an image, as JPEG unless told otherwise."""
    return _encode


@pytest.fixture(scope="session")
def photo() -> Callable[[str], bytes]:
    """The bytes of one of the project's photographs."""
    return _photo


@pytest.fixture(scope="session")
def small_photo() -> Callable[[str], Image.Image]:
    """One of the photographs at a quarter of its size: 640 to 1,330 pixels across."""
    return _small_photo


@pytest.fixture(scope="session")
def picture(small_photo: Callable[[str], Image.Image]) -> Image.Image:
    """A small part of a photograph, 120 by 80 pixels, for tests in which the size does not matter."""
    return small_photo("life").crop((100, 100, 220, 180))


@pytest.fixture(scope="session", params=["freespace", "life", "picos-de-europa", "seeding"])
def photo_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def working_copy() -> Callable[[bytes], bytes]:
    """What the stages behind inspect are handed for an upload."""

    @cache
    def make(upload: bytes) -> bytes:
        return _run_stage("inspect", upload).artefacts["working-copy.jpg"].content

    return make
