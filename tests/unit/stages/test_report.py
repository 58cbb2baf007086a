import json
import re
from io import BytesIO

import pytest
from PIL import Image

ANALYSES = ("palette", "quality", "fingerprint", "codes")


@pytest.fixture(scope="module")
def analysed(run_stage, photo):
    """The working copy of a photograph and all results about it."""
    inspected = run_stage("inspect", photo("picos-de-europa"))
    working = inspected.artefacts["working-copy.jpg"].content
    results = {"inspect": inspected.result}
    for name in ANALYSES:
        results[name] = run_stage(name, working, results=results).result
    return working, results


def _document(output):
    return json.loads(output.artefacts["report.json"].content)


def _size(artefact):
    image = Image.open(BytesIO(artefact.content))
    image.load()
    assert image.format == "JPEG"
    return image.size


def test_report_gathers_all_results(run_stage, analysed):
    working, results = analysed
    output = run_stage("report", working, results=results)
    document = _document(output)
    assert document["schemaVersion"] == 1
    assert document["generatedBy"] == "Darkroom"
    assert document["image"] == results["inspect"]
    assert document["analyses"] == {name: results[name] for name in ANALYSES}
    assert document["summary"] == output.result["summary"]
    assert set(document) == {"schemaVersion", "generatedBy", "image", "analyses", "summary"}


def test_report_names_its_artefacts(run_stage, analysed):
    working, results = analysed
    output = run_stage("report", working, results=results)
    assert output.result["artefacts"] == ["report.json", "thumbnail.jpg", "preview.jpg"]
    assert list(output.artefacts) == output.result["artefacts"]
    assert [artefact.media_type for artefact in output.artefacts.values()] == [
        "application/json",
        "image/jpeg",
        "image/jpeg",
    ]


@pytest.mark.parametrize("asked", [(), ("palette",), ("codes", "quality")])
def test_report_has_only_the_analyses_that_were_asked_for(asked, run_stage, analysed):
    working, results = analysed
    output = run_stage(
        "report", working, results={"inspect": results["inspect"]} | {name: results[name] for name in asked}
    )
    assert set(_document(output)["analyses"]) == set(asked)


def test_report_summary_says_it_in_plain_words(run_stage, analysed):
    working, results = analysed
    summary = run_stage("report", working, results=results).result["summary"]
    assert summary.startswith("A JPEG of 3264 \u00d7 2448 pixels. It is sharp and well exposed, with good contrast.")
    assert re.search(r"The main colour is [a-z ]+ \(#[0-9a-f]{6}\), \d+% of the image\.", summary)
    assert summary.endswith("It shows no codes that can be read.")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"frames": 12, "animated": True}, "pixels with 12 frames."),
        ({"frames": 3, "animated": False}, "pixels with 3 pages."),
    ],
)
def test_report_summary_counts_frames_and_pages(changed, sentence, run_stage, analysed):
    working, results = analysed
    output = run_stage("report", working, results={"inspect": results["inspect"] | changed})
    assert sentence in output.result["summary"]


def test_report_summary_counts_codes_by_kind(run_stage, analysed):
    working, results = analysed
    codes = {"codes": [{"format": "QR Code"}, {"format": "EAN-13"}], "found": 2}
    output = run_stage("report", working, results={"inspect": results["inspect"], "codes": codes})
    assert output.result["summary"].endswith("It shows 2 codes (EAN-13, QR Code).")


@pytest.mark.parametrize(
    ("thumbnail", "preview", "sizes"),
    [(256, 512, ((256, 192), (512, 384))), (100, 700, ((100, 75), (700, 525))), (600, 300, ((600, 450), (300, 225)))],
)
def test_report_pictures_have_the_sizes_asked_for(thumbnail, preview, sizes, run_stage, analysed):
    working, results = analysed
    output = run_stage(
        "report", working, results=results, options={"thumbnailPixels": thumbnail, "previewPixels": preview}
    )
    assert (_size(output.artefacts["thumbnail.jpg"]), _size(output.artefacts["preview.jpg"])) == sizes


def test_report_pictures_are_never_enlarged(run_stage, analysed):
    working, results = analysed
    output = run_stage("report", working, results=results, options={"previewPixels": 2048})
    assert _size(output.artefacts["preview.jpg"]) == (816, 612)


def test_report_preview_of_a_working_copy_that_is_no_larger_is_the_working_copy(run_stage, analysed):
    working, results = analysed
    output = run_stage("report", working, results=results, options={"previewPixels": 816})
    assert output.artefacts["preview.jpg"].content == working
    smaller = run_stage("report", working, results=results, options={"previewPixels": 815})
    assert _size(smaller.artefacts["preview.jpg"]) == (815, 611)


def test_report_same_input_gives_the_same_bytes_whatever_the_order(run_stage, analysed):
    working, results = analysed
    reordered = {name: dict(reversed(result.items())) for name, result in reversed(results.items())}
    one, other = (run_stage("report", working, results=each) for each in (results, reordered))
    assert one == other


@pytest.mark.parametrize("name", ["inspect", "report", *ANALYSES])
def test_every_stage_calls_its_checkpoint(name, run_stage, analysed, photo):
    working, results = analysed
    fractions = []
    image = photo("picos-de-europa") if name == "inspect" else working
    output = run_stage(name, image, results=results, checkpoint=fractions.append)
    assert len(fractions) >= 2
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert len(json.dumps(output.result, allow_nan=False)) < 4_000
