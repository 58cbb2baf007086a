"""Darkroom's client: `from darkroom import Client`.

    with Client.from_profile() as client:
        job = client.submit(client.upload("photo.jpg"))
        for state in client.watch(job.job_id):
            print(state.status, state.progress)
        print(client.result(job.job_id)["summary"])

Speaks HTTP only; boto3 is needed, and imported, by nothing but the operators' commands (`darkroom dlq`).
`darkroom.errors` draws the tree of its exceptions.
"""

from darkroom.client import Client
from darkroom.errors import (
    AnswerRefusedError,
    AwsError,
    AwsFailureError,
    AwsSetupError,
    AwsUnreachableError,
    BadRequestError,
    ConflictError,
    ConnectionLostError,
    DarkroomError,
    EventsMissingError,
    ForbiddenError,
    InvalidArgumentError,
    LetterNotFoundError,
    LocalFileError,
    NotFoundError,
    NotSignedInError,
    ProblemError,
    ProfileError,
    ServerError,
    SignInError,
    SignInRefusedError,
    StorageError,
    TooLargeError,
    TooManyRequestsError,
    UnexpectedAnswerError,
)
from darkroom.events import JobEvent
from darkroom.machine import MachineSession
from darkroom.models import (
    ArtefactName,
    Job,
    JobAccepted,
    JobError,
    JobStatus,
    JobSummary,
    SimilarJob,
    SimilarJobs,
    StageEntry,
    StageStatus,
)
from darkroom.problem import Problem
from darkroom.profile import Profile
from darkroom.retrying import RetryPolicy
from darkroom.surroundings import VERSION

__version__ = VERSION

__all__ = [
    "AnswerRefusedError",
    "ArtefactName",
    "AwsError",
    "AwsFailureError",
    "AwsSetupError",
    "AwsUnreachableError",
    "BadRequestError",
    "Client",
    "ConflictError",
    "ConnectionLostError",
    "DarkroomError",
    "EventsMissingError",
    "ForbiddenError",
    "InvalidArgumentError",
    "Job",
    "JobAccepted",
    "JobError",
    "JobEvent",
    "JobStatus",
    "JobSummary",
    "LetterNotFoundError",
    "LocalFileError",
    "MachineSession",
    "NotFoundError",
    "NotSignedInError",
    "Problem",
    "ProblemError",
    "Profile",
    "ProfileError",
    "RetryPolicy",
    "ServerError",
    "SignInError",
    "SignInRefusedError",
    "SimilarJob",
    "SimilarJobs",
    "StageEntry",
    "StageStatus",
    "StorageError",
    "TooLargeError",
    "TooManyRequestsError",
    "UnexpectedAnswerError",
    "__version__",
]
