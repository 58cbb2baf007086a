"""Stage: how sharp, how bright and how contrasted the image is, as numbers, as scores and in words.

All measures but noise are taken on luma at the size of the working copy, about that of a screen: what a viewer would
see. Noise is measured where the native pixels are, by inspect: at this size it is averaged away.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lambdas.stages import tones
from lambdas.stages.colour_names import encoded, linear
from lambdas.stages.contract import StageInput, StageOutput
from lambdas.stages.tones import Histogram
from lambdas.stages.working_image import open_working_image

_TILES = 8
_SHARPEST_TILE = 0.9
_SHARPNESS_RANGE = (0.04, 1.3)
_FLAT_DEVIATION = 2.0
"""Below this many grey levels of deviation there is nothing but the grain of JPEG."""

_CLIPPING_TOLERATED = 0.02
_CLIPPING_ADVISED = 0.05
_BRIGHTNESS_RANGE = (0.05, 0.35, 0.60, 0.95)
_FULL_CONTRAST = 0.20
_MIDDLE = 0.46
"""Mean luma, as a share of white, of a picture that is exposed as meters are made to: what reflects 18 % of the light
(ISO 2720) is at 0.46 of sRGB's range."""
_MOST_STOPS = 6.0
"""More than this is lost in the noise of most cameras, whatever is done to it."""
_STEPS_TO_STOPS = 8
"""Halvings of twelve stops, to a twentieth of one."""
_NOISE_RANGE = (1.0, 16.0)
_CLIPPING_TOLD = 0.01

_LIGHT = [linear(value) for value in range(256)]


@dataclass(frozen=True)
class Band:
    """From `lowest` up to the next band, the words for a value."""

    lowest: float
    verdict: str
    advice: str


# The limits come from the photographs of the tests. Sharp originals give 0.38 to 1.3; the same, blurred by a Gaussian
# of one pixel of the working copy, 0.08 to 0.34; of two pixels, 0.03 to 0.11.
_SHARPNESS_BANDS = (
    Band(0.0, "blurred", "Nothing in the image is in focus: hold the camera still, or focus again."),
    Band(0.13, "slightly soft", "Fine on a small screen; edges look soft when it is enlarged."),
    Band(0.35, "sharp", "The sharpest parts have crisp edges."),
)
_NO_DETAIL = Band(0.0, "no detail", "The image is almost one single tone, so there is nothing to judge sharpness by.")
_WELL_EXPOSED = Band(0.28, "well exposed", "The brightness lies in the middle of the range.")
_EXPOSURE_BANDS = (
    Band(0.0, "too dark", "Most of the image is near black: expose longer or brighten it."),
    Band(0.15, "dark", "Brightening would show more; leave it if the mood is meant."),
    _WELL_EXPOSED,
    Band(0.66, "bright", "Darkening would give more depth; leave it if a light look is meant."),
    Band(0.82, "too bright", "Most of the image is near white: expose shorter or darken it."),
)
_CONTRAST_BANDS = (
    Band(0.0, "flat", "Darkest and lightest parts are close together: spread the tones."),
    Band(0.08, "gentle", "The tones keep close together, as in mist or soft light."),
    Band(0.14, "good", "Dark and light parts are well apart."),
    Band(0.32, "strong", "Most of the image is either dark or light, with little between."),
)


# Standard deviations of luma at native size. JPEG wipes out what is weaker than about 2.
_NOISE_BANDS = (
    Band(0.0, "clean", "There is no noise to be seen."),
    Band(2.5, "slight grain", "Fine grain shows when the image is looked at in full size."),
    Band(5.0, "noisy", "Noise shows on plain surfaces: use more light or a lower ISO, or denoise it."),
    Band(10.0, "very noisy", "Noise hides fine detail: use more light or a lower ISO, and denoise it."),
)


def run(stage_input: StageInput) -> StageOutput:
    """Measure, score and put into words."""
    stage_input.checkpoint(0.0)
    luma = open_working_image(stage_input.image, mode="L")
    stage_input.checkpoint(0.4)
    histogram = luma.histogram()
    deviation = tones.deviation(histogram)
    clipping = tones.clipping(histogram)
    judged = {
        "sharpness": _judge_sharpness(luma, deviation),
        "exposure": _judge_exposure(histogram, clipping),
        "contrast": _judge_contrast(deviation / 255),
        "noise": _judge_noise(stage_input.results),
        "clipping": clipping,
    }
    return StageOutput(result=judged | {"verdicts": _verdicts(judged)})


def _verdicts(judged: Mapping[str, Any]) -> list[str]:
    """Say what a person could do something about, the most important first; or that there is nothing."""
    sharpness, exposure, noise, clipping = (judged[name] for name in ("sharpness", "exposure", "noise", "clipping"))
    found = [
        _sentence(sharpness) if sharpness["verdict"] in {"blurred", "slightly soft"} else "",
        _exposure_in_stops(exposure),
        *(_clipped(clipping[name], name, tone) for name, tone in (("highlights", "white"), ("shadows", "black"))),
        _sentence(noise) if noise and noise["verdict"] in {"noisy", "very noisy"} else "",
        _sentence(judged["contrast"]) if judged["contrast"]["verdict"] == "flat" else "",
    ]
    return [sentence for sentence in found if sentence] or ["Nothing to mend: it is as it should be."]


def _sentence(judged: Mapping[str, Any]) -> str:
    return f"{judged['verdict'].capitalize()}: {judged['advice'][0].lower()}{judged['advice'][1:]}"


