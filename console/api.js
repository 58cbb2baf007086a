/** The calls of openapi.yaml. Repeats what may work the next time: every call of Darkroom is harmless to repeat. */
import { clock } from "./clock.js";
import { ApiError, UnreachableError } from "./problems.js";

const TRIES = 4;
const FIRST_PAUSE_SECONDS = 0.3;
const LONGEST_PAUSE_SECONDS = 8;
/** A Retry-After beyond this is not waited for: the person is told instead. */
const PATIENCE_SECONDS = 20;
/** An answer that is held may take this much longer than it was asked to be held for. */
const ANSWER_SECONDS = 30;
const EVENTS_PAGE = 200;

export class Api {
  constructor({ path, session, fetcher = (...asked) => fetch(...asked), time = clock }) {
    this.path = path;
    this.session = session;
    this.fetcher = fetcher;
    this.time = time;
  }

  createUpload(contentType) {
    return this.#json("POST", "/uploads", { body: { contentType } });
  }

  createTicket() {
    return this.#json("POST", "/tickets", { tries: 1 });
  }

  submit(jobId, submission) {
    return this.#json("PUT", jobPath(jobId), { body: submission });
  }

  job(jobId, { owner, signal } = {}) {
    return this.#json("GET", jobPath(jobId), { query: { owner }, signal });
  }

  jobs({ status, limit, cursor, signal }) {
    return this.#json("GET", "/jobs", { query: { status, limit, cursor }, signal });
  }

  /** All events of a job after a number; the answer is held for up to `wait` seconds while there are none. */
  async events(jobId, afterSeq, { wait = 0, owner, signal } = {}) {
    const events = [];
    for (;;) {
      const after = events.length ? events.at(-1).data.seq : afterSeq;
      const page = await this.#json("GET", `${jobPath(jobId)}/events`, {
        query: { afterSeq: after, limit: EVENTS_PAGE, owner },
        headers: wait && !events.length ? { Prefer: `wait=${wait}` } : {},
        seconds: ANSWER_SECONDS + wait,
        signal,
      });
      events.push(...page.events);
      if (page.events.length < EVENTS_PAGE) return events;
    }
  }

  cancel(jobId, { owner } = {}) {
    return this.#json("POST", `${jobPath(jobId)}/cancel`, { query: { owner } });
  }

  redrive(jobId, attempt, { owner } = {}) {
    return this.#json("POST", `${jobPath(jobId)}/redrive`, { query: { attempt, owner } });
  }

  remove(jobId) {
    return this.#json("DELETE", jobPath(jobId));
  }

  report(jobId, { signal } = {}) {
    return this.#json("GET", `${jobPath(jobId)}/result`, { signal });
  }

  /** Where one of a job's pictures is, for some minutes: `{url}`. */
  picture(jobId, artefact, { signal } = {}) {
    return this.#json("GET", `${jobPath(jobId)}/result`, { query: { artefact, redirect: "false" }, signal });
  }

  similar(jobId, { signal } = {}) {
    return this.#json("GET", `${jobPath(jobId)}/similar`, { query: { limit: 12 }, signal });
  }

  operations({ signal } = {}) {
    return this.#json("GET", "/operations", { signal });
  }

  deadLetters({ signal } = {}) {
    return this.#json("GET", "/operations/dead-letters", { signal });
  }

  redriveLetters(body) {
    return this.#json("POST", "/operations/dead-letters/redrive", { body });
  }

  async #json(method, path, { query = {}, body, headers = {}, tries = TRIES, seconds = ANSWER_SECONDS, signal } = {}) {
    const url = `${this.path}${path}${queryOf(query)}`;
    const init = { method, headers: { ...headers }, cache: "no-store" };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.#answer(url, init, seconds, signal);
      } catch (error) {
        const passes = error instanceof UnreachableError || (error instanceof ApiError && error.isPassing);
        if (!passes || tried >= tries || signal?.aborted || (error.retryAfter ?? 0) > PATIENCE_SECONDS) throw error;
        const backoff = Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (tried - 1));
        await this.time.sleep((error.retryAfter ?? 0) + this.time.jitter(backoff), signal);
      }
    }
  }

  async #answer(url, init, seconds, signal) {
    let token = await this.session.token();
    for (let renewals = 0; ; renewals += 1) {
      const response = await this.#fetch(url, token, init, seconds, signal);
      if (response.status !== 401 || renewals === 2) return read(response);
      token = await this.session.renewed(token);
    }
  }

  async #fetch(url, token, init, seconds, signal) {
    const timeout = AbortSignal.timeout(seconds * 1000);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await this.fetcher(url, { ...init, headers: { ...init.headers, Authorization: token }, signal: either });
    } catch {
      throw new UnreachableError();
    }
  }
}

async function read(response) {
  const document = await response.json().catch(() => null);
  if (response.ok) return document;
  const seconds = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  throw new ApiError(response.status, document, Number.isFinite(seconds) ? seconds : null);
}

function jobPath(jobId) {
  return `/jobs/${encodeURIComponent(jobId)}`;
}

function queryOf(members) {
  const given = Object.entries(members).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
