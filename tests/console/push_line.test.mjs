// The connection by which events are pushed: what it subscribes to, and what happens when it is lost.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PushLine } from "../../console/push_line.js";

const soon = (seconds = 0.08) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const time = { now: () => Date.now() / 1000, jitter: () => 0 };

class FakeSocket {
  sent = [];
  readyState = 0;
  open() {
    this.readyState = 1;
    this.onopen({});
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  drop() {
    this.readyState = 3;
    this.onclose({});
  }
  close() {
    this.readyState = 3;
  }
}

function newLine({ refuse = 0 } = {}) {
  const sockets = [];
  const line = new PushLine({
    invite: async () => {
      if (refuse-- > 0) throw new Error("no ticket");
      return "ws://here/live?ticket=t";
    },
    connect: () => (sockets.push(new FakeSocket()), sockets.at(-1)),
    time,
  });
  return { line, sockets };
}

async function live(line, sockets, jobs) {
  await soon(0);
  const socket = sockets.at(-1);
  socket.open();
  socket.say({ type: "subscribed", all: false, jobs });
  return socket;
}

test("jobs are subscribed to from where each is known, and are live when that is answered", async () => {
  const { line, sockets } = newLine();
  const feed = line.feed("job-1", () => 4);
  assert.equal(feed.isComing, true);
  const socket = await live(line, sockets, { "job-1": 4 });
  assert.deepEqual(socket.sent, [{ action: "subscribe", all: false, jobs: { "job-1": 4 } }]);
  assert.deepEqual([feed.isLive, line.isLive], [true, true]);
  line.close();
});

test("what is followed later is subscribed to on the same connection, several at once", async () => {
  const { line, sockets } = newLine();
  line.feed("job-1", () => 0);
  const socket = await live(line, sockets, { "job-1": 0 });
  line.feed("job-2", () => 0);
  const late = line.feed("job-3", () => 7);
  assert.deepEqual([late.isLive, late.isComing], [false, true]);
  await soon();
  assert.deepEqual(socket.sent.at(-1).jobs, { "job-1": 0, "job-2": 0, "job-3": 7 });
  assert.equal(sockets.length, 1);
  line.close();
});

test("a lost connection wakes whoever waits, and is made again from what is known by then", async () => {
  const { line, sockets } = newLine();
  let known = 1;
  const feed = line.feed("job-1", () => known);
  const socket = await live(line, sockets, { "job-1": 1 });
  await feed.get(1); // that it has become live
  const waiting = feed.get(30);
  socket.drop();
  assert.deepEqual(await waiting, []);
  assert.deepEqual([feed.isLive, feed.isComing, line.isLive], [false, false, false]);
  known = 5;
  await soon(0.4);
  assert.equal(sockets.length, 2);
  sockets[1].open();
  assert.deepEqual(sockets[1].sent[0].jobs, { "job-1": 5 });
  line.close();
});

test("events of jobs that nobody follows are told to whoever hears all", async () => {
  const { line, sockets } = newLine();
  const strays = [];
  line.hearAll((event) => strays.push(event.data.jobId));
  const feed = line.feed("job-1", () => 0);
  const socket = await live(line, sockets, { "job-1": 0 });
  assert.equal(socket.sent[0].all, true);
  socket.say({ type: "events", events: [{ data: { jobId: "job-1", seq: 1 } }, { data: { jobId: "job-9", seq: 1 } }] });
  await feed.get(1);
  assert.deepEqual(strays, ["job-9"]);
  line.close();
});

test("a refused ticket is asked for again, and meanwhile nothing is said to be coming", async () => {
  const { line, sockets } = newLine({ refuse: 1 });
  const feed = line.feed("job-1", () => 0);
  await soon(0.02);
  assert.equal(feed.isComing, false);
  await soon(0.4);
  assert.equal(sockets.length, 1);
  line.close();
});

test("when nothing is followed any more, the connection is closed", async () => {
  const { line, sockets } = newLine();
  const feed = line.feed("job-1", () => 0);
  const socket = await live(line, sockets, { "job-1": 0 });
  feed.close();
  assert.equal(socket.readyState, 3);
  assert.equal(line.isLive, false);
});
