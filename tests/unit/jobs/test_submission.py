"""The rules of a submission."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.jobs.errors import InvalidJob
from lambdas.jobs.submission import OPTIONS, Submission, parse_object, parse_submission

ANALYSES = ("palette", "quality")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def parse(document: Any) -> Submission:
    """Parse what is JSON, or text already."""
    return parse_submission(document if isinstance(document, str) else json.dumps(document), known_analyses=ANALYSES)


def test_parse_submission_fills_in_defaults() -> None:
    assert parse({"imageId": "a"}) == Submission(
        image_id="a",
        analyses=["palette", "quality"],
        options={name: rule.default for name, rule in OPTIONS.items() if rule.default is not None},
        tags={},
        names_analyses=False,
    )


def test_parse_submission_that_names_no_analyses_gets_the_default_ones() -> None:
    taken = parse_submission('{"imageId": "a"}', known_analyses=ANALYSES, default_analyses=("palette",))
    named = parse_submission(
        '{"imageId": "a", "analyses": ["quality"]}', known_analyses=ANALYSES, default_analyses=("palette",)
    )

    assert (taken.analyses, taken.names_analyses) == (["palette"], False)
    assert (named.analyses, named.names_analyses) == (["quality"], True)


def test_parse_submission_names_every_broken_rule_at_once() -> None:
    with pytest.raises(InvalidJob) as caught:
        parse({"imageId": "", "analyses": "all", "options": {"colours": 1.5}, "surprise": 1})

    assert {rule.field for rule in caught.value.broken} == {"imageId", "analyses", "options.colours", "surprise"}


@pytest.mark.parametrize("address", ["https://example.com/a.jpg", "s3://bucket/a", "file:///etc/passwd", "//host/a"])
def test_parse_submission_that_names_an_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        parse({"imageId": address})

    assert {rule.field for rule in caught.value.broken} == {"imageId"}


def test_parse_submission_says_a_callers_word_back_only_when_it_is_safe() -> None:
    with pytest.raises(InvalidJob) as caught:
        parse({"imageId": "a", "<script>\n" + "x" * 500: 1})

    assert caught.value.broken[0].field == "?script??" + "x" * 55


@given(json_values)
def test_parse_submission_whatever_json_comes_accepts_or_refuses_it_in_words(document: Any) -> None:
    # Anything but an acceptance or an InvalidJob is a fault of ours, and fails the test by itself.
    with contextlib.suppress(InvalidJob):
        assert parse(document).image_id


@given(st.text())
def test_parse_submission_whatever_text_comes_refuses_it_in_words(body: str) -> None:
    with pytest.raises(InvalidJob):
        parse(f"\x00{body}")


@given(
    st.fixed_dictionaries(
        {"imageId": st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)},
        optional={
            "analyses": st.sets(st.sampled_from(ANALYSES), min_size=1).map(list),
            "options": st.fixed_dictionaries(
                {}, optional={name: st.integers(rule.minimum, rule.maximum) for name, rule in OPTIONS.items()}
            ),
            "tags": st.dictionaries(st.text(min_size=1, max_size=64), st.text(max_size=256), max_size=10),
        },
    )
)
def test_parse_submission_that_keeps_the_rules_is_taken_as_it_is(document: dict[str, Any]) -> None:
    taken = parse(document)

    assert taken.image_id == document["imageId"]
    assert set(taken.analyses) == set(document.get("analyses", ANALYSES))
    assert taken.tags == document.get("tags", {})
    assert {**taken.options, **document.get("options", {})} == taken.options


def test_parse_object_wants_each_field_from_its_list() -> None:
    fields = {"contentType": ("image/png",)}

    assert parse_object('{"contentType": "image/png"}', fields=fields) == {"contentType": "image/png"}
    with pytest.raises(InvalidJob, match="contentType: has to be one of image/png"):
        parse_object('{"contentType": ["image/png"]}', fields=fields)
