"""Dropping files on a page, as a person does."""

import base64
from collections.abc import Mapping
from typing import Any

MAKE = """(files) => {
  const transfer = new DataTransfer();
  for (const [name, content] of Object.entries(files)) {
    const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  return transfer;
}"""


def drop(page: Any, files: Mapping[str, bytes]) -> None:
    """Drop files on the zone for them."""
    given = {name: base64.b64encode(content).decode() for name, content in files.items()}
    transfer = page.evaluate_handle(MAKE, given)
    zone = page.get_by_role("region", name="New jobs")
    zone.dispatch_event("dragover", {"dataTransfer": transfer})
    zone.dispatch_event("drop", {"dataTransfer": transfer})
