"""Watching a job until its end by asking again and again, with the API holding each answer until there is news."""

from collections.abc import Callable, Iterator

from darkroom.errors import NotFoundError
from darkroom.models import Job
from darkroom.surroundings import Surroundings

HOLD_SECONDS = 20
"""As long as the API holds an answer."""
SHORTEST_ROUND_SECONDS = 0.25
IDLE_ROUND_SECONDS = 1.0
"""A round that brought no news takes at least this long, whether or not the API has held its answer."""


def watch(
    job_id: str,
    *,
    look: Callable[[str, int, str | None], Job | None],
    still_queued: Callable[[str], Job | None],
    surroundings: Surroundings,
) -> Iterator[Job]:
    """Yield the job as it is, then whenever it has changed, until its end.

    `look` asks with a wait and an etag, and answers None when nothing has changed. While it finds no record,
    `still_queued` says whether that may be because the job is in the queue.
    """
    known: Job | None = None
    while True:
        began = surroundings.now()
        etag = known.etag if known else None
        least = IDLE_ROUND_SECONDS
        try:
            job = look(job_id, HOLD_SECONDS if etag else 0, etag)
        except NotFoundError as error:
            job = None if etag else still_queued(job_id)
            if job is None:
                raise
            least = max(least, error.retry_after or 0)
        if job is not None:
            if job != known:
                yield job
                least = least if job.etag is None else SHORTEST_ROUND_SECONDS
            known = job
            if job.status.is_end:
                return
        surroundings.sleep(max(0.0, least - (surroundings.now() - began)))