def _exposure_in_stops(exposure: Mapping[str, Any]) -> str:
    if not exposure["stops"]:
        return ""
    direction = "Underexposed" if exposure["stops"] < 0 else "Overexposed"
    return f"{direction} by about {round(abs(exposure['stops']) * 2) / 2:g} stops."


def _clipped(share: float, name: str, tone: str) -> str:
    return f"Clipped {name}: {share:.0%} of the image is pure {tone}." if share >= _CLIPPING_TOLD else ""


def _stops(histogram: Histogram) -> float:
    """How much more light than would have brought it to the middle it has, in powers of two; negative for less.

    Found by exposing the histogram anew, in linear light, until its mean luma is in the middle.
    """
    least, most = -_MOST_STOPS, _MOST_STOPS
    for _ in range(_STEPS_TO_STOPS):
        change = (least + most) / 2
        if _mean_when_exposed(histogram, change) < _MIDDLE:
            least = change
        else:
            most = change
    return round(-(least + most) / 2, 1)


def _mean_when_exposed(histogram: Histogram, change: float) -> float:
    """Mean luma as a share of white, had there been `change` stops more light; what is above white is white."""
    factor = 2.0**change
    total = sum(count * encoded(min(1.0, _LIGHT[value] * factor)) for value, count in enumerate(histogram) if count)
    return total / sum(histogram)


def _judge_noise(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Judge what inspect has measured; None when it could measure nothing."""
    measured = results.get("inspect", {}).get("noise")
    if not measured:
        return None
    low, high = _NOISE_RANGE
    value = float(measured["sigma"])
    score = 100 * (1 - math.log(max(low, value) / low) / math.log(high / low))
    unit = "standard deviation of luma's noise in grey levels, at native size"
    return _judged(score, value, unit, _band(_NOISE_BANDS, value))


def _judge_sharpness(luma: Image.Image, deviation: float) -> dict[str, Any]:
    """Edge strength in the sharpest tenth of the image, over its luma's deviation (so that darkness does not count).

    Edge strength is the root mean square of the Laplacian, after Pertuz et al., Analysis of focus measure operators
    (2013), LAP. By tiles, because a portrait before a blurred background is a sharp photograph.
    """
    unit = "edge strength over luma deviation, sharpest tenth of the image"
    if deviation < _FLAT_DEVIATION or min(luma.size) < _TILES * 2:
        return _judged(0, 0.0, unit, _NO_DETAIL)
    value = _edge_strength(luma) / deviation
    low, high = _SHARPNESS_RANGE
    # Blur divides edge strength, so equal steps of blur are equal steps of its logarithm.
    score = 100 * math.log(max(value, low) / low) / math.log(high / low)
    return _judged(score, value, unit, _band(_SHARPNESS_BANDS, value))


def _edge_strength(luma: Image.Image) -> float:
    edges = tones.edges(luma)
    strengths = sorted(tones.edge_strength(edges.crop(tile)) for tile in _tiles(edges.size))
    return strengths[int(len(strengths) * _SHARPEST_TILE)]


def _tiles(size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    across = [size[0] * i // _TILES for i in range(_TILES + 1)]
    down = [size[1] * i // _TILES for i in range(_TILES + 1)]
    return [(across[i], down[j], across[i + 1], down[j + 1]) for i in range(_TILES) for j in range(_TILES)]


def _judge_exposure(histogram: Histogram, clipping: dict[str, float]) -> dict[str, Any]:
    """Mean luma as a share of white: full score in the middle third, less towards both ends and for clipped tones.

    `stops` says by how much the exposure was off; it is 0 where the verdict says that there is nothing to mend.
    """
    brightness = tones.mean(histogram) / 255
    black, dark, light, white = _BRIGHTNESS_RANGE
    score = 100 * min(1.0, (brightness - black) / (dark - black), (white - brightness) / (white - light))
    lost = max(0.0, sum(clipping.values()) - _CLIPPING_TOLERATED)
    band = _band(_EXPOSURE_BANDS, brightness)
    # A tenth of the image lost to white or black costs twenty points.
    judged = _judged(score - 200 * lost, brightness, "mean luma as a share of white", band)
    judged["advice"] += _clipping_advice(clipping)
    return judged | {"stops": 0.0 if band is _WELL_EXPOSED else _stops(histogram)}


def _clipping_advice(clipping: dict[str, float]) -> str:
    lost = [
        f"{clipping[name]:.0%} of the image is pure {tone}"
        for name, tone in (("highlights", "white"), ("shadows", "black"))
        if clipping[name] >= _CLIPPING_ADVISED
    ]
    return f" {' and '.join(lost)}, where no detail is left." if lost else ""


def _judge_contrast(value: float) -> dict[str, Any]:
    """RMS contrast: deviation of luma as a share of white (Peli, Contrast in complex images, 1990)."""
    score = 100 * value / _FULL_CONTRAST
    return _judged(score, value, "standard deviation of luma as a share of white", _band(_CONTRAST_BANDS, value))


def _judged(score: float, value: float, unit: str, band: Band) -> dict[str, Any]:
    return {
        "score": max(0, min(100, round(score))),
        "value": round(value, 4),
        "unit": unit,
        "verdict": band.verdict,
        "advice": band.advice,
    }


def _band(bands: Sequence[Band], value: float) -> Band:
    return next(band for band in reversed(bands) if value >= band.lowest)
