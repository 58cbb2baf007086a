"""A Darkroom in memory that behaves: jobs go their way as its clock goes on, tokens expire, storage checks its policy.

Nothing sleeps: waiting, the client's as well as the server's, moves the clock.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from darkroom import Profile
from darkroom.surroundings import Surroundings

API = "https://api.test/v1"
AUTH = "https://auth.test"
STORAGE = "https://storage.test/images"
TOKEN_SECONDS = 3600
MAX_BYTES = 1000
SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # noqa: S105 - of nobody
CODE = "492039"
"""What an app shows that was given the secret; the pool takes no other."""
STAGES = ("inspect", "palette", "report")
REPORT = {
    "schemaVersion": 1,
    "image": {"format": "JPEG", "width": 40, "height": 30, "bytes": 1234, "exif": {"make": "Brownie"}},
    "analyses": {
        "palette": {"colours": [{"hex": "#aa3311", "rgb": [170, 51, 17], "share": 0.75}]},
        "quality": {"sharpness": {"score": 80, "value": 0.5, "verdict": "sharp", "advice": "Crisp edges."}},
        "fingerprint": {"pHash": "f00d", "dHash": "beef"},
        "codes": {"codes": [{"format": "QRCode", "text": "hello", "position": []}], "found": 1},
    },
    "summary": "A JPEG of 40 x 30 pixels.",
}

Answer = httpx.Response | Exception


@dataclass
class FakeJob:
    """A job whose state is a function of the time since it was submitted."""

    job_id: str
    body: dict[str, Any]
    submitted_at: float
    row_after: float = 0.0
    stage_seconds: float = 1.0
    end: str = "SUCCEEDED"
    cancelled_at: float | None = None
    redriven_at: float | None = None
    attempt: int = 1
    redrive_can_help: bool | None = None
    error_class: str = "InvalidImage"

    def age(self, now: float) -> float:
        began = self.submitted_at + self.row_after if self.redriven_at is None else self.redriven_at
        return now - began

    def status(self, now: float) -> str:
        if self.cancelled_at is not None:
            return "CANCELLED" if now - self.cancelled_at >= self.stage_seconds else "CANCELLING"
        done = self.stages_done(now)
        if done >= len(STAGES):
            return self.end
        return "RUNNING" if self.age(now) >= self.stage_seconds / 2 else "QUEUED"

    def stages_done(self, now: float) -> int:
        return min(len(STAGES), max(0, int(self.age(now) / self.stage_seconds)))

    def document(self, now: float) -> dict[str, Any]:
        status, done = self.status(now), self.stages_done(now)
        document = {
            "jobId": self.job_id,
            "status": status,
            "progress": 100 * done // len(STAGES),
            "attempt": self.attempt,
            "imageId": self.body["imageId"],
            "createdAt": moment(self.submitted_at),
            "updatedAt": moment(self.submitted_at + done),
            "tags": self.body.get("tags", {}),
            "links": links(self.job_id),
            "analyses": self.body.get("analyses", ["palette"]),
            "options": self.body.get("options", {}),
            "execution": f"{self.job_id}-0-a1",
            "timeline": [self.stage(index, done, status) for index in range(len(STAGES))],
        }
        if status in {"SUCCEEDED", "FAILED", "CANCELLED"}:
            document["finishedAt"] = moment(self.submitted_at + done)
        if status == "FAILED":
            document["error"] = {"class": self.error_class, "message": "This is no image.", "stage": "inspect"}
            if self.redrive_can_help is not None:
                document["error"]["redriveCanHelp"] = self.redrive_can_help
        if seconds := self.body.get("options", {}).get("deadlineSeconds"):
            document["deadlineAt"] = moment(self.submitted_at + seconds)
        return document

    def changes(self, now: float) -> list[float]:
        """When the job has changed, until now."""
        began, step = self.submitted_at + self.row_after, self.stage_seconds
        moments = [began, began + step / 2, *(began + step * done for done in range(1, len(STAGES) + 1))]
        return [moment for moment in moments if moment <= now]

    def stage(self, index: int, done: int, status: str) -> dict[str, Any]:
        running = index == done and status == "RUNNING"
        entry: dict[str, Any] = {
            "stage": STAGES[index],
            "status": "DONE" if index < done else "RUNNING" if running else "PENDING",
            "progress": 100 if index < done else 0,
            "tries": 1 if index < done or running else 0,
        }
        if index < done:
            entry["startedAt"] = moment(self.submitted_at + index)
            entry["finishedAt"] = moment(self.submitted_at + index + 1)
        return entry


@dataclass
class FakeDarkroom:
    """The API, the user pool and the image store, behind one transport."""

    now: float = field(default_factory=lambda: 1_700_000_000.0)
    passwords: dict[str, str] = field(default_factory=lambda: {"ada": "right"})
    temporary: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)
    """What the authenticator app of a user shows, of those who have one."""
    needs_code: bool = False
    """Whether nobody gets in without an authenticator app."""
    second_factor: bool = True
    """Whether there can be one."""
    row_after: float = 0.0
    stage_seconds: float = 1.0
    retry_after: str = "1"
    page_size: int = 2
    counts_events: bool = False
    lost_events: frozenset[int] = frozenset()
    end_of: Callable[[dict[str, Any]], str] = lambda body: "SUCCEEDED"
    report: dict[str, Any] = field(default_factory=lambda: REPORT)
    artefact: bytes = b"picture"
    error_class: str = "InvalidImage"
    """Of jobs that fail."""
    pictures: dict[str, int] = field(default_factory=dict)
    """Fingerprints of images, of 64 bits; one that is not here has none."""

    def __post_init__(self) -> None:
        self.jobs: dict[str, FakeJob] = {}
        self.images: dict[str, bytes] = {}
        self.tokens: dict[str, float] = {}
        self.refresh_tokens: set[str] = set()
        self.sessions: dict[str, tuple[str, str]] = {}
        """What was asked for in it, and of whom."""
        self.verified: set[str] = set()
        """Whose app has shown a code of the secret."""
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self.faults: list[tuple[str, Answer]] = []
        self.on_request: Callable[[httpx.Request], None] = lambda request: None
        self._lock = threading.RLock()
        self._issued = 0

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            transport=httpx.MockTransport(self.handle), sleep=self.sleep, now=lambda: self.now, jitter=lambda top: top
        )

    def profile(self, **changes: Any) -> Profile:
        return Profile(**{"api_url": API, "auth_url": AUTH, "client_id": "client-1", **changes})

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds
        time.sleep(0)  # lets other threads have their turn

    def fail(self, where: str, *answers: Answer) -> None:
        """Answer the next requests to a path that `where` matches with these instead."""
        self.faults += [(where, answer) for answer in answers]

    def sent(self, where: str) -> list[httpx.Request]:
        return [request for request in self.requests if re.search(where, f"{request.method} {request.url}")]

    def issue(self) -> str:
        """Make a token that is good for an hour."""
        self._issued += 1
        claims = base64.urlsafe_b64encode(json.dumps({"exp": self.now + TOKEN_SECONDS, "n": self._issued}).encode())
        token = f"e30.{claims.decode().rstrip('=')}.signature"
        self.tokens[token] = self.now + TOKEN_SECONDS
        return token

    def handle(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.on_request(request)
        with self._lock:
            self.requests.append(request)
            answer = self._fault(request) or self._route(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _fault(self, request: httpx.Request) -> Answer | None:
        for index, (where, answer) in enumerate(self.faults):
            if re.search(where, f"{request.method} {request.url}"):
                del self.faults[index]
                return answer
        return None

    def _route(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.test":
            return self._sign_in(request)
        if request.url.host == "storage.test":
            return self._store(request)
        if self.tokens.get(request.headers.get("Authorization", ""), 0) <= self.now:
            return problem(401, "Unauthorized")
        path = request.url.path.removeprefix("/v1")
        if path in {"/uploads", "/tickets"}:
            return self._upload() if path == "/uploads" else problem(404, "There is nothing at this address.")
        if path == "/jobs":
            return self._list(request)
        job_id, _, what = path.removeprefix("/jobs/").partition("/")
        calls = {
            "": self._job,
            "cancel": self._cancel,
            "redrive": self._redrive,
            "result": self._result,
            "events": self._events,
            "similar": self._similar,
        }
        return calls[what](request, job_id)

    def _sign_in(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
        action = request.headers["X-Amz-Target"].removeprefix("AWSCognitoIdentityProviderService.")
        body = json.loads(request.content)
        if action in self._of_apps:
            assert "ClientId" not in body
            return self._of_apps[action](body)
        assert body["ClientId"] == "client-1"
        if action == "RevokeToken":
            self.refresh_tokens.discard(body["Token"])
            return httpx.Response(200, json={})
        if action == "RespondToAuthChallenge":
            return self._answered(body["ChallengeName"], body["Session"], body["ChallengeResponses"])
        return self._initiated(body["AuthFlow"], body["AuthParameters"])

    def _initiated(self, flow: str, given: dict[str, str]) -> httpx.Response:
        if flow == "REFRESH_TOKEN_AUTH":
            known = given["REFRESH_TOKEN"] in self.refresh_tokens
            return self._tokens(refresh=None) if known else refusal("NotAuthorizedException", "Invalid Refresh Token")
        if self.passwords.get(given["USERNAME"]) != given["PASSWORD"]:
            return refusal("NotAuthorizedException", "Incorrect username or password.")
        if given["USERNAME"] in self.temporary:
            return self._asks("NEW_PASSWORD_REQUIRED", given["USERNAME"])
        return self._let_in(given["USERNAME"])

    def _asks(self, challenge: str, username: str) -> httpx.Response:
        """Ask for something; each session is good until it is answered well."""
        session = f"session-{len(self.requests)}"
        self.sessions[session] = (challenge, username)
        # The pool knows a user by an id, and wants the answer under it.
        parameters = {"USER_ID_FOR_SRP": f"id-of-{username}"}
        answer = {"ChallengeName": challenge, "Session": session, "ChallengeParameters": parameters}
        return httpx.Response(200, json=answer)

    def _let_in(self, username: str) -> httpx.Response:
        if username in self.codes:
            return self._asks("SOFTWARE_TOKEN_MFA", username)
        if self.needs_code:
            return self._asks("MFA_SETUP", username)
        return self._tokens(refresh=f"refresh-{username}")

    def _answered(self, challenge: str, session: str, given: dict[str, str]) -> httpx.Response:
        if self.sessions.get(session, ("", ""))[0] != challenge:
            return refusal("NotAuthorizedException", "Invalid session for the user, session is expired.")
        username = self.sessions[session][1]
        assert given["USERNAME"] == f"id-of-{username}"
        if challenge == "SOFTWARE_TOKEN_MFA" and given["SOFTWARE_TOKEN_MFA_CODE"] != self.codes[username]:
            return refusal("CodeMismatchException", "Invalid code received for user")
        if challenge == "NEW_PASSWORD_REQUIRED":
            if len(given["NEW_PASSWORD"]) < 8:
                return refusal("InvalidPasswordException", "Password not long enough")
            self.passwords[username] = given["NEW_PASSWORD"]
            self.temporary.discard(username)
        del self.sessions[session]
        if challenge == "NEW_PASSWORD_REQUIRED":
            return self._let_in(username)
        return self._tokens(refresh=f"refresh-{username}")

    @property
    def _of_apps(self) -> dict[str, Callable[[dict[str, Any]], httpx.Response]]:
        return {
            "AssociateSoftwareToken": self._associate,
            "VerifySoftwareToken": self._verify,
            "SetUserMFAPreference": self._prefer,
            "GetUser": self._user,
        }

    def _user(self, body: dict[str, Any]) -> httpx.Response:
        if not self._is_known(body):
            return refusal("NotAuthorizedException", "Access Token has been revoked")
        user = {
            "Username": "id-of-ada",
            "UserAttributes": [{"Name": "sub", "Value": "1"}, {"Name": "email", "Value": "ada@darkroom.test"}],
            **({"UserMFASettingList": ["SOFTWARE_TOKEN_MFA"]} if "ada" in self.codes else {}),
        }
        return httpx.Response(200, json=user)

    def _is_known(self, body: dict[str, Any]) -> bool:
        return body.get("Session") in self.sessions or body.get("AccessToken") in self.tokens

    def _associate(self, body: dict[str, Any]) -> httpx.Response:
        if not self._is_known(body):
            return refusal("NotAuthorizedException", "Invalid session for the user.")
        if not self.second_factor:
            return refusal("SoftwareTokenMFANotFoundException", "Software Token MFA is not enabled for the userPool.")
        return httpx.Response(200, json={"SecretCode": SECRET, **self._handed_on(body)})

    def _verify(self, body: dict[str, Any]) -> httpx.Response:
        if not self._is_known(body):
            return refusal("NotAuthorizedException", "Invalid session for the user.")
        if body["UserCode"] != CODE:
            return refusal("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
        self.verified.add(self.sessions.get(body.get("Session", ""), ("", "ada"))[1])
        return httpx.Response(200, json={"Status": "SUCCESS", **self._handed_on(body)})

    def _handed_on(self, body: dict[str, Any]) -> dict[str, str]:
        """A session is good once, and goes on as another."""
        if "Session" not in body:
            return {}
        session = f"{body['Session']}+"
        self.sessions[session] = self.sessions.pop(body["Session"])
        return {"Session": session}

    def _prefer(self, body: dict[str, Any]) -> httpx.Response:
        if not self._is_known(body):
            return refusal("NotAuthorizedException", "Access Token has expired")
        wanted = body["SoftwareTokenMfaSettings"]["Enabled"]
        assert not wanted or "ada" in self.verified
        self.codes = {"ada": CODE} if wanted else {}
        return httpx.Response(200, json={})

    def _tokens(self, refresh: str | None) -> httpx.Response:
        result = {"AccessToken": self.issue(), "IdToken": "identity", "ExpiresIn": TOKEN_SECONDS}
        if refresh:
            self.refresh_tokens.add(refresh)
            result["RefreshToken"] = refresh
        return httpx.Response(200, json={"AuthenticationResult": result, "ChallengeParameters": {}})

    def _store(self, request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        if request.method == "GET":
            return httpx.Response(200, content=self.artefact + f" {request.url.path}".encode())
        found = re.search(rb'name="key"\r\n\r\n(.+?)\r\n.*name="file".*?\r\n\r\n(.*)\r\n--', request.content, re.DOTALL)
        assert found
        self.images[found[1].decode()] = found[2]
        return httpx.Response(204)

    def _upload(self) -> httpx.Response:
        image_id = f"image-{len(self.sent('/uploads'))}"
        place = {"imageId": image_id, "url": STORAGE, "fields": {"key": image_id}, "maxBytes": MAX_BYTES}
        return httpx.Response(201, json={**place, "expiresAt": moment(self.now + 900)})

    def _list(self, request: httpx.Request) -> httpx.Response:
        wanted = request.url.params.get("status")
        rows = [job.document(self.now) for job in reversed(self.jobs.values())]
        rows = [row for row in rows if wanted in {None, row["status"]}]
        start = int(request.url.params.get("cursor", "0"))
        end = start + min(self.page_size, int(request.url.params.get("limit", "50")))
        page: dict[str, Any] = {"jobs": rows[start:end]}
        if end < len(rows):
            page["nextCursor"] = str(end)
        return httpx.Response(200, json=page)

    def _job(self, request: httpx.Request, job_id: str) -> httpx.Response:
        if request.method == "PUT":
            return self._put(job_id, json.loads(request.content))
        job = self._row(job_id)
        if job is None:
            return problem(404, "None of your jobs has this id.", {"Retry-After": self.retry_after})
        if request.method == "DELETE":
            if job.status(self.now) not in {"SUCCEEDED", "FAILED", "CANCELLED"}:
                return problem(409, "The job is RUNNING: cancel it.")
            del self.jobs[job_id]
            return httpx.Response(204)
        held_until = self.now + int(request.headers.get("Prefer", "wait=0").removeprefix("wait="))
        while self._etag(job) == request.headers.get("If-None-Match"):
            if self.now >= held_until:
                return httpx.Response(304, headers={"ETag": self._etag(job)})
            self.now += 0.5
        document = job.document(self.now)
        if self.counts_events:
            document["seq"] = len(job.changes(self.now))
        return httpx.Response(200, json=document, headers={"ETag": self._etag(job)})

    def _events(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self._row(job_id)
        if job is None or not self.counts_events:
            return problem(404, "None of your jobs has this id.", {"Retry-After": self.retry_after})
        known = int(request.url.params["afterSeq"])
        held_until = self.now + int(request.headers.get("Prefer", "wait=0").removeprefix("wait="))
        while True:
            events = [
                event_document(seq, job.document(moment))
                for seq, moment in enumerate(job.changes(self.now), 1)
                if seq > known and seq not in self.lost_events
            ]
            if events or self.now >= held_until:
                return httpx.Response(200, json={"events": events})
            self.now += 0.5

    def _put(self, job_id: str, body: dict[str, Any]) -> httpx.Response:
        if "sharpnes" in body.get("analyses", []):
            errors = [{"field": "analyses[0]", "rule": "is no known analysis"}]
            return problem(400, "The submission breaks a rule.", errors=errors)
        job = FakeJob(job_id, body, self.now, self.row_after, self.stage_seconds, self.end_of(body))
        job.error_class = self.error_class
        self.jobs.setdefault(job_id, job)
        return httpx.Response(202, json={"jobId": job_id, "status": "QUEUED", "links": links(job_id)})

    def _cancel(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self._row(job_id)
        if job is None:
            return problem(404, "None of your jobs has this id.", {"Retry-After": self.retry_after})
        if job.status(self.now) in {"SUCCEEDED", "FAILED"}:
            return problem(409, "The job has already ended.")
        job.cancelled_at = job.cancelled_at or self.now
        return httpx.Response(202, json={"jobId": job_id, "status": job.status(self.now), "links": links(job_id)})

    def _redrive(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self._row(job_id)
        if job is None:
            return problem(404, "None of your jobs has this id.")
        failed = int(request.url.params.get("attempt", job.attempt))
        if job.attempt == failed and job.status(self.now) == "FAILED":
            job.redriven_at, job.attempt, job.end = self.now, job.attempt + 1, "SUCCEEDED"
        elif job.attempt == failed and (job.status(self.now) != "QUEUED" or job.attempt == 1):
            return problem(409, "The job has not failed.")
        return httpx.Response(202, json={"jobId": job_id, "status": job.status(self.now), "links": links(job_id)})

    def _result(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self._row(job_id)
        if job is None:
            return problem(404, "None of your jobs has this id.")
        if job.status(self.now) != "SUCCEEDED":
            return problem(409, "The job has not succeeded.")
        if artefact := request.url.params.get("artefact"):
            return httpx.Response(303, headers={"Location": f"{STORAGE}/{job_id}/{artefact}.jpg?signature=secret"})
        return httpx.Response(200, json={"jobId": job_id, **self.report})

    def _similar(self, request: httpx.Request, job_id: str) -> httpx.Response:
        job = self._row(job_id)
        if job is None:
            return problem(404, "None of your jobs has this id.")
        mark = self._mark(job)
        if mark is None:
            return problem(409, "The job has no fingerprint.")
        most, limit = (int(request.url.params.get(name, usual)) for name, usual in (("maxDistance", 10), ("limit", 50)))
        marks = {other.job_id: self._mark(other) for other in self.jobs.values() if other is not job}
        bits = {other: (mark ^ theirs).bit_count() for other, theirs in marks.items() if theirs is not None}
        near = sorted((distance, other) for other, distance in bits.items() if distance <= most)
        documents = [
            {
                "distance": distance,
                "differenceDistance": 2 * distance,
                "confirmed": 2 * distance <= 10,
                "job": self.jobs[other].document(self.now),
            }
            for distance, other in near
        ]
        found = {"jobId": job_id, "maxDistance": most, "similar": documents[:limit], "more": len(near) > limit}
        return httpx.Response(200, json=found)

    def _mark(self, job: FakeJob) -> int | None:
        return self.pictures.get(job.body["imageId"]) if job.status(self.now) == "SUCCEEDED" else None

    def _row(self, job_id: str) -> FakeJob | None:
        job = self.jobs.get(job_id)
        return job if job and job.age(self.now) >= 0 else None

    def _etag(self, job: FakeJob) -> str:
        return f'"{job.status(self.now)}-{job.stages_done(self.now)}"'


def event_document(seq: int, job: dict[str, Any]) -> dict[str, Any]:
    """Tell of a change after which a job stands so."""
    data = {name: job[name] for name in ("jobId", "status", "progress", "attempt")}
    stages = [entry for entry in job["timeline"] if entry["status"] != "PENDING"]
    return {
        "specversion": "1.0",
        "id": f"{job['jobId']}-{seq}",
        "type": f"darkroom.job.{job['status'].lower()}",
        "time": job["updatedAt"],
        "data": {**data, "seq": seq, "stages": stages},
    }


def problem(
    status: int, detail: str, headers: dict[str, str] | None = None, errors: list[dict[str, str]] | None = None
) -> httpx.Response:
    document = {"type": f"/problems/{status}", "title": "Refused", "status": status, "detail": detail}
    if errors:
        document["errors"] = errors
    media_type = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(document), headers={**media_type, **(headers or {})})


def refusal(name: str, message: str) -> httpx.Response:
    return httpx.Response(400, json={"__type": name, "message": message})


def links(job_id: str) -> dict[str, str]:
    return {"self": f"/jobs/{job_id}"} | {what: f"/jobs/{job_id}/{what}" for what in ("cancel", "redrive", "result")}


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
