/** Events, as openapi.yaml has them (JobEvent): putting them in order, and applying them to jobs. Knows no network. */

const ENDS = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);
const OF_THE_JOB = ["status", "progress", "attempt", "seq"];

export function isEnd(status) {
  return ENDS.has(status);
}

/** Makes, of events of one job that come late, twice, out of order or not at all, each of them once and in order. */
export class InOrder {
  #early = new Map();

  /** @param after the number of the last event that is known */
  constructor(after) {
    this.last = after;
  }

  /** Whether something has come whose predecessors have not. */
  get hasGap() {
    return this.#early.size > 0;
  }

  /** Take events that were pushed, and give out those whose turn it is. */
  pushed(events) {
    for (const event of events) {
      if (event.data.seq > this.last) this.#early.set(event.data.seq, event);
    }
    return this.#due();
  }

  /** Take what the log has after the last event: a number that it leaves out is lost, and not waited for. */
  read(events) {
    const given = [];
    for (const event of events) {
      if (event.data.seq > this.last) {
        given.push(event);
        this.last = event.data.seq;
      }
    }
    for (const seq of [...this.#early.keys()]) {
      if (seq <= this.last) this.#early.delete(seq);
    }
    return given.concat(this.#due());
  }

  #due() {
    const given = [];
    for (let event; (event = this.#early.get(this.last + 1)); ) {
      this.#early.delete(event.data.seq);
      given.push(event);
      this.last = event.data.seq;
    }
    return given;
  }
}

/** Return a job as it stands after an event, as far as events tell. A job is never changed in place. */
export function applied(job, event) {
  const { error: _over, ...kept } = job;
  const told = Object.fromEntries(OF_THE_JOB.map((name) => [name, event.data[name]]));
  const error = event.data.error ? { error: event.data.error } : {};
  const timeline = merged(job.timeline ?? [], event.data.stages);
  return { ...kept, ...told, ...error, timeline, updatedAt: event.time };
}

function merged(known, changed) {
  const stages = new Map([...known, ...changed].map((entry) => [entry.stage, entry]));
  // As the API sorts them: by when they began.
  const place = (entry) => `${entry.startedAt ?? "~"} ${entry.stage}`;
  return [...stages.values()].sort((one, other) => (place(one) < place(other) ? -1 : 1));
}
