"""Whether a Darkroom works, looked at from outside: a few jobs on a picture whose answers are known beforehand.

The same on a laptop and after a deployment. It speaks through the client alone, deletes the jobs that it made, and is
over after a time that is given.
"""

import hashlib
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from darkroom.client import Client
from darkroom.errors import ConflictError, DarkroomError, NotAsExpectedError, NotFoundError
from darkroom.models import ArtefactName, Job, JobStatus
from darkroom.surroundings import Surroundings

WIDTH: Final = 64
HEIGHT: Final = 48
RED: Final = (200, 40, 40)
"""Of three quarters of the picture; the rest is blue."""
BLUE: Final = (20, 60, 160)
SHARE: Final = 0.75
SHARE_TOLERANCE: Final = 0.1
TOLERANCE: Final = 24
"""Of a channel, since the stages look at a JPEG of it."""
ROUND_SECONDS: Final = 0.5
LONGEST_HOLD_SECONDS: Final = 10
DONE: Final = 100
CANCELS: Final = 3
"""A job that was over before its cancel arrived proves nothing, so that another one is tried."""
_JPEG: Final = b"\xff\xd8"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one check."""

    name: str
    seconds: float
    failure: str | None = None

    @property
    def document(self) -> Mapping[str, Any]:
        """For programs."""
        found: dict[str, Any] = {"check": self.name, "ok": self.failure is None, "seconds": round(self.seconds, 3)}
        return found if self.failure is None else {**found, "failure": self.failure}


def picture() -> bytes:
    """Make a PNG: three quarters red, the rest blue."""
    reds = int(WIDTH * SHARE)
    row = b"\0" + bytes(RED) * reds + bytes(BLUE) * (WIDTH - reds)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * HEIGHT, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


class Smoke:
    """One run: its checks, in order, each of which may need what those before it have made."""

    def __init__(self, client: Client, surroundings: Surroundings, *, seconds: float) -> None:
        self._client = client
        self._surroundings = surroundings
        self._until = surroundings.now() + seconds
        # No UUIDs: the client takes an unknown id that was made a moment ago for one that is still in the queue.
        self._mark = f"smoke-{secrets.token_hex(6)}"
        self._image_id: str | None = None
        self._done: Job | None = None
        self._made: list[str] = []
        self.checks: Mapping[str, Callable[[], None]] = {
            "sign-in": self._sign_in,
            "upload": self._upload,
            "submit-twice": self._submit_twice,
            "success": self._success,
            "result": self._result,
            "artefact": self._artefact,
            "unchanged": self._unchanged,
            "no-image": self._no_image,
            "cancel": self._cancel,
            "unknown-id": self._unknown_id,
            "delete": self._delete,
        }

    def run(self, skip: frozenset[str] = frozenset()) -> Iterator[Outcome]:
        """Check one thing after the other; whatever happens, delete what was made."""
        try:
            for name, check in self.checks.items():
                if name not in skip:
                    yield self._tried(name, check)
        finally:
            self._clean_up()

    def _tried(self, name: str, check: Callable[[], None]) -> Outcome:
        began = self._surroundings.now()
        failure = None
        try:
            _expect(began < self._until, "there was no time left for it")
            check()
        except DarkroomError as error:
            failure = str(error)
        return Outcome(name=name, seconds=self._surroundings.now() - began, failure=failure)

    def _sign_in(self) -> None:
        list(self._client.jobs(limit=1))

    def _upload(self) -> None:
        self._image_id = self._client.upload(picture())

    def _submit_twice(self) -> None:
        job_ids = {self._submit("image", self._image()) for _ in range(2)}
        _expect(len(job_ids) == 1, f"one job was submitted twice, and the answers name {sorted(job_ids)}")

    def _success(self) -> None:
        job = self._ended(self._job_id("image"))
        _expect(job.status is JobStatus.SUCCEEDED, f"it is {job.status}{_reason(job)}")
        _expect(job.attempt == 1, f"it was submitted twice, and is at attempt {job.attempt}")
        _expect(job.progress == DONE, f"its progress is {job.progress}")
        self._done = job

    def _result(self) -> None:
        report = self._client.result(self._finished().job_id)
        image, palette = report.get("image", {}), report.get("analyses", {}).get("palette", {})
        size = (image.get("format"), image.get("width"), image.get("height"))
        _expect(size == ("PNG", WIDTH, HEIGHT), f"the image is {size}")
        _expect(image.get("sha256") == hashlib.sha256(picture()).hexdigest(), "what arrived is another file")
        first: Mapping[str, Any] = next(iter(palette.get("colours", [])), {})
        found = first.get("rgb", [])
        near = len(found) == len(RED) and all(
            abs(one - other) <= TOLERANCE for one, other in zip(found, RED, strict=True)
        )
        _expect(near, f"the main colour is {found}, not {list(RED)}")
        _expect(
            abs(first.get("share", 0) - SHARE) <= SHARE_TOLERANCE, f"its share is {first.get('share')}, not {SHARE}"
        )

    def _artefact(self) -> None:
        content = self._client.artefact(self._finished().job_id, ArtefactName.THUMBNAIL)
        _expect(content.startswith(_JPEG), "the thumbnail is no JPEG")

    def _unchanged(self) -> None:
        job = self._client.get(self._finished().job_id)
        _expect(job.etag is not None, "the answer has no ETag")
        _expect(self._client.get(job.job_id, etag=job.etag) is None, "the job is sent again, though it has not changed")

    def _no_image(self) -> None:
        job = self._ended(self._submit("no-image", f"{self._mark}-was-never-uploaded"))
        _expect(job.status is JobStatus.FAILED, f"it is {job.status}")
        error = job.error
        _expect(error is not None and error.error_class == "ImageNotFound", f"its error is {error}")
        _expect(bool(error and error.message), "its error explains nothing")

    def _cancel(self) -> None:
        for number in range(CANCELS):
            job_id = self._submit(f"cancel-{number}", self._image())
            try:
                self._client.cancel(job_id)
            except ConflictError:
                continue  # it was over before
            job = self._ended(job_id)
            _expect(job.status is JobStatus.CANCELLED, f"it is {job.status}")
            return
        raise NotAsExpectedError(f"{CANCELS} jobs were over before they could be cancelled, or refused it")

    def _unknown_id(self) -> None:
        _expect(self._is_gone(f"{self._mark}-unknown"), "a job is shown that was never submitted")

    def _delete(self) -> None:
        job_id = self._finished().job_id
        self._client.delete(job_id)
        _expect(self._is_gone(job_id), "the job is still there")
        self._made.remove(job_id)

    def _clean_up(self) -> None:
        """What cannot be deleted, because it has not ended or the service is in trouble, expires by itself."""
        for job_id in self._made:
            with suppress(DarkroomError):
                self._client.delete(job_id)

    def _submit(self, name: str, image_id: str) -> str:
        job_id = self._job_id(name)
        if job_id not in self._made:
            self._made.append(job_id)
        return self._client.submit(image_id, job_id=job_id, tags={"smoke": self._mark}).job_id

    def _job_id(self, name: str) -> str:
        return f"{self._mark}-{name}"

    def _ended(self, job_id: str) -> Job:
        """Look at a job until it is over, or the time is."""
        job = self._client.get(job_id)
        while not job.status.is_end:
            left = self._until - self._surroundings.now()
            _expect(left > 0, f"it is still {job.status}, at {job.progress}%")
            news = self._client.get(job_id, wait=max(1, min(LONGEST_HOLD_SECONDS, int(left))), etag=job.etag)
            if news is None or news == job:
                self._surroundings.sleep(ROUND_SECONDS)
            job = news or job
        return job

    def _is_gone(self, job_id: str) -> bool:
        try:
            self._client.get(job_id)
        except NotFoundError:
            return True
        return False

    def _image(self) -> str:
        if self._image_id is None:
            raise NotAsExpectedError("not tried: there is no image")
        return self._image_id

    def _finished(self) -> Job:
        if self._done is None:
            raise NotAsExpectedError("not tried: no job has succeeded")
        return self._done


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotAsExpectedError(otherwise)


def _reason(job: Job) -> str:
    return f": {job.error.error_class}, {job.error.message}" if job.error else ""


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
