/** Where in the console somebody is: kept in the address, behind the #, so that it can be kept, sent and gone back to. */
import { Observed } from "./observed.js";

export const STATUSES = ["QUEUED", "RUNNING", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED"];
const MOST_PAGES = 40;

/** Read an address's fragment: `{view: "jobs", status, search, pages}`, `{view: "job", jobId, owner}`, `{view: "operations"}`. */
export function placeOf(fragment) {
  const [path, query] = fragment.replace(/^#/, "").split("?");
  const members = new URLSearchParams(query ?? "");
  const [, first, second] = path.split("/");
  if (first === "jobs" && second) return { view: "job", jobId: decoded(second), owner: members.get("owner") };
  if (first === "operations") return { view: "operations" };
  const status = members.get("status");
  const pages = Math.trunc(Number(members.get("pages"))) || 1;
  return {
    view: "jobs",
    status: STATUSES.includes(status) ? status : null,
    search: members.get("search") ?? "",
    pages: Math.min(MOST_PAGES, Math.max(1, pages)),
  };
}

/** Write the fragment of a list of jobs. */
export function toJobs({ status = null, search = "", pages = 1 } = {}) {
  const members = new URLSearchParams();
  if (status) members.set("status", status);
  if (search) members.set("search", search);
  if (pages > 1) members.set("pages", String(pages));
  const query = members.toString();
  return query ? `#/jobs?${query}` : "#/jobs";
}

/** Write the fragment of a job's page; `owner` for an operator who looks at somebody else's. */
export function toJob(jobId, owner = null) {
  const path = `#/jobs/${encodeURIComponent(jobId)}`;
  return owner ? `${path}?${new URLSearchParams({ owner })}` : path;
}

export const TO_OPERATIONS = "#/operations";

export class Places extends Observed {
  constructor() {
    super();
    addEventListener("hashchange", () => this.changed());
  }

  get current() {
    return placeOf(location.hash);
  }

  /** Go somewhere; `replace` leaves no step to go back to. */
  go(fragment, { replace = false } = {}) {
    if (fragment === location.hash) return;
    if (!replace) {
      location.hash = fragment;
      return;
    }
    history.replaceState(null, "", fragment);
    this.changed();
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
