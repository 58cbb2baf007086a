/** What happened to each stage of a job, try by try, made of its events. Draws nothing. */
import { secondsBetween } from "./words.js";

/**
 * Tries by stage, in order: `{attempt, number, startedAt, endedAt, status, error, waited}`. `waited` is how many seconds
 * passed between the end of the try before, in the same attempt, and this one.
 */
export function triesOf(events) {
  const stages = new Map();
  for (const event of events) {
    for (const entry of event.data.stages) {
      if (entry.tries > 0) note(stages, entry, event);
    }
  }
  return stages;
}

function note(stages, entry, event) {
  const tries = stages.get(entry.stage) ?? [];
  stages.set(entry.stage, tries);
  const attempt = entry.attempt ?? event.data.attempt;
  const last = tries.at(-1);
  const isNew = !last || last.attempt !== attempt || last.number !== entry.tries;
  const one = isNew ? { attempt, number: entry.tries, startedAt: entry.startedAt ?? event.time } : last;
  if (isNew) {
    // A try that was cut off says nothing of its end: the next one's beginning is the latest that it can have been.
    if (last && !last.endedAt) Object.assign(last, { status: "STOPPED", endedAt: null });
    one.waited = last?.endedAt && last.attempt === attempt ? secondsBetween(last.endedAt, one.startedAt) : null;
    tries.push(one);
  }
  const isOver = entry.status === "DONE" || entry.status === "FAILED" || entry.status === "STOPPED";
  Object.assign(one, { status: entry.status, error: entry.error ?? null });
  if (isOver || (entry.error && entry.status !== "RUNNING")) one.endedAt = entry.finishedAt ?? event.time;
}
