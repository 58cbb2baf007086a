"""Which pictures are near to one another, and in which order they are told."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.jobs.fingerprint import Fingerprint
from lambdas.jobs.likeness import SAME_PICTURE_BITS, Entry, Match, bits_between, matches

hashes = st.integers(0, 2**64 - 1).map(lambda bits: f"{bits:016x}")
flips = st.sets(st.integers(0, 63), max_size=24)
entries = st.lists(
    st.tuples(flips, hashes, st.sampled_from(["2026-01-01", "2026-01-02"])), max_size=20
)  # of few times, so that they are equal now and then


def flipped(text: str, bits: set[int]) -> str:
    value = int(text, 16)
    for bit in bits:
        value ^= 1 << bit
    return f"{value:016x}"


@given(hashes, flips)
def test_bits_between_counts_the_flipped_ones_from_either_side(one: str, bits: set[int]) -> None:
    assert bits_between(one, flipped(one, bits)) == bits_between(flipped(one, bits), one) == len(bits)


@given(hashes, hashes, entries, st.integers(0, 20))
def test_matches_are_all_that_are_near_enough_nearest_first_then_newest(
    perceptual: str, difference: str, made: list[tuple[set[int], str, str]], most: int
) -> None:
    wanted = Fingerprint(perceptual=perceptual, difference=difference)
    known = [
        Entry(
            job_id=f"job-{number}",
            created_at=created_at,
            fingerprint=Fingerprint(perceptual=flipped(perceptual, bits), difference=other),
        )
        for number, (bits, other, created_at) in enumerate(made)
    ]

    found = matches(wanted, known, max_distance=most)

    assert {match.job_id for match in found} == {f"job-{n}" for n, (bits, _, _) in enumerate(made) if len(bits) <= most}
    assert found == matches(wanted, reversed(known), max_distance=most)
    for nearer, further in pairwise(found):
        assert nearer.distance <= further.distance
        assert nearer.distance < further.distance or nearer.created_at >= further.created_at


@pytest.mark.parametrize(
    ("distance", "difference_distance", "confirmed"),
    [(SAME_PICTURE_BITS, SAME_PICTURE_BITS, True), (0, SAME_PICTURE_BITS + 1, False), (12, 0, False)],
)
def test_match_is_confirmed_by_both_hashes_only(distance: int, difference_distance: int, confirmed: bool) -> None:
    match = Match(job_id="j", created_at="t", distance=distance, difference_distance=difference_distance)

    assert match.is_confirmed == confirmed


@pytest.mark.parametrize(
    "result",
    [None, {}, {"pHash": "0" * 16}, {"pHash": "0" * 16, "dHash": None}, {"pHash": "0" * 15, "dHash": "0" * 16},
     {"pHash": "0#" * 8, "dHash": "0" * 16}],
)  # fmt: skip
def test_fingerprint_of_a_result_without_both_hashes_is_none(result: dict[str, str] | None) -> None:
    assert Fingerprint.found_in(result) is None
