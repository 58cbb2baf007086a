"""The parts of a page of docs/ that a command writes, each between two comments that name it."""

from collections.abc import Mapping


def filled(page: str, blocks: Mapping[str, str]) -> str:
    """Give back the page with its blocks as they are now. Raises ValueError when a block has no place in it."""
    for name, block in blocks.items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if not begin or not end:
            raise ValueError(f"The page has no place for {name!r}: put its two comments there.")
        page = f"{before}{begin}\n{block}\n\n{end}{after}"
    return page
