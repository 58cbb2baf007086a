/**
 * The jobs that this page knows, kept as they are by following their events.
 *
 * Views look at jobs here and say which ones to follow; nothing here draws. Every event is told once and in order, on
 * the document too, as `darkroom:event`, for whoever wants to listen.
 */
import { ApiError, SignInEndedError } from "./problems.js";
import { InOrder, applied, isEnd } from "./events.js";
import { Observed } from "./observed.js";
import { clock } from "./clock.js";
import { follow } from "./following.js";

/** As long as the API holds an answer. */
const HOLD_SECONDS = 20;
/** A browser has six connections to an origin where it cannot share one: held answers must leave some to the rest. */
const MOST_HELD = 2;
/** A round that brought no news takes at least this long for each job that is followed, ... */
const ROUND_SECONDS_A_JOB = 0.2;
/** ... and never less than this. */
const SHORTEST_ROUND_SECONDS = 1;
/** Events of a job that is over are waited for this long, before the job itself is taken as all there is to know. */
const PATIENCE_SECONDS = 120;
/** A job that was submitted so long ago at most may still be in the queue, without a record. */
const QUEUE_GRACE_SECONDS = 900;
/** Time for a view to begin to follow a job. */
const STRAY_SECONDS = 2;
const LONGEST_PAUSE_SECONDS = 10;

export class LiveJobs extends Observed {
  #api;
  #line;
  #time;
  #jobs = new Map();
  #histories = new Map();
  #followed = new Map();
  #trouble = 0;
  #listeners = 0;

  constructor(api, line, time = clock) {
    super();
    this.#api = api;
    this.#line = line;
    this.#time = time;
    line.subscribe(() => this.changed());
  }

