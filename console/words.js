/** How things are called in front of people: statuses, times, sizes, and what to do about errors. */
import { FILE_TAG } from "./uploads.js";
import { plain } from "./plain_text.js";

export const STATUS_WORDS = {
  QUEUED: "Queued",
  RUNNING: "Running",
  CANCELLING: "Cancelling",
  SUCCEEDED: "Succeeded",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
};
export const STAGE_WORDS = {
  PENDING: "waiting",
  RUNNING: "running",
  DONE: "done",
  SKIPPED: "skipped",
  FAILED: "failed",
  STOPPED: "stopped",
};
export const ANALYSES = {
  palette: "Colours and tones",
  quality: "Sharpness, exposure, contrast",
  fingerprint: "Fingerprint, to find it again",
  codes: "QR and bar codes",
  regions: "Sharpness by region",
  labels: "What it shows (labels)",
};
/** What the API does unasked. */
export const UNASKED = ["palette", "quality", "fingerprint", "codes"];

const ADVICE = {
  InvalidImage: "Trying again will not help: the file itself has to change. Save it again as a JPEG or PNG, and drop that.",
  ImageNotFound: "The upload did not arrive or has expired. Drop the file again.",
  InvalidJob: "Trying again will not help. Submit the image again under another id.",
  ArtefactLost: "Try again: every step is done anew.",
  DeadlineExceeded: "Try again: it then has as long once more.",
  TooManyJobs: "Wait until some of your other jobs are done, then try again.",
};

/** What to do about a job's error, in a sentence. */
export function adviceFor(error) {
  const known = ADVICE[error.class];
  if (known) return known;
  return error.redriveCanHelp
    ? "Try again: it goes on from where it failed. If it fails once more, tell an operator the job's id."
    : "Trying again is not likely to help.";
}

/** What a job is called: its file, if it has said so, or else its first tag, or its id. */
export function nameOf(job) {
  return plain(job.tags?.[FILE_TAG], 120) || plain(job.jobId, 64);
}

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export function moment(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? "" : DATE.format(time);
}

export function timeOfDay(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? "" : TIME.format(time);
}

/** How long ago, roughly: `just now`, `5 min ago`, `3 h ago`, and then the day. */
export function ago(text, now = Date.now()) {
  const seconds = (now - Date.parse(text)) / 1000;
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  return DAY.format(new Date(text));
}

/** A length of time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function secondsBetween(from, to) {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${(count / 1e3).toFixed(0)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

export function percent(share, digits = 1) {
  return `${(share * 100).toFixed(digits)} %`;
}

export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

export function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
