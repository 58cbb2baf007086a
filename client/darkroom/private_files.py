"""Writing files that only their owner may read: whole or not at all."""

import os
import tempfile
from pathlib import Path

from darkroom.errors import LocalFileError


def write_private(path: Path, text: str) -> None:
    """Put `text` in the place of the file at once, with mode 0600, making the folder (0700) when it is missing.

    Raises LocalFileError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> LocalFileError:
    return LocalFileError(f"{path} cannot be written: {error.strerror or error}.")
