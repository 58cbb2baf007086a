/** The list of jobs as it was loaded, page by page, and what of it is to be seen. Draws nothing. */
import { FILE_TAG } from "./uploads.js";
import { Observed } from "./observed.js";

const PAGE = 50;
/** What a search looks through without being asked to look further. */
const SEARCHED_PAGES = 4;

export class JobPages extends Observed {
  #api;
  #jobs;
  #stop = new AbortController();
  #cursor = null;
  #listed = new Set();

  constructor(api, jobs, { status }) {
    super();
    this.#api = api;
    this.#jobs = jobs;
    this.status = status;
    this.pages = 0;
    this.hasMore = true;
    this.isLoading = false;
    this.error = null;
    // What came while no list was open, or was submitted here and has no record yet.
    for (const job of jobs.all()) if (job.seq === 0) this.#listed.add(job.jobId);
  }

  /** Load pages until there are so many. */
  async loadTo(pages) {
    if (this.isLoading) return;
    this.isLoading = true;
    this.error = null;
    this.changed();
    try {
      while (this.pages < pages && this.hasMore && !this.#stop.signal.aborted) await this.#loadPage();
    } catch (error) {
      this.error = error;
    }
    this.isLoading = false;
    if (!this.#stop.signal.aborted) this.changed();
  }

  /** How many pages a search that finds little should have looked through. */
  pagesToSearch(search) {
    return search && this.seen(search).length < PAGE ? SEARCHED_PAGES : 0;
  }

  /** Jobs to show, newest first. */
  seen(search) {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#jobs
      .all()
      .filter((job) => this.#isListed(job) && (!this.status || job.status === this.status))
      .filter((job) => words.every((word) => searchable(job).includes(word)))
      .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
  }

  /** How many jobs a search has looked through. */
  get count() {
    return this.#listed.size;
  }

  close() {
    this.#stop.abort();
  }

  /** What is newer than the end of what was loaded belongs to the list, however this page has heard of it. */
  #isListed(job) {
    if (this.#listed.has(job.jobId)) return true;
    return this.pages > 0 && !job.isForeign && (!this.hasMore || job.createdAt >= this.oldest);
  }

  async #loadPage() {
    const page = await this.#api.jobs({
      status: this.status,
      limit: PAGE,
      cursor: this.#cursor,
      signal: this.#stop.signal,
    });
    for (const job of page.jobs) {
      this.#jobs.put(job);
      this.#listed.add(job.jobId);
      this.oldest = job.createdAt;
    }
    this.#cursor = page.nextCursor ?? null;
    this.hasMore = Boolean(page.nextCursor);
    this.pages += 1;
    this.changed();
  }
}

function searchable(job) {
  const { [FILE_TAG]: file = "", ...others } = job.tags ?? {};
  const tags = Object.entries(others).flat();
  return [file, ...tags, job.jobId, job.error?.class, job.error?.message].filter(Boolean).join(" ").toLowerCase();
}
