/** The stages of a job on one line of time: what ran when, how often, what waited and why. */
import { STAGE_WORDS, capitalized, counted, duration, secondsBetween } from "../words.js";
import { Progress } from "./parts.js";
import { html, useEffect, useState } from "../html.js";
import { isEnd } from "../events.js";
import { plain } from "../plain_text.js";
import { triesOf } from "../tries.js";

export function Timeline({ job, events }) {
  const now = useNow(!isEnd(job.status));
  const stages = job.timeline ?? [];
  const begun = stages.filter((entry) => entry.startedAt);
  const from = Date.parse(begun[0] && job.attempt === 1 ? job.createdAt : (begun[0]?.startedAt ?? job.createdAt));
  const to = Math.max(from + 1, ...begun.map((entry) => Date.parse(entry.finishedAt ?? now)));
  const scale = { from, to };
  const tries = triesOf(events);
  if (!stages.length) return html`<p class="faint">The stages show here when the job has been read from the queue.</p>`;
  return html`<ol class="timeline">
    <${QueueRow} job=${job} first=${begun[0]} scale=${scale} now=${now} />
    ${stages.map((entry) => html`<${StageRow} key=${entry.stage} entry=${entry} isOver=${isEnd(job.status)} tries=${tries.get(entry.stage) ?? []} scale=${scale} now=${now} />`)}
  </ol>`;
}

/** The present, as text: it moves on while something runs. */
function useNow(isRunning) {
  const [now, setNow] = useState(() => new Date().toISOString());
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setNow(new Date().toISOString()), 1000);
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}

function QueueRow({ job, first, scale, now }) {
  if (job.attempt > 1) return null;
  const end = first?.startedAt ?? (isEnd(job.status) ? job.updatedAt : now);
  return html`<li class="stage" data-status="DONE">
    <span class="stage-name">In the queue</span>
    <span class="stage-state">waited ${duration(secondsBetween(job.createdAt, end))}</span>
    <${Track} scale=${scale} from=${job.createdAt} to=${end} kind="QUEUE" />
  </li>`;
}

function StageRow({ entry, isOver, tries, scale, now }) {
  const name = capitalized(plain(entry.stage, 40));
  const isRunning = entry.status === "RUNNING";
  const end = entry.finishedAt ?? (isRunning ? now : entry.startedAt);
  const took = entry.startedAt && end ? duration(secondsBetween(entry.startedAt, end)) : "";
  const often = [entry.tries > 1 && counted(entry.tries, "try", "tries"), entry.attempt > 1 && `attempt ${entry.attempt}`];
  return html`<li class="stage" data-status=${entry.status}>
    <span class="stage-name" dir="auto">${name}</span>
    <span class="stage-state">${[stateInWords(entry, isOver), isRunning && `${entry.progress} %`, took, ...often].filter(Boolean).join(" · ")}</span>
    ${entry.startedAt
      ? html`<${Track} scale=${scale} from=${entry.startedAt} to=${end} kind=${entry.status} tries=${tries} />`
      : html`<span class="track" aria-hidden="true"></span>`}
    ${isRunning && html`<${Progress} value=${entry.progress} label=${`Progress of ${name}`} />`}
    ${entry.reason && html`<p class="stage-note" dir="auto">${plain(entry.reason)}</p>`}
    ${entry.error && html`<p class="stage-note bad" dir="auto">${plain(entry.error.message, 1000)} <span class="faint">(${plain(entry.error.class, 100)})</span></p>`}
    <${Tries} tries=${tries} />
  </li>`;
}

/** What a job that is over has not come to does not wait any more. */
function stateInWords({ status }, isOver) {
  return isOver && status === "PENDING" ? "not reached" : (STAGE_WORDS[status] ?? status);
}

/** Where in the job's time a stage was at work. Its numbers are said beside it, in words. */
function Track({ scale, from, to, kind, tries = [] }) {
  const place = (time) => (100 * (Date.parse(time) - scale.from)) / (scale.to - scale.from);
  const part = (start, end, status, key) => {
    const left = Math.min(99.2, Math.max(0, place(start)));
    const width = Math.max(0.8, Math.min(100, place(end)) - left);
    return html`<rect key=${key} x=${left} width=${width} y="0" height="10" data-status=${status} />`;
  };
  const earlier = tries.slice(0, -1).filter((one) => one.endedAt);
  return html`<svg class="track" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    ${earlier.map((one, key) => part(one.startedAt, one.endedAt, one.status, key))}
    ${part(from, to, kind, "last")}
  </svg>`;
}

/** Told only of what was tried more than once. */
function Tries({ tries }) {
  if (tries.length < 2) return null;
  return html`<ol class="tries" aria-label="Tries">
    ${tries.map((one) => html`<li>${triedInWords(one)}</li>`)}
  </ol>`;
}

function triedInWords(one) {
  const took = one.endedAt ? ` after ${duration(secondsBetween(one.startedAt, one.endedAt))}` : "";
  const waited = one.waited > 0.05 ? `waited ${duration(one.waited)}, then ` : "";
  const why = one.error ? `: ${plain(one.error.message, 300)} (${plain(one.error.class, 100)})` : "";
  return `Attempt ${one.attempt}, try ${one.number}: ${waited}${STAGE_WORDS[one.status] ?? one.status}${took}${why}`;
}
