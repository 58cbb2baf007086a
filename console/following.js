/**
 * Following the events of a job: pushed if they can be, asked for with a held answer if not; none twice, none left out.
 *
 * What is pushed may get lost, so it is only the faster way: after a gap, a silence or a lost connection the log is
 * asked. The mirror of client/darkroom/following.py.
 */
import { isEnd } from "./events.js";

/** After so long without a word, the log is asked whether there was really nothing to say. */
export const SILENCE_SECONDS = 15;
/** For a connection that is being made. */
export const PATIENCE_SECONDS = 3;

/**
 * Yield the events of a job, in batches, from where `order` stands to the job's end.
 *
 * @param order an InOrder
 * @param feed where events are pushed to: `isLive` (all that happens is pushed, and what has happened before was),
 *   `isComing` (it may soon be live), `get(seconds)` (waits for events; none when there were none, or it has turned)
 * @param read asks the log for all events after a number; `read(seq, true)` may be held until there is one
 * @param pause waits out the rest of a round that brought no news
 * @param isOver after a round without any: has the job ended with the event of this number? May throw.
 */
export async function* follow(order, { feed, read, pause, isOver }) {
  for (;;) {
    let latest = null;
    for await (const events of news(order, feed, read, pause)) {
      if (!events.length) continue;
      yield events;
      latest = events.at(-1);
    }
    if (!latest && (await isOver(order.last))) return;
    // A job that has ended may have been redriven since: then its log goes on.
    while (latest && isEnd(latest.data.status)) {
      const more = order.read(await read(order.last, false));
      if (!more.length) return;
      yield more;
      latest = more.at(-1);
    }
  }
}

/** Yield what a round brings. What was pushed is given out before the log is asked: asking may fail. */
async function* news(order, feed, read, pause) {
  if (feed.isLive || feed.isComing) {
    const wasLive = feed.isLive;
    const events = order.pushed(await feed.get(wasLive ? SILENCE_SECONDS : PATIENCE_SECONDS));
    yield events;
    if (events.length && !order.hasGap) return;
    if (feed.isLive && !wasLive) return;
    yield order.read(await read(order.last, false));
    return;
  }
  const done = pause();
  const events = order.read(await read(order.last, true));
  yield events;
  if (!events.length) await done();
}
