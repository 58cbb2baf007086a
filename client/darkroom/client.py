"""The Python client: one method for each thing that the API does. Holds no state that matters: a job outlives it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload
from urllib.parse import urlencode

from darkroom.api import Api, json_of
from darkroom.documents import Members
from darkroom.errors import EventsMissingError, LocalFileError, NotFoundError, ServerError, UnexpectedAnswerError
from darkroom.events import InOrder, JobEvent
from darkroom.following import Feed, NoFeed, follow
from darkroom.job_ids import checked, made_at, new_job_id
from darkroom.media_types import media_type
from darkroom.models import (
    ArtefactName,
    Job,
    JobAccepted,
    JobPage,
    JobStatus,
    JobSummary,
    SimilarJobs,
    Upload,
    queued_job,
)
from darkroom.profile import Profile
from darkroom.push import PushLine
from darkroom.retrying import Retrier, RetryPolicy
from darkroom.session import Session, TokenSource
from darkroom.sign_in import UserPool
from darkroom.storage import Storage, check_size
from darkroom.surroundings import Surroundings
from darkroom.tokens import TokenFile
from darkroom.watching import IDLE_ROUND_SECONDS, watch

QUEUE_GRACE_SECONDS = 60.0
"""A job submitted less long ago than this may still be in the queue when the API says that it does not know it."""
LARGEST_PAGE = 200
LONGEST_WAIT_SECONDS = 20
EVENTS_PAGE = 200
EVENTS_PATIENCE_SECONDS = 120.0
"""Events follow a job within moments. The API holds back what follows a gap for a minute."""
_NOT_MODIFIED = 304


class Client:
    """Speaks to one deployment. May be shared between threads; close it, or use it in a `with`."""

    def __init__(
        self,
        profile: Profile,
        *,
        tokens: TokenSource | None = None,
        retries: RetryPolicy | None = None,
        surroundings: Surroundings | None = None,
        push: bool = True,
    ) -> None:
        """`push` False asks for news instead of having it pushed."""
        self.profile = profile
        self._surroundings = surroundings or Surroundings()
        self._http = self._surroundings.http()
        self._storage_http = self._surroundings.http()
        retrier = Retrier(surroundings=self._surroundings, policy=retries or RetryPolicy())
        self.user_pool = UserPool(profile, self._http, retrier)
        self._tokens = tokens or Session(TokenFile(profile), self.user_pool, self._surroundings)
        self._api = Api(profile.api_url, self._tokens, self._http, retrier)
        self._storage = Storage(self._storage_http, retrier)
        self._line = PushLine(self._invitation, self._surroundings.connect) if push else None
        self._submitted: dict[str, Job] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_profile(cls, name: str | None = None, *, surroundings: Surroundings | None = None) -> Self:
        """Make a client of the profile that `darkroom.profile.profile_path` finds. Raises ProfileError."""
        return cls(Profile.find(name), surroundings=surroundings)

    def check_signed_in(self) -> None:
        """Raise SignInError when there is no sign-in that can be used."""
        self._tokens.token()

    def upload(self, image: str | PathLike[str] | bytes, content_type: str | None = None) -> str:
        """Upload an image, a path or its bytes, and return the id to submit jobs with.

        The media type is guessed when not given. Raises LocalFileError, TooLargeError, StorageError and ProblemError.
        """
        if isinstance(image, bytes):
            place = self._upload_place(content_type or media_type(image))
            self._storage.put(place, image, content_type or media_type(image))
            return place.image_id
        return self._upload_file(Path(image), content_type)

    def submit(
        self,
        image_id: str,
        *,
        job_id: str | None = None,
        analyses: Sequence[str] | None = None,
        options: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> JobAccepted:
        """Submit a job; it is durable once this returns. Repeating it with the same `job_id` is harmless.

        `analyses` None means those that the API does unasked. Raises BadRequestError when a value breaks a rule of it.
        """
        chosen = self.new_job_id() if job_id is None else checked(job_id)
        asked = {
            "analyses": None if analyses is None else list(analyses),
            "options": None if options is None else dict(options),
            "tags": None if tags is None else dict(tags),
        }
        body = {"imageId": image_id, **{name: value for name, value in asked.items() if value is not None}}
        response = self._api.request("PUT", f"/jobs/{chosen}", body=body)
        accepted = JobAccepted.parse(json_of(response))
        self._remember(queued_job(chosen, self._surroundings.now(), image_id=image_id, analyses=analyses, tags=tags))
        return accepted

    def new_job_id(self) -> str:
        """Make an id for a job: a UUIDv7."""
        return new_job_id(self._surroundings.now())

    @overload
    def get(self, job_id: str, wait: int = 0, etag: None = None) -> Job: ...

    @overload
    def get(self, job_id: str, wait: int = 0, etag: str | None = None) -> Job | None: ...

    def get(self, job_id: str, wait: int = 0, etag: str | None = None) -> Job | None:
        """Look at a job; with the `etag` of a job that you know, None means that it is still the same.

        `wait` holds the answer for up to that many seconds (20 at most), until the job changes or ends.
        A job that was submitted a moment ago and is not there yet is shown as queued. Raises NotFoundError.
        """
        try:
            return self._recorded(job_id, wait, etag)
        except NotFoundError:
            if queued := self._still_queued(job_id):
                return queued
            raise

    def jobs(
        self, status: JobStatus | str | None = None, limit: int | None = None, *, owner: str | None = None
    ) -> Iterator[JobSummary]:
        """Iterate over your jobs, newest first, fetching pages as they are needed; `limit` bounds how many.

        An operator may name another `owner`; to everybody else, that one has no jobs: NotFoundError.
        """
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            page = self._page(status, None if left is None else min(left, LARGEST_PAGE), cursor, owner)
            shown = page.jobs if left is None else page.jobs[:left]
            yield from shown
            left = None if left is None else left - len(shown)
            if page.next_cursor is None:
                return
            if page.next_cursor == cursor:
                raise UnexpectedAnswerError("The list of jobs goes round in a circle; please report this.")
            cursor = page.next_cursor

    def watch(self, job_id: str) -> Iterator[Job]:
        """Iterate over the states of a job, from now until its end: the last one is the end.

        Leaving the loop leaves the job alone. Raises NotFoundError, ConnectionLostError; watching again is harmless.
        """
        return self._watched(checked(job_id))

    def events(self, job_id: str, *, after_seq: int = 0) -> Iterator[JobEvent]:
        """Iterate over what has happened to a job after the event of this number, and what happens until its end.

        Each event comes once, in order: pushed where that is possible, asked for otherwise. Raises NotFoundError,
        ConnectionLostError, EventsMissingError; going on from the last number is harmless.
        """
        return self._told(checked(job_id), after_seq, patience=EVENTS_PATIENCE_SECONDS)

    def cancel(self, job_id: str) -> JobAccepted:
        """Say that a job is no longer wanted. Cancelling twice is harmless; one still on its way is waited for.

        Raises ConflictError when it is already over, NotFoundError.
        """
        while True:
            try:
                return JobAccepted.parse(json_of(self._api.request("POST", f"/jobs/{checked(job_id)}/cancel")))
            except NotFoundError as error:
                if not self._still_queued(job_id):
                    raise
                self._surroundings.sleep(max(IDLE_ROUND_SECONDS, error.retry_after or 0))

    def redrive(self, job_id: str, *, attempt: int | None = None) -> JobAccepted:
        """Have a job that has failed worked on again, from where it failed, as a new attempt.

        `attempt` is the one that has failed, and is looked up if not given. Repeating a call that names it is harmless:
        once the job is past that attempt, nothing changes. Raises ConflictError when it has not failed, NotFoundError.
        """
        if attempt is None and (job := self.get(job_id)).status is JobStatus.FAILED:
            attempt = job.attempt
        query = {} if attempt is None else {"attempt": attempt}
        return JobAccepted.parse(json_of(self._api.request("POST", f"/jobs/{checked(job_id)}/redrive", query=query)))

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, and all that it has made. Deleting twice is harmless.

        The uploaded image stays, until it expires. Raises ConflictError when the job is not finished, NotFoundError.
        """
        self._api.request("DELETE", f"/jobs/{checked(job_id)}")

    def result(self, job_id: str) -> dict[str, Any]:
        """Fetch the report of a job that has succeeded. Raises ConflictError when it has not."""
        report = json_of(self._api.request("GET", f"/jobs/{checked(job_id)}/result"))
        if not isinstance(report, dict):
            raise UnexpectedAnswerError("The answer is no report. Does apiUrl in the profile lead to Darkroom?")
        return report

    def artefact(self, job_id: str, name: ArtefactName | str) -> bytes:
        """Fetch a picture that a job has made: `preview`, `thumbnail`, or `heat-map` where it has done `regions`."""
        path = f"/jobs/{checked(job_id)}/result"
        response = self._api.request("GET", path, query={"artefact": ArtefactName(name).value})
        if not response.has_redirect_location:
            raise UnexpectedAnswerError("The API did not say where the picture is.")
        return self._storage.get(response.headers["Location"])

    def similar(self, job_id: str, *, max_distance: int | None = None, limit: int | None = None) -> SimilarJobs:
        """Find your other jobs of the same picture: resized, recompressed or cropped a little. Nearest first.

        `max_distance` is by how many of 64 bits pHashes may differ, 0 to 20, 10 if not given; `limit` is 1 to 200, 50
        if not given. Raises ConflictError when the job has not succeeded or has no fingerprint, NotFoundError.
        """
        asked = {"maxDistance": max_distance, "limit": limit}
        query: dict[str, str | int] = {name: value for name, value in asked.items() if value is not None}
        return SimilarJobs.parse(json_of(self._api.request("GET", f"/jobs/{checked(job_id)}/similar", query=query)))

    def close(self) -> None:
        """Give up connections. Requests under way in other threads end with ConnectionLostError."""
        if self._line:
            self._line.close()
        self._http.close()
        self._storage_http.close()

    def __enter__(self) -> Self:
        """Use the client in a `with`."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it at the end of the `with`."""
        self.close()

    def _upload_place(self, content_type: str) -> Upload:
        return Upload.parse(json_of(self._api.request("POST", "/uploads", body={"contentType": content_type})))

    def _upload_file(self, path: Path, content_type: str | None) -> str:
        try:
            with path.open("rb") as file:
                chosen = content_type or media_type(file.read(16), path.name)
                place = self._upload_place(chosen)
                check_size(file.seek(0, 2), place)
                file.seek(0)
                content = file.read()
        except OSError as error:
            raise LocalFileError(f"{path} cannot be read: {error.strerror or error}.") from error
        self._storage.put(place, content, chosen)
        return place.image_id

    def _page(
        self, status: JobStatus | str | None, limit: int | None, cursor: str | None, owner: str | None
    ) -> JobPage:
        chosen = {"status": None if status is None else str(status), "limit": limit, "cursor": cursor, "owner": owner}
        query: dict[str, str | int] = {name: value for name, value in chosen.items() if value is not None}
        return JobPage.parse(json_of(self._api.request("GET", "/jobs", query=query)))

    def _watched(self, job_id: str) -> Iterator[Job]:
        for job in self._asked_for(job_id):
            yield job
            if job.seq is not None and not job.status.is_end:
                break
        else:
            return
        try:
            for event in self._told(job_id, job.seq, patience=0.0):
                job = event.applied_to(job)
                yield job
        except (EventsMissingError, NotFoundError, ServerError, UnexpectedAnswerError):
            pass  # asking for the job itself tells what is the matter, or does without events
        yield from self._asked_for(job_id)

    def _told(self, job_id: str, after_seq: int, *, patience: float) -> Iterator[JobEvent]:
        """Follow events; raise EventsMissingError when a job that is over is further than they are for so long."""
        order = InOrder(after_seq)
        behind_since: float | None = None

        def is_over(last: int) -> bool:
            nonlocal behind_since
            seq = self._seq_at_end(job_id)
            if seq is None or seq <= last:
                behind_since = None
                return seq is not None
            present = self._surroundings.now()
            behind_since = behind_since or present
            if present - behind_since >= patience:
                raise EventsMissingError(f"Job {job_id} is over, but its events after {last} are not to be had.")
            return False

        with self._feed(job_id, order) as feed:
            yield from follow(
                order,
                feed=feed,
                read=lambda seq, wait: self._logged(job_id, seq, wait),
                surroundings=self._surroundings,
                is_over=is_over,
            )

    def _seq_at_end(self, job_id: str) -> int | None:
        """Return the number of the last event of a job that is over; None when it is not, or not there yet."""
        try:
            job = self._recorded(job_id, 0, None)
        except NotFoundError:
            return None  # asking for its events says so, too, unless it is only queued
        return job.seq if job is not None and job.status.is_end else None

    def _asked_for(self, job_id: str) -> Iterator[Job]:
        return watch(job_id, look=self._recorded, still_queued=self._still_queued, surroundings=self._surroundings)

    def _feed(self, job_id: str, order: InOrder) -> AbstractContextManager[Feed]:
        return self._line.feed(job_id, lambda: order.last) if self._line else nullcontext(NoFeed())

    def _invitation(self) -> str:
        """Ask for a ticket; return the address to connect to with it."""
        ticket = Members(json_of(self._api.request("POST", "/tickets")), "Ticket")
        return f"{ticket.text('url')}?{urlencode({'ticket': ticket.text('ticket')})}"

    def _logged(self, job_id: str, seq: int, wait: int) -> list[JobEvent]:
        """Read all events of a job after a number; held back for as long as there are none, and none while queued."""
        events: list[JobEvent] = []
        while True:
            try:
                page = self._page_of_events(job_id, events[-1].seq if events else seq, 0 if events else wait)
            except NotFoundError:
                if seq or events or not self._still_queued(job_id):
                    raise
                return []
            events += page
            if len(page) < EVENTS_PAGE:
                return events

    def _page_of_events(self, job_id: str, seq: int, wait: int) -> list[JobEvent]:
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        query: dict[str, str | int] = {"afterSeq": seq, "limit": EVENTS_PAGE}
        response = self._api.request("GET", f"/jobs/{job_id}/events", query=query, headers=headers)
        return [JobEvent.parse(event) for event in Members(json_of(response), "JobEvents").list("events")]

    def _recorded(self, job_id: str, wait: int, etag: str | None) -> Job | None:
        """Look at a job's record; None when it still has that etag. Raises NotFoundError when there is none (yet)."""
        headers = {"Prefer": f"wait={min(wait, LONGEST_WAIT_SECONDS)}"} if wait > 0 else {}
        if etag is not None:
            headers["If-None-Match"] = etag
        response = self._api.request("GET", f"/jobs/{checked(job_id)}", headers=headers)
        with self._lock:
            self._submitted.pop(job_id, None)
        if response.status_code == _NOT_MODIFIED:
            return None
        return Job.parse(json_of(response), etag=response.headers.get("ETag"))

    def _remember(self, job: Job) -> None:
        """Keep what was submitted for as long as it may be in the queue."""
        with self._lock:
            recent = {
                kept.job_id: kept for kept in self._submitted.values() if self._is_recent(kept.created_at.timestamp())
            }
            self._submitted = {**recent, job.job_id: job}

    def _still_queued(self, job_id: str) -> Job | None:
        """Tell by the submission, or by the time that the id was made, whether a job may be in the queue."""
        with self._lock:
            submitted = self._submitted.get(job_id)
        since = submitted.created_at.timestamp() if submitted else made_at(job_id)
        if since is None or not self._is_recent(since):
            return None
        return submitted or queued_job(job_id, since)

    def _is_recent(self, moment: float) -> bool:
        return abs(self._surroundings.now() - moment) <= QUEUE_GRACE_SECONDS
