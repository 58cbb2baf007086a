"""What a picture is found by. Stages have it without what is done with it: `likeness`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_HASH: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What a picture is found by: two hashes of 64 bits, each as 16 hexadecimal digits."""

    perceptual: str
    """pHash: the picture's coarse frequencies."""
    difference: str
    """dHash: where it grows brighter from left to right. Independent enough to be a second opinion."""

    @classmethod
    def found_in(cls, result: Mapping[str, Any] | None) -> "Fingerprint | None":
        """Take the hashes from the fingerprint stage's result; None when it has not run or told something else."""
        hashes = [str((result or {}).get(name)) for name in ("pHash", "dHash")]
        if not all(map(_HASH.fullmatch, hashes)):
            return None
        return cls(perceptual=hashes[0], difference=hashes[1])
