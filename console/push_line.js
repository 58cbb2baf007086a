/**
 * The connection by which events are pushed: one for everything that this page follows.
 *
 * It is made when something is followed, made again when it is lost, and closed when nothing is followed any more. What
 * it loses, `following` asks for: so nothing here is ever an error to anybody. The mirror of client/darkroom/push.py.
 */
import { clock } from "./clock.js";
import { Observed } from "./observed.js";

/** Of one subscription; what is followed beyond it is not pushed. */
const MOST_JOBS = 100;
/** API Gateway closes what is silent for ten minutes. */
const HEARTBEAT_SECONDS = 240;
/** For a connection to be made, and for a subscription, which is answered after all that was missed. */
const ANSWER_SECONDS = 25;
/** Jobs that are dropped together are subscribed to together. */
const GATHERING_SECONDS = 0.05;
const LONGEST_PAUSE_SECONDS = 30;

/** The events of one job, as they are pushed. */
export class JobFeed {
  #line;
  #events = [];
  #turned = false;
  #wake = null;

  /** @param last tells the number of the last event that is known */
  constructor(line, jobId, last) {
    this.#line = line;
    this.jobId = jobId;
    this.last = last;
    this.isLive = false;
  }

  get isComing() {
    return !this.isLive && this.#line.isComing;
  }

  /** Wait for events, for so long at most; none when there were none, or the feed has become live or dead. */
  async get(seconds) {
    if (!this.#events.length && !this.#turned) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#turned = false;
    return this.#events.splice(0);
  }

  put(event) {
    this.#events.push(event);
    this.#wake?.();
  }

  /** Say that the feed is live from now on, or that it is not; wakes up whoever waits. */
  turn(isLive) {
    if (isLive && this.isLive) return;
    this.isLive = isLive;
    this.#turned = true;
    this.#wake?.();
  }
}

export class PushLine extends Observed {
  #invite;
  #connect;
  #time;
  #feeds = new Set();
  #socket = null;
  #isAsked = false;
  #isDue = false;
  #timers = {};
  #failures = 0;
  #onStray = null;

  /** @param invite asks the API for the address to connect to; @param connect makes a WebSocket of it */
  constructor({ invite, connect = (url) => new WebSocket(url), time = clock }) {
    super();
    this.#invite = invite;
    this.#connect = connect;
    this.#time = time;
    this.isLive = false;
  }

  /** Whether the connection is good, or is being made and has not failed since it was. */
  get isComing() {
    return this.#failures === 0;
  }

  /** Have a job's events pushed until `close` of the feed that is returned. */
  feed(jobId, last) {
    const feed = new JobFeed(this, jobId, last);
    feed.close = () => this.#leave(feed);
    this.#feeds.add(feed);
    this.#wanted();
    return feed;
  }

  /** Hear of events of jobs that nobody follows, too; null ends it. */
  hearAll(onStray) {
    const before = this.#onStray;
    this.#onStray = onStray;
    if (Boolean(before) !== Boolean(onStray)) this.#wanted();
  }

  /** Try at once what would be tried in a while: the network is said to be back. */
  hurry() {
    if (this.#timers.again) {
      this.#clear("again");
      this.#open();
    }
  }

  /** Give everything up: the user has signed out. */
  close() {
    this.#feeds.clear();
    this.#onStray = null;
    this.#failures = 0;
    for (const name of Object.keys(this.#timers)) this.#clear(name);
    this.#drop();
  }

  #leave(feed) {
    this.#feeds.delete(feed);
    if (!this.#isWanted()) this.close();
  }

  #isWanted() {
    return this.#feeds.size > 0 || this.#onStray !== null;
  }

  #wanted() {
    if (!this.#isWanted()) return this.close();
    this.#isDue = true;
    if (this.#socket) return this.#set("gather", GATHERING_SECONDS, () => this.#subscribe());
    if (!this.#timers.again) this.#open();
  }

  async #open() {
    // Stands for the attempt until there is a socket, so that there is one attempt at a time.
    const attempt = {};
    this.#socket = attempt;
    try {
      const url = await this.#invite();
      if (this.#socket !== attempt) return;
      this.#take(this.#connect(url));
    } catch {
      if (this.#socket === attempt) this.#lost();
    }
  }

  #take(socket) {
    this.#socket = socket;
    const mine = (deed) => (event) => this.#socket === socket && deed(event);
    socket.onopen = mine(() => {
      this.#isDue = true;
      this.#subscribe();
    });
    socket.onmessage = mine((event) => this.#hear(event.data));
    socket.onclose = mine(() => this.#lost());
    socket.onerror = mine(() => this.#lost());
    this.#set("answer", ANSWER_SECONDS, () => this.#lost());
  }

  #subscribe() {
    if (!this.#isDue || this.#isAsked || this.#socket?.readyState !== 1) return;
    this.#isDue = false;
    this.#isAsked = true;
    const jobs = {};
    for (const feed of [...this.#feeds].slice(-MOST_JOBS)) {
      jobs[feed.jobId] = Math.min(feed.last(), jobs[feed.jobId] ?? Infinity);
    }
    this.#socket.send(JSON.stringify({ action: "subscribe", all: this.#onStray !== null, jobs }));
    this.#set("answer", ANSWER_SECONDS, () => this.#lost());
    this.#set("heartbeat", HEARTBEAT_SECONDS, () => {
      this.#isDue = true;
      this.#subscribe();
    });
  }

  #hear(text) {
    const message = read(text);
    if (message.type === "events") this.#tell(message.events ?? []);
    if (message.type === "subscribed") this.#subscribed(message.jobs ?? {});
    if (message.type === "refused") this.#lost();
  }

  #tell(events) {
    for (const event of events) {
      const followed = [...this.#feeds].filter((feed) => feed.jobId === event.data.jobId);
      for (const feed of followed) feed.put(event);
      if (!followed.length) this.#onStray?.(event);
    }
  }

  #subscribed(jobs) {
    this.#clear("answer");
    this.#isAsked = false;
    this.#failures = 0;
    this.#turn(true);
    for (const feed of this.#feeds) {
      if (feed.jobId in jobs) feed.turn(true);
    }
    this.#subscribe(); // for what has been followed since
  }

  #lost() {
    this.#failures += 1;
    this.#drop();
    const pause = Math.min(LONGEST_PAUSE_SECONDS, 0.25 * 2 ** this.#failures);
    if (this.#isWanted()) this.#set("again", pause / 2 + this.#time.jitter(pause / 2), () => this.#open());
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#isAsked = false;
    for (const name of ["answer", "heartbeat", "gather"]) this.#clear(name);
    socket?.close?.();
    this.#turn(false);
    for (const feed of this.#feeds) feed.turn(false);
  }

  #turn(isLive) {
    if (this.isLive === isLive) return;
    this.isLive = isLive;
    this.changed();
  }

  #set(name, seconds, deed) {
    this.#clear(name);
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name];
      deed();
    }, seconds * 1000);
  }

  #clear(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }
}

function read(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
