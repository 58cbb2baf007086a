"""The bucket of uploads and artefacts. Keys are derived from owner and ids, never taken from a request."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import ClientError, code_of, translated
from lambdas.adapters.clients import client
from lambdas.adapters.metering import meter
from lambdas.jobs.errors import ImageNotFound, TransientError

UPLOAD_SECONDS: Final = 15 * 60
"""How long a presigned upload can be begun."""
DOWNLOAD_SECONDS: Final = 5 * 60
MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})


@dataclass(frozen=True, kw_only=True)
class PresignedUpload:
    """Where and how to upload one image: send `fields`, then the image as `file`, to `url`."""

    url: str
    fields: Mapping[str, str]


class ArtefactMissingError(LookupError):
    """An artefact is not in the bucket."""


class ImageBucket:
    """Uploads and artefacts. Every method that calls AWS raises TransientError when it is throttled or out of reach."""

    def __init__(self, name: str) -> None:
        self._name = name

    def presign_upload(self, owner: str, image_id: str, *, content_type: str, max_bytes: int) -> PresignedUpload:
        """Sign an upload of one image of one type and at most so many bytes. Calls nothing."""
        url, fields = client("s3").presign_post(
            self._name,
            keys.upload_key(owner, image_id),
            {"Content-Type": content_type},
            [{"Content-Type": content_type}, ["content-length-range", 0, max_bytes]],
            UPLOAD_SECONDS,
        )
        return PresignedUpload(url=url, fields=fields)

    def presign_artefact(self, owner: str, job_id: str, name: str) -> str:
        """Sign a download of a picture; a browser shows it as one, whatever is stored. Calls nothing."""
        return str(
            client("s3").presign_get(
                self._name,
                keys.artefact_key(owner, job_id, name),
                {
                    "response-content-type": "image/jpeg",
                    "response-content-disposition": f'inline; filename="{posixpath.basename(name)}"',
                },
                DOWNLOAD_SECONDS,
            )
        )

    def read_upload(self, owner: str, image_id: str) -> bytes:
        """Read an uploaded image. Raises ImageNotFound when nothing was uploaded under this id."""
        try:
            return self._read(keys.upload_key(owner, image_id))
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            raise ImageNotFound(
                f"Nothing was uploaded as image {image_id}, or it was deleted. Upload it and submit the job again."
            ) from error

    def read_artefact(self, owner: str, job_id: str, name: str) -> bytes:
        """Read an artefact of a job. Raises ArtefactMissingError when it was never stored, or has expired."""
        try:
            return self._read(keys.artefact_key(owner, job_id, name))
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            raise ArtefactMissingError(f"There is no {name}.") from error

    def write_artefact(self, owner: str, job_id: str, name: str, content: bytes, media_type: str) -> None:
        """Store an artefact of a job; storing it again replaces it."""
        with translated(f"Storing {name}"):
            client("s3").put_object(self._name, keys.artefact_key(owner, job_id, name), content, media_type)
        meter.note("object_writes")

    def delete_artefacts(self, owner: str, job_id: str, names: Iterable[str]) -> None:
        """Delete some artefacts of a job; those that are not there are no error."""
        self._delete([keys.artefact_key(owner, job_id, name) for name in names])

    def delete_all_artefacts(self, owner: str, job_id: str) -> int:
        """Delete everything that a job has made; return how many objects there were."""
        deleted = 0
        meter.note("object_writes")  # a LIST is billed like a PUT; to delete costs nothing
        with translated("Listing the artefacts"):
            for found in client("s3").list_objects(self._name, keys.job_prefix(owner, job_id)):
                self._delete(found)
                deleted += len(found)
        return deleted

    def _read(self, key: str) -> bytes:
        meter.note("object_reads")
        with translated("Reading from the bucket"):
            content: bytes = client("s3").get_object(self._name, key)
        return content

    def _delete(self, object_keys: list[str]) -> None:
        if not object_keys:
            return
        with translated("Deleting artefacts"):
            codes: list[str] = client("s3").delete_objects(self._name, object_keys)
        if codes:
            raise TransientError(f"{len(codes)} artefacts could not be deleted: {', '.join(sorted(set(codes)))}.")
