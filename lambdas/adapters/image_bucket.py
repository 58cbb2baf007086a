"""The bucket of uploads and artefacts. Keys are derived from owner and ids, never taken from a request."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.adapters import keys
from lambdas.adapters.aws_errors import code_of, translated
from lambdas.adapters.clients import client
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
        presigned = client("s3").generate_presigned_post(
            Bucket=self._name,
            Key=keys.upload_key(owner, image_id),
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 0, max_bytes]],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return PresignedUpload(url=presigned["url"], fields=presigned["fields"])

    def presign_artefact(self, owner: str, job_id: str, name: str) -> str:
        """Sign a download of a picture; a browser shows it as one, whatever is stored. Calls nothing."""
        return str(
            client("s3").generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._name,
                    "Key": keys.artefact_key(owner, job_id, name),
                    "ResponseContentType": "image/jpeg",
                    "ResponseContentDisposition": f'inline; filename="{posixpath.basename(name)}"',
                },
                ExpiresIn=DOWNLOAD_SECONDS,
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
            client("s3").put_object(
                Bucket=self._name, Key=keys.artefact_key(owner, job_id, name), Body=content, ContentType=media_type
            )

    def delete_artefacts(self, owner: str, job_id: str, names: Iterable[str]) -> None:
        """Delete some artefacts of a job; those that are not there are no error."""
        self._delete([keys.artefact_key(owner, job_id, name) for name in names])

    def delete_all_artefacts(self, owner: str, job_id: str) -> int:
        """Delete everything that a job has made; return how many objects there were."""
        pages = client("s3").get_paginator("list_objects_v2")
        deleted = 0
        with translated("Listing the artefacts"):
            for page in pages.paginate(Bucket=self._name, Prefix=keys.job_prefix(owner, job_id)):
                found = [item["Key"] for item in page.get("Contents", [])]
                self._delete(found)
                deleted += len(found)
        return deleted

    def _read(self, key: str) -> bytes:
        with translated("Reading from the bucket"):
            content: bytes = client("s3").get_object(Bucket=self._name, Key=key)["Body"].read()
        return content

    def _delete(self, object_keys: list[str]) -> None:
        if not object_keys:
            return
        with translated("Deleting artefacts"):
            answer: dict[str, Any] = client("s3").delete_objects(
                Bucket=self._name, Delete={"Objects": [{"Key": key} for key in object_keys], "Quiet": True}
            )
        if answer.get("Errors"):
            codes = sorted({error["Code"] for error in answer["Errors"]})
            raise TransientError(f"{len(answer['Errors'])} artefacts could not be deleted: {', '.join(codes)}.")
