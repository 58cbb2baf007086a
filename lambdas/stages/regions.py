"""Stage: where in a large image it is sharp, bright, flat or clipped, tile by tile on the pixels of the original.

All in luma. Says how much of it is done, and can be stopped, after each tile. Must not take more than 256 MB, however
large the image is: what cannot be decoded within that is not measured, and the result says why.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image

from lambdas.stages import tones
from lambdas.stages.colour import averageable_parts, luma
from lambdas.stages.contract import Artefact, Checkpoint, StageInput, StageOutput
from lambdas.stages.decoding import Upload, upright
from lambdas.stages.image_formats import ImageFormat
from lambdas.stages.image_limits import MAX_NATIVE_BYTES

HEAT_MAP: Final = "heat-map.png"
TILES_ALONG: Final = 16
"""Along the longer side: enough to find a face or a sign by, few enough to be kept as numbers in the report."""
_LEAST_SIDE: Final = 32
"""Pixels of a tile's side, in which there is something to measure."""
_DECODED: Final = 0.3
"""About the share of the time that decoding takes."""
_MAP_PIXELS: Final = 512
_STRENGTHS: Final = (0.5, 32.0)
"""Edge strengths that the heat map shows as its darkest and its lightest: from a clear sky to print. By the logarithm,
as blur divides them."""
_COLOURS: Final = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Five steps of viridis (van der Walt and Smith, 2015), which is even to the eye, also without colours."""
_TOO_LARGE: Final = (
    f"An image of this format and size cannot be decoded within {MAX_NATIVE_BYTES // 2**20} MB. "
    "Save it as a baseline JPEG, which can, and submit that."
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """What one tile has: numbers in grey levels of luma, 0 to 255, and shares of its pixels."""

    sharpness: float
    brightness: float
    contrast: float
    highlights: float
    shadows: float


def run(stage_input: StageInput) -> StageOutput:
    """Measure every tile; write `heat-map.png`, the sharpness of all of them as a picture."""
    stage_input.checkpoint(0.0)
    upload = Upload(stage_input.image)
    inspected = stage_input.results["inspect"]
    size, orientation = (inspected["width"], inspected["height"]), inspected["orientation"]
    image = upload.native()
    if image is None:
        return StageOutput(result={"measured": False, "reason": _TOO_LARGE})
    stage_input.checkpoint(_DECODED)
    grid = Grid.over(image.size)
    tiles = list(_measured(image, grid, stage_input.checkpoint))
    maps = {name: _upright_map(tiles, grid, name, orientation, upload.format) for name in Tile.__dataclass_fields__}
    result = {
        "measured": True,
        "scale": round(max(image.size) / max(size), 4),
        "columns": maps["sharpness"].width,
        "rows": maps["sharpness"].height,
        **_extremes(maps["sharpness"], size),
        "tiles": {name: _numbers(each, _DIGITS[name]) for name, each in maps.items()},
    }
    return StageOutput(result=result, artefacts={HEAT_MAP: _heat_map(maps["sharpness"])})


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Tiles that cover an image without a gap, none of them a pixel larger than another."""

    width: int
    height: int
    columns: int
    rows: int

    @classmethod
    def over(cls, size: tuple[int, int]) -> "Grid":
        """Lay tiles that are about square; fewer over a small image."""
        width, height = size
        side = max(_LEAST_SIDE, max(size) / TILES_ALONG)
        return cls(
            width=width,
            height=height,
            columns=min(TILES_ALONG, max(1, round(width / side))),
            rows=min(TILES_ALONG, max(1, round(height / side))),
        )

    def boxes(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield left, top, right and bottom of each tile, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield self.box(column, row)

    def box(self, column: int, row: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of one tile, in pixels."""
        return (
            self.width * column // self.columns,
            self.height * row // self.rows,
            self.width * (column + 1) // self.columns,
            self.height * (row + 1) // self.rows,
        )


def _measured(image: Image.Image, grid: Grid, checkpoint: Checkpoint) -> Iterator[Tile]:
    to_luma = luma if image.mode not in {"I", "F"} else averageable_parts(image)
    number = grid.columns * grid.rows
    for done, box in enumerate(grid.boxes(), start=1):
        yield _measure(image.crop(box), to_luma)
        checkpoint(_DECODED + (1 - _DECODED) * done / number)


def _measure(part: Image.Image, to_luma: Callable[[Image.Image], Image.Image]) -> Tile:
    """Measure one tile. Edges are looked for in averages of 2 by 2 pixels: single ones hold more noise than detail."""
    grey = to_luma(part)
    histogram = grey.histogram()
    halved = grey.reduce(2) if min(grey.size) >= _LEAST_SIDE else grey
    return Tile(
        sharpness=tones.edge_strength(tones.edges(halved)) if min(halved.size) > 2 else 0.0,  # noqa: PLR2004 - 3 by 3
        brightness=tones.mean(histogram),
        contrast=tones.deviation(histogram),
        **tones.clipping(histogram),
    )


_DIGITS: Final = {"sharpness": 2, "brightness": 0, "contrast": 1, "highlights": 3, "shadows": 3}


def _upright_map(
    tiles: Sequence[Tile], grid: Grid, name: str, orientation: int, image_format: ImageFormat
) -> Image.Image:
    """Lay one of the numbers out as a picture with a pixel for each tile, turned as the image is displayed."""
    numbers = Image.new("F", (grid.columns, grid.rows))
    numbers.putdata([getattr(tile, name) for tile in tiles])
    return upright(numbers, orientation, image_format)


def _numbers(numbers: Image.Image, digits: int) -> list[list[float]]:
    """By rows, and in them by columns."""
    return [
        [_rounded(numbers.getpixel((column, row)), digits) for column in range(numbers.width)]
        for row in range(numbers.height)
    ]


def _rounded(number: Any, digits: int) -> float:
    return round(float(number), digits) if digits else round(float(number))


def _extremes(sharpness: Image.Image, size: tuple[int, int]) -> dict[str, Any]:
    """Say where the sharpest and the softest tile are, in pixels of the image as it is displayed."""
    places = [(column, row) for row in range(sharpness.height) for column in range(sharpness.width)]
    by_sharpness = sorted(places, key=lambda place: float(sharpness.getpixel(place)))  # type: ignore[arg-type]  # one band
    displayed = Grid(width=size[0], height=size[1], columns=sharpness.width, rows=sharpness.height)
    named = {"softest": by_sharpness[0], "sharpest": by_sharpness[-1]}
    return {
        name: {"box": list(displayed.box(*place)), "sharpness": _rounded(sharpness.getpixel(place), 2)}
        for name, place in named.items()
    }


def _heat_map(sharpness: Image.Image) -> Artefact:
    """Draw the sharpness as colours, dark for soft and light for sharp; the same colour means the same in any image."""
    low, high = (math.log(strength) for strength in _STRENGTHS)
    levels = Image.new("P", sharpness.size)
    levels.putdata(
        [
            round(255 * min(1.0, max(0.0, (math.log(max(strength, 1e-6)) - low) / (high - low))))
            for row in _numbers(sharpness, 3)
            for strength in row
        ]
    )
    levels.putpalette(_ramp())
    scale = max(1, _MAP_PIXELS // max(sharpness.size))
    drawn = levels.resize((levels.width * scale, levels.height * scale), Image.Resampling.NEAREST)
    buffer = BytesIO()
    drawn.save(buffer, "PNG", optimize=True)
    return Artefact(content=buffer.getvalue(), media_type="image/png")


def _ramp() -> list[int]:
    """256 colours, as red, green and blue in turn, on straight lines between the steps."""
    last = len(_COLOURS) - 1
    colours = []
    for level in range(256):
        place = level / 255 * last
        step = min(int(place), last - 1)
        part = place - step
        colours += [round(a + (b - a) * part) for a, b in zip(_COLOURS[step], _COLOURS[step + 1], strict=True)]
    return colours
