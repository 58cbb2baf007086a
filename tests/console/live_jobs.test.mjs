// The jobs that a page knows: every event told once, also those that come after a job is known to be over.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveJobs } from "../../console/live_jobs.js";

const END = 5;
const event = (seq) => ({
  type: "darkroom.job.progressed",
  time: "2026-11-24T12:00:00.000Z",
  data: { jobId: "job-1", seq, status: seq === END ? "SUCCEEDED" : "RUNNING", progress: seq, attempt: 1, stages: [] },
});
const LOG = Array.from({ length: END }, (_, place) => event(place + 1));

/** An API whose log of events shows what a job's record has had for `lag` seconds; time passes by being slept. */
class Surroundings {
  constructor({ lag }) {
    this.seconds = 0;
    this.told = [];
    globalThis.document = new EventTarget();
    document.addEventListener("darkroom:event", ({ detail }) => this.told.push(detail.data.seq));
    const time = {
      now: () => this.seconds,
      sleep: async (seconds) => {
        this.seconds += seconds;
        await new Promise(setImmediate);
      },
    };
    const feed = { isLive: false, isComing: false, get: async () => [], turn: () => {}, close: () => this.end() };
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
    const api = {
      events: async (_jobId, seq) => LOG.slice(seq, this.seconds < lag ? 2 : END),
      job: async () => ({ jobId: "job-1", seq: END, status: "SUCCEEDED", progress: END, timeline: [] }),
    };
    this.jobs = new LiveJobs(api, { feed: () => feed, subscribe: () => {}, close: () => {} }, time);
    this.jobs.put({ jobId: "job-1", seq: 0, status: "QUEUED", progress: 0, createdAt: "2026-11-24T12:00:00Z" });
  }
}

test("a job is shown as over at once, and the events that lag behind are told all the same", async () => {
  const around = new Surroundings({ lag: 60 });
  const stop = around.jobs.follow("job-1");
  // As a list does, which follows only what is not over.
  around.jobs.subscribe(() => {
    if (around.jobs.get("job-1").status === "SUCCEEDED") stop();
  });
  await around.ended;
  assert.deepEqual(around.told, [1, 2, 3, 4, 5]);
  assert.equal(around.jobs.get("job-1").status, "SUCCEEDED");
});

test("events that never come are not waited for for ever", async () => {
  const around = new Surroundings({ lag: Infinity });
  around.jobs.follow("job-1");
  await around.ended;
  assert.deepEqual(around.told, [1, 2]);
  assert.equal(around.jobs.get("job-1").seq, END);
});

test("a job that is not over is left as soon as nobody looks at it", async () => {
  const around = new Surroundings({ lag: Infinity });
  const stop = around.jobs.follow("job-1");
  stop();
  await around.ended;
  assert.deepEqual(around.told, []);
});
