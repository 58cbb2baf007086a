"""Last stage: everything that was found, as one document and in a sentence, with a preview and a thumbnail.

Must not look at a clock or at anything outside its input: the same input gives the same bytes.
"""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from lambdas.stages.catalogue import ANALYSES
from lambdas.stages.contract import Artefact, StageInput, StageOutput
from lambdas.stages.working_image import open_working_image

SCHEMA_VERSION = 1
_GENERATED_BY = "Darkroom"
_PREVIEW_QUALITY = 80
_LABELS_TOLD = 5

Results = Mapping[str, Mapping[str, Any]]


def run(stage_input: StageInput) -> StageOutput:
    """Write `report.json`, `preview.jpg` and `thumbnail.jpg`; the pictures are never larger than the working copy."""
    stage_input.checkpoint(0.0)
    summary = _summary(stage_input.results)
    document = _document(stage_input.results, summary)
    thumbnail, preview = _pictures(stage_input)
    stage_input.checkpoint(0.9)
    artefacts = {"report.json": document, "thumbnail.jpg": thumbnail, "preview.jpg": preview}
    return StageOutput(result={"summary": summary, "artefacts": list(artefacts)}, artefacts=artefacts)


def _pictures(stage_input: StageInput) -> tuple[Artefact, Artefact]:
    """Make the thumbnail and the preview. A working copy that is no larger than the preview is the preview as it is."""
    preview_side, thumbnail_side = (int(stage_input.options[name]) for name in ("previewPixels", "thumbnailPixels"))
    if max(JpegImageFile(BytesIO(stage_input.image)).size) <= preview_side:
        image = open_working_image(stage_input.image, long_side=thumbnail_side)
        return _jpeg(_shrunk(image, thumbnail_side)), Artefact(content=stage_input.image, media_type="image/jpeg")
    image = open_working_image(stage_input.image, long_side=max(preview_side, thumbnail_side))
    preview = _shrunk(image, preview_side)
    # From the preview it costs a tenth of what it costs from the working copy.
    thumbnail = _shrunk(preview if max(preview.size) >= thumbnail_side else image, thumbnail_side)
    return _jpeg(thumbnail), _jpeg(preview)


def _document(results: Results, summary: str) -> Artefact:
    document = {
        "schemaVersion": SCHEMA_VERSION,
        "generatedBy": _GENERATED_BY,
        "image": results["inspect"],
        "analyses": {name: results[name] for name in ANALYSES if name in results},
        "summary": summary,
    }
    # Sorted, because a store may give a mapping back in another order.
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return Artefact(content=text.encode() + b"\n", media_type="application/json")


def _summary(results: Results) -> str:
    sentences = [_image_sentence(results["inspect"])]
    for name, sentence in _SENTENCES.items():
        if name in results:
            sentences.append(sentence(results[name]))
    return " ".join(sentences)


def _image_sentence(image: Mapping[str, Any]) -> str:
    frames = f" with {image['frames']} {'frames' if image['animated'] else 'pages'}" if image["frames"] > 1 else ""
    return f"A {image['format']} of {image['width']} × {image['height']} pixels{frames}."  # noqa: RUF001 - the sign of sizes


def _quality_sentence(quality: Mapping[str, Any]) -> str:
    sharpness, exposure = quality["sharpness"]["verdict"], quality["exposure"]["verdict"]
    return f"It is {sharpness} and {exposure}, with {quality['contrast']['verdict']} contrast."


def _palette_sentence(palette: Mapping[str, Any]) -> str:
    first = palette["colours"][0]
    return f"The main colour is {first['name']} ({first['hex']}), {first['share']:.0%} of the image."


def _codes_sentence(codes: Mapping[str, Any]) -> str:
    formats = sorted({code["format"] for code in codes["codes"]})
    if not formats:
        return "It shows no codes that can be read."
    return f"It shows {codes['found']} {'code' if codes['found'] == 1 else 'codes'} ({', '.join(formats)})."


def _labels_sentence(labels: Mapping[str, Any]) -> str:
    names = [label["name"].lower() for label in labels["labels"][:_LABELS_TOLD]]
    shows = f"It probably shows: {', '.join(names)}." if names else "Nothing in it was recognised."
    return f"{shows} Some people may not want to see it." if labels["moderation"] else shows


def _regions_sentence(regions: Mapping[str, Any]) -> str:
    if not regions["measured"]:
        return "It was not measured by regions."
    left, top, right, bottom = regions["sharpest"]["box"]
    return f"It is sharpest around the pixel {(left + right) // 2}, {(top + bottom) // 2}."


_SENTENCES = {
    "quality": _quality_sentence,
    "palette": _palette_sentence,
    "codes": _codes_sentence,
    "regions": _regions_sentence,
    "labels": _labels_sentence,
}


def _shrunk(image: Image.Image, long_side: int) -> Image.Image:
    """Shrink to the long side; never enlarge."""
    if max(image.size) <= long_side:
        return image
    scale = long_side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Averages to within 1.5 times the size, then one filter: sharper than averages alone, a quarter of LANCZOS's cost.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.5)


def _jpeg(image: Image.Image) -> Artefact:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_PREVIEW_QUALITY, comment=b"")
    return Artefact(content=buffer.getvalue(), media_type="image/jpeg")
