"""Which jobs are of the same picture: how far their fingerprints are apart, and the order of what is near.

Must not know how fingerprints are made or stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lambdas.jobs.fingerprint import Fingerprint

SAME_PICTURE_BITS: Final = 10
"""Two hashes that differ in no more bits than this are taken for versions of one picture.

docs/images.md has what that finds, and what it takes for the same by mistake: of 129,795 pairs of different
photographs two by pHash, none by both hashes.
"""
LARGEST_DISTANCE: Final = 20
"""In bits. Up to here one of 165 pairs of different photographs is among what is found; beyond, many."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One job in the index of fingerprints."""

    job_id: str
    created_at: str
    fingerprint: Fingerprint


@dataclass(frozen=True, kw_only=True)
class Match:
    """A job whose picture is near, and how near: differing bits of the two hashes."""

    job_id: str
    created_at: str
    distance: int
    difference_distance: int

    @property
    def is_confirmed(self) -> bool:
        """Whether both hashes say that it is the same picture."""
        return max(self.distance, self.difference_distance) <= SAME_PICTURE_BITS


def bits_between(one: str, other: str) -> int:
    """Count the differing bits of two hashes, 0 to 64 (the Hamming distance)."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def matches(wanted: Fingerprint, entries: Iterable[Entry], *, max_distance: int) -> list[Match]:
    """Pick what is at most `max_distance` bits of pHash away: nearest first, of equally near ones the newest first."""
    near = [
        Match(
            job_id=entry.job_id,
            created_at=entry.created_at,
            distance=distance,
            difference_distance=bits_between(wanted.difference, entry.fingerprint.difference),
        )
        for entry in entries
        if (distance := bits_between(wanted.perceptual, entry.fingerprint.perceptual)) <= max_distance
    ]
    newest_first = sorted(near, key=lambda match: (match.created_at, match.job_id), reverse=True)
    return sorted(newest_first, key=lambda match: match.distance)
