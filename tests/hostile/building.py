"""Writes a corpus into a folder. In a process of its own, which takes the memory that this needed with it."""

import multiprocessing
from pathlib import Path

from tests.hostile.case import Expected
from tests.hostile.kinds import corpus


def build(folder: Path, *, seed: int, mutations: int, thorough: bool) -> dict[Path, Expected]:
    """Write every file; return what has to become of each."""
    arguments = (folder, seed, mutations, thorough)
    writer = multiprocessing.get_context("fork").Process(target=_write, args=arguments)
    writer.start()
    writer.join()
    if writer.exitcode:
        raise RuntimeError("The corpus could not be built: see above.")
    return {
        folder / line.split("\t")[0]: Expected(line.split("\t")[1]) for line in _list(folder).read_text().splitlines()
    }


def _write(folder: Path, seed: int, mutations: int, thorough: bool) -> None:
    lines = []
    for case in corpus(seed=seed, mutations=mutations, thorough=thorough):
        (folder / case.file_name).write_bytes(case.make())
        lines.append(f"{case.file_name}\t{case.expected}")
    _list(folder).write_text("\n".join(lines))


def _list(folder: Path) -> Path:
    return folder / "expected.tsv"