  /** How news comes: `live`, pushed; `asking`, a little later; `offline`, not at all for the moment. */
  get connection() {
    if (this.#trouble > 0) return "offline";
    return this.#line.isLive || this.#line.isComing ? "live" : "asking";
  }

  /** How many jobs are followed that are not over. */
  get #active() {
    return [...this.#followed.values()].filter(({ stop }) => stop).length;
  }

  get(jobId) {
    return this.#jobs.get(jobId);
  }

  /** Events of a job that this page knows, in order. */
  history(jobId) {
    return this.#histories.get(jobId) ?? [];
  }

  /** Jobs that this page has submitted, or heard of, or listed. */
  all() {
    return [...this.#jobs.values()];
  }

  /** Take a job as the API shows it, unless more is known already. */
  put(job) {
    const known = this.#jobs.get(job.jobId);
    if (known && known.seq > job.seq) return known;
    // A list says less of a job than its own page: what it leaves out is kept.
    const kept = known && known.seq === job.seq ? { ...known, ...job } : job;
    this.#jobs.set(job.jobId, kept);
    this.changed();
    return kept;
  }

  /** Fetch a job. Throws ApiError. */
  async fetch(jobId, { owner } = {}) {
    const job = this.put(owned(await this.#api.job(jobId, { owner }), owner));
    this.#followAgain(jobId);
    return job;
  }

  /**
   * Keep a job as it is until the function that is returned is called.
   *
   * Of a job that is over by then, events that are still on their way are told all the same.
   */
  follow(jobId, { owner } = {}) {
    const followed = this.#followed.get(jobId) ?? { count: 0, stop: null, owner };
    followed.count += 1;
    this.#followed.set(jobId, followed);
    this.#followAgain(jobId);
    let isFollowed = true;
    return () => {
      if (!isFollowed) return;
      isFollowed = false;
      followed.count -= 1;
      if (followed.count > 0 || (followed.stop && isEnd(this.#jobs.get(jobId)?.status))) return;
      followed.stop?.abort();
      this.#followed.delete(jobId);
    };
  }

  /** Read the part of a job's history that was before this page looked. Throws ApiError. */
  async readHistory(jobId, { owner } = {}) {
    this.#remember(jobId, await this.#api.events(jobId, 0, { owner }));
    this.changed();
  }

  /** Hear of all of the user's jobs, also of those that something else submits; returns how to stop. */
  hearAll() {
    this.#listeners += 1;
    this.#line.hearAll((event) => this.#hearStray(event));
    return () => {
      this.#listeners -= 1;
      if (!this.#listeners) this.#line.hearAll(null);
    };
  }

  forget(jobId) {
    this.#followed.get(jobId)?.stop?.abort();
    this.#jobs.delete(jobId);
    this.#histories.delete(jobId);
    this.changed();
  }

  /** Forget everything: the user has signed out. */
  clear() {
    for (const followed of this.#followed.values()) followed.stop?.abort();
    this.#line.close();
    this.#jobs.clear();
    this.#histories.clear();
    this.#followed.clear();
    this.#listeners = 0;
    this.#trouble = 0;
    this.changed();
  }

  /** The network is said to be back. */
  hurry() {
    this.#line.hurry();
  }

  async #hearStray({ data: { jobId, seq } }) {
    const known = this.#jobs.get(jobId);
    // A view that has just been told of a job follows it in a moment, from where it is known: that tells all of it.
    if (known && !isEnd(known.status)) await this.#time.sleep(STRAY_SECONDS);
    if (this.#followed.has(jobId) || this.#jobs.get(jobId)?.seq >= seq) return;
    await this.fetch(jobId).catch(() => {}); // the next event, or the next look, tells
  }

  #followAgain(jobId) {
    const followed = this.#followed.get(jobId);
    const job = this.#jobs.get(jobId);
    if (!followed || followed.stop || !job || isEnd(job.status)) return;
    followed.stop = new AbortController();
    this.#keepFollowing(job, followed).finally(() => {
      followed.stop = null;
      if (!followed.count && this.#followed.get(jobId) === followed) this.#followed.delete(jobId);
    });
  }

  async #keepFollowing(job, followed) {
    const { jobId } = job;
    const { signal } = followed.stop;
    const order = new InOrder(job.seq);
    const feed = this.#line.feed(jobId, () => order.last);
    signal.addEventListener("abort", () => feed.turn(false));
    let failures = 0;
    try {
      while (!signal.aborted) {
        try {
          for await (const events of follow(order, this.#ways(jobId, feed, followed, signal))) {
            if (signal.aborted) return;
            failures = this.#trouble = 0;
            this.#apply(jobId, events);
          }
          // Its end says more than events do. Whoever followed it only until its end is gone by now.
          await this.#look(jobId, followed, null);
          return;
        } catch (error) {
          if (signal.aborted || error instanceof SignInEndedError) return;
          if (error instanceof ApiError && error.isMissing) return this.forget(jobId);
          failures += 1;
          this.#trouble = failures;
          this.changed();
          await this.#time.sleep(Math.min(LONGEST_PAUSE_SECONDS, 0.5 * 2 ** failures), signal);
        }
      }
    } finally {
      feed.close();
    }
  }

  #ways(jobId, feed, followed, signal) {
    let behindSince = null;
    return {
      feed,
      read: (seq, mayWait) => this.#read(jobId, seq, mayWait, followed, signal),
      pause: () => this.#round(signal),
      isOver: async (last) => {
        if (signal.aborted) return true;
        const job = await this.#look(jobId, followed, signal);
        if (job && isEnd(job.status) && job.seq <= last) return true;
        if (!job || !isEnd(job.status)) {
          behindSince = null;
          return false;
        }
        behindSince ??= this.#time.now();
        return this.#time.now() - behindSince >= PATIENCE_SECONDS;
      },
    };
  }

  /** Read the log; a job that is still in the queue has none yet. */
  async #read(jobId, seq, mayWait, { owner }, signal) {
    const wait = mayWait && this.#active <= MOST_HELD ? HOLD_SECONDS : 0;
    try {
      const events = await this.#api.events(jobId, seq, { wait, owner, signal });
      if (this.#trouble) {
        this.#trouble = 0;
        this.changed();
      }
      return events;
    } catch (error) {
      if (this.#mayBeQueued(jobId, error)) return [];
      throw error;
    }
  }

  async #look(jobId, { owner }, signal) {
    try {
      return this.put(owned(await this.#api.job(jobId, { owner, signal }), owner));
    } catch (error) {
      if (this.#mayBeQueued(jobId, error)) return null;
      throw error;
    }
  }

  #mayBeQueued(jobId, error) {
    const job = this.#jobs.get(jobId);
    const age = this.#time.now() - Date.parse(job?.createdAt ?? 0) / 1000;
    return error instanceof ApiError && error.isMissing && job?.seq === 0 && age < QUEUE_GRACE_SECONDS;
  }

  /** Begin a round; what is returned waits for its end. */
  #round(signal) {
    const ends = this.#time.now() + Math.max(SHORTEST_ROUND_SECONDS, ROUND_SECONDS_A_JOB * this.#active);
    return () => this.#time.sleep(Math.max(0, ends - this.#time.now()), signal);
  }

  #apply(jobId, events) {
    for (const event of events) {
      const job = this.#jobs.get(jobId);
      if (job && event.data.seq > job.seq) this.#jobs.set(jobId, applied(job, event));
      document.dispatchEvent(new CustomEvent("darkroom:event", { detail: event }));
    }
    this.#remember(jobId, events);
    this.changed();
  }

  #remember(jobId, events) {
    const known = new Map([...this.history(jobId), ...events].map((event) => [event.data.seq, event]));
    this.#histories.set(
      jobId,
      [...known.values()].sort((one, other) => one.data.seq - other.data.seq),
    );
  }
}

/** Somebody else's job, at which an operator looks, says so: it does not belong to the user's own list. */
function owned(job, owner) {
  return owner ? { ...job, isForeign: true } : job;
}
