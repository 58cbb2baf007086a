"""Stage: the image's main colours, its mean colour and how its values are spread."""

from typing import Any

from PIL import Image, ImageStat

from lambdas.stages import shrinking
from lambdas.stages.colour_names import name_of, text_on
from lambdas.stages.contract import StageInput, StageOutput
from lambdas.stages.working_image import open_working_image

_HISTOGRAM_SIDE = 192
_PALETTE_SIDE = 48
_BINS = 16
_STILL_MOVING = 32
"""Of some 1,600 pixels: when fewer than this change their colour in a round of k-means, it stops. The rounds until all
but four rest take twice as long, for an error that is 1 % less."""
_SHARE_DIGITS = 4


def run(stage_input: StageInput) -> StageOutput:
    """Count colours on averaged pixels: a few thousand of them give the same palette as millions."""
    stage_input.checkpoint(0.0)
    image = open_working_image(stage_input.image, long_side=_HISTOGRAM_SIDE)
    stage_input.checkpoint(0.5)
    small = shrinking.reduce(image, _PALETTE_SIDE)
    result = {
        "colours": _main_colours(small, int(stage_input.options["colours"])),
        "mean": _colour(*(round(value) for value in ImageStat.Stat(small).mean)),
        "histogram": _histogram(image),
    }
    return StageOutput(result=result)


def _main_colours(image: Image.Image, number: int) -> list[dict[str, Any]]:
    """Find up to `number` colours, the commonest first; there are fewer when the image has fewer.

    MAXCOVERAGE starts from the corners of the colour space and so keeps a small red sign in a green wood;
    k-means then moves each colour to the middle of what it stands for.
    """
    indexed = image.quantize(number, Image.Quantize.MAXCOVERAGE, kmeans=_STILL_MOVING, dither=Image.Dither.NONE)
    rgb = indexed.getpalette("RGB") or []
    counts: dict[tuple[int, ...], int] = {}
    for index, count in enumerate(indexed.histogram()):
        if count:
            colour = tuple(rgb[index * 3 : index * 3 + 3])
            counts[colour] = counts.get(colour, 0) + count
    ordered = sorted(counts, key=lambda colour: (-counts[colour], colour))
    shares = _rounded_shares([counts[colour] for colour in ordered])
    return [{**_colour(*colour), "share": share} for colour, share in zip(ordered, shares, strict=True)]


def _rounded_shares(counts: list[int]) -> list[float]:
    """Round to shares that still make 1, largest first: what rounding down leaves goes to the largest, a step each."""
    total, steps = sum(counts), 10**_SHARE_DIGITS
    floors = [count * steps // total for count in counts]
    left = steps - sum(floors)
    return [(floor + (place < left)) / steps for place, floor in enumerate(floors)]


def _colour(red: int, green: int, blue: int) -> dict[str, Any]:
    text, contrast = text_on((red, green, blue))
    return {
        "hex": f"#{red:02x}{green:02x}{blue:02x}",
        "rgb": [red, green, blue],
        "name": name_of((red, green, blue)),
        "textColour": text,
        "contrast": contrast,
    }


def _histogram(image: Image.Image) -> dict[str, list[float]]:
    """Shares of pixels in 16 equal ranges of the value, dark to light; luma as ITU-R BT.601 weighs it."""
    counts = image.histogram()
    channels = {"red": counts[:256], "green": counts[256:512], "blue": counts[512:768]}
    channels["luma"] = image.convert("L").histogram()
    pixels = image.width * image.height
    width = 256 // _BINS
    return {
        name: [round(sum(values[i : i + width]) / pixels, _SHARE_DIGITS) for i in range(0, 256, width)]
        for name, values in channels.items()
    }
