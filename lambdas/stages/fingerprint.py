"""Stage: short marks by which the same picture is found again, and a blurred stand-in for it."""

from lambdas.stages import shrinking
from lambdas.stages.blurhash import encode
from lambdas.stages.contract import StageInput, StageOutput
from lambdas.stages.perceptual_hash import average_hash, difference_hash, perceptual_hash
from lambdas.stages.working_image import open_working_image

_HASH_SIDE = 256
"""Eight times the 32 pixels of pHash: on photographs the bits are those of the full size."""
_BLURHASH_SIDE = 32
_BLURHASH_COMPONENTS = (4, 3)


def run(stage_input: StageInput) -> StageOutput:
    """Hash the image in grey, and its colours as a blurhash."""
    stage_input.checkpoint(0.0)
    image = open_working_image(stage_input.image, long_side=_HASH_SIDE)
    stage_input.checkpoint(0.5)
    grey = image.convert("L")
    result = {
        "pHash": perceptual_hash(grey),
        "dHash": difference_hash(grey),
        "aHash": average_hash(grey),
        "blurhash": encode(shrinking.reduce(image, _BLURHASH_SIDE), *_BLURHASH_COMPONENTS),
    }
    return StageOutput(result=result)
