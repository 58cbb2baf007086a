// Events, each once and in order, whatever the connection does.
import assert from "node:assert/strict";
import { test } from "node:test";

import { InOrder, applied } from "../../console/events.js";
import { follow } from "../../console/following.js";

const event = (seq, status = "RUNNING", stages = []) => ({
  type: "darkroom.job.progressed",
  time: `2026-11-24T12:00:${String(seq).padStart(2, "0")}.000Z`,
  data: { jobId: "job-1", seq, status, progress: seq, attempt: 1, stages },
});
const numbers = (events) => events.map(({ data }) => data.seq);

/** A log of events, and a feed on which they come as a script says: `batches` of numbers, or `"dead"`, `"live"`. */
class Surroundings {
  constructor(end, script, { isLive = true } = {}) {
    this.log = Array.from({ length: end }, (_, place) => event(place + 1, place + 1 === end ? "SUCCEEDED" : "RUNNING"));
    this.script = [...script];
    this.reads = [];
    this.feed = {
      isLive,
      isComing: false,
      get: async () => {
        const next = this.script.shift();
        if (next === "dead" || next === "live") this.feed.isLive = next === "live";
        return Array.isArray(next) ? next.map((seq) => this.log[seq - 1]) : [];
      },
    };
  }

  ways() {
    return {
      feed: this.feed,
      read: async (seq, mayWait) => {
        this.reads.push([seq, mayWait]);
        return this.log.slice(seq);
      },
      pause: () => async () => {},
      isOver: async (last) => last >= this.log.length,
    };
  }

  async told(after = 0) {
    const told = [];
    for await (const events of follow(new InOrder(after), this.ways())) told.push(...numbers(events));
    return told;
  }
}

const upTo = (end) => Array.from({ length: end }, (_, place) => place + 1);

test("pushed events are given out as they come", async () => {
  const around = new Surroundings(5, [[1], [2, 3], [4, 5]]);
  assert.deepEqual(await around.told(), upTo(5));
  assert.deepEqual(around.reads, [[5, false]]); // whether the log goes on after the end
});

test("what comes twice or late is told once and in order", async () => {
  const around = new Surroundings(5, [[1, 1], [3, 2], [2, 4], [5]]);
  assert.deepEqual(await around.told(), upTo(5));
});

test("a gap is filled from the log at once", async () => {
  const around = new Surroundings(6, [[1], [4]]);
  assert.deepEqual(await around.told(), upTo(6));
  assert.deepEqual(around.reads[0], [1, false]);
});

test("a silence is asked about", async () => {
  assert.deepEqual(await new Surroundings(3, [[1], []]).told(), upTo(3));
});

test("without a connection the log is asked, with an answer that may be held", async () => {
  const around = new Surroundings(4, [], { isLive: false });
  assert.deepEqual(await around.told(), upTo(4));
  assert.deepEqual(around.reads[0], [0, true]);
});

test("a connection that dies in the middle loses nothing", async () => {
  for (let cut = 0; cut <= 6; cut += 1) {
    const before = upTo(cut).map((seq) => [seq]);
    assert.deepEqual(await new Surroundings(7, [...before, "dead"]).told(), upTo(7), `cut after ${cut}`);
  }
});

test("what was pushed is not lost with a log that cannot be asked", async () => {
  for (const script of [[[1], [2, 4]], [upTo(5)], [[1, 2], []]]) {
    const around = new Surroundings(5, script);
    const order = new InOrder(0);
    let fails = 1;
    const ways = around.ways();
    const read = async (seq) => {
      if (fails-- > 0) throw new TypeError("Failed to fetch");
      return around.log.slice(seq);
    };
    const told = [];
    const follows = async () => {
      for await (const events of follow(order, { ...ways, read })) told.push(...numbers(events));
    };
    await assert.rejects(follows, TypeError);
    await follows();
    assert.deepEqual(told, upTo(5), JSON.stringify(script));
  }
});

test("following begins after the last event that is known", async () => {
  assert.deepEqual(await new Surroundings(5, [[2, 3, 4], [5]]).told(2), [3, 4, 5]);
});

test("any order of any pieces is put in order, with the log behind it", () => {
  let seed = 7;
  const chance = (most) => (seed = (seed * 48271) % 2147483647) % most;
  for (let round = 0; round < 300; round += 1) {
    const log = upTo(12).map((seq) => event(seq));
    const order = new InOrder(0);
    const told = [];
    for (let step = 0; step < 10; step += 1) {
      const some = upTo(chance(4)).map(() => log[chance(12)]);
      told.push(...numbers(order.pushed(some)));
      if (chance(4) === 0) told.push(...numbers(order.read(log.slice(order.last, order.last + chance(5)))));
    }
    told.push(...numbers(order.read(log.slice(order.last))));
    assert.deepEqual(told, upTo(12));
  }
});

test("a number that the log has lost for good is not waited for", () => {
  const order = new InOrder(0);
  assert.deepEqual(numbers(order.pushed([event(1), event(3)])), [1]);
  assert.deepEqual(numbers(order.read([event(3)])), [3]);
  assert.equal(order.hasGap, false);
});

test("an event is applied to a job without changing the job that was", () => {
  const job = { jobId: "job-1", seq: 1, status: "FAILED", progress: 5, error: { class: "X" }, tags: { a: "b" }, timeline: [{ stage: "inspect", status: "RUNNING", startedAt: "1" }] };
  const after = applied(job, event(2, "QUEUED", [{ stage: "inspect", status: "DONE", startedAt: "1" }, { stage: "codes", status: "PENDING" }]));
  assert.deepEqual([after.status, after.seq, after.error, after.tags], ["QUEUED", 2, undefined, { a: "b" }]);
  assert.deepEqual(after.timeline.map(({ stage, status }) => [stage, status]), [["inspect", "DONE"], ["codes", "PENDING"]]);
  assert.equal(job.status, "FAILED");
});
