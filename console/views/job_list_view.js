/** The list of jobs: newest first, live, filtered and searched by what the address says. */
import { DropZone } from "./drop_zone.js";
import { Empty, Failure, Loading, PageTitle, Progress, Status, When } from "./parts.js";
import { JobPages } from "../job_pages.js";
import { Picture } from "./picture.js";
import { STATUSES, toJob, toJobs } from "../places.js";
import { STATUS_WORDS, counted, nameOf } from "../words.js";
import { announce } from "../announcing.js";
import { html, useEffect, useMemo, useRef } from "../html.js";
import { isEnd } from "../events.js";
import { plain } from "../plain_text.js";
import { useObserved } from "../observed.js";

const TYPING_SECONDS = 0.25;

export function JobListView({ services, place }) {
  const { api, jobs, uploads } = services;
  const { status, search, pages } = place;
  const list = useMemo(() => new JobPages(api, jobs, { status }), [status]);
  useObserved(list);
  useObserved(jobs);
  useObserved(uploads);
  useEffect(() => () => list.close(), [list]);
  useEffect(() => {
    list.loadTo(Math.max(pages, list.pagesToSearch(search)));
  }, [list, pages, search]);
  useEffect(() => jobs.hearAll(), []);
  const seen = list.seen(search);
  useFollowed(jobs, seen);
  useEndsAnnounced(seen);
  const isFirstUse = !status && !search && list.pages > 0 && !list.hasMore && !seen.length;
  return html`
    <${PageTitle} title="Jobs" />
    <${DropZone} services=${services} isLarge=${isFirstUse} />
    ${!isFirstUse && html`<${Toolbar} services=${services} place=${place} />`}
    <${Jobs} services=${services} list=${list} seen=${seen} place=${place} isFirstUse=${isFirstUse} />
  `;
}

/** Follow what is to be seen and not over, for as long as that is so. */
function useFollowed(jobs, seen) {
  const stops = useRef(new Map());
  useEffect(() => {
    const open = new Set(seen.filter((job) => !isEnd(job.status)).map((job) => job.jobId));
    for (const jobId of open) {
      if (!stops.current.has(jobId)) stops.current.set(jobId, jobs.follow(jobId));
    }
    for (const [jobId, stop] of stops.current) {
      if (!open.has(jobId)) {
        stops.current.delete(jobId);
        stop();
      }
    }
  });
  useEffect(() => () => stops.current.forEach((stop) => stop()), []);
}

/** Say when a job that was under way has ended. */
function useEndsAnnounced(seen) {
  const before = useRef(new Map());
  useEffect(() => {
    for (const job of seen) {
      const known = before.current.get(job.jobId);
      if (known && known !== job.status && isEnd(job.status)) {
        announce(`${nameOf(job)}: ${STATUS_WORDS[job.status].toLowerCase()}.`);
      }
      before.current.set(job.jobId, job.status);
    }
  });
}

function Toolbar({ services, place }) {
  const { places } = services;
  const link = (status, words) => html`<a class="chip" href=${toJobs({ ...place, status, pages: 1 })}
    aria-current=${place.status === status ? "true" : null}>${words}</a>`;
  return html`<div class="toolbar">
    <nav class="chips" aria-label="Show by status">
      ${link(null, "All")} ${STATUSES.map((status) => link(status, STATUS_WORDS[status]))}
    </nav>
    <${Search} value=${place.search}
      onSearch=${(search) => places.go(toJobs({ ...places.current, search, pages: 1 }), { replace: true })} />
  </div>`;
}

function Search({ value, onSearch }) {
  const box = useRef(null);
  const timer = useRef(0);
  const asked = useRef(value);
  useEffect(() => {
    // The address that follows what was typed is no news; one that comes from elsewhere is.
    if (value === asked.current) return;
    asked.current = value;
    clearTimeout(timer.current);
    box.current.value = value;
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onInput = (event) => {
    const text = event.currentTarget.value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      asked.current = text.trim();
      onSearch(asked.current);
    }, TYPING_SECONDS * 1000);
  };
  return html`<form role="search" class="search" onSubmit=${(event) => event.preventDefault()}>
    <input type="search" aria-label="Search jobs by file, tag, id or error" placeholder="Search file, tag, id, error"
      ref=${box} defaultValue=${value} onInput=${onInput} />
  </form>`;
}

function Jobs({ services, list, seen, place, isFirstUse }) {
  const { places } = services;
  if (list.error && !seen.length) {
    return html`<${Failure} error=${list.error} what="Your jobs" onRetry=${() => list.loadTo(place.pages)} />`;
  }
  if (!seen.length) {
    if (list.isLoading || !list.pages) return html`<${Placeholders} />`;
    return isFirstUse ? html`<${FirstUse} />` : html`<${NothingFound} list=${list} place=${place} />`;
  }
  const more = () => places.go(toJobs({ ...place, pages: Math.max(place.pages, list.pages) + 1 }), { replace: true });
  return html`
    <ul class="jobs" aria-label="Jobs">
      ${seen.map((job) => html`<${JobRow} key=${job.jobId} services=${services} job=${job} />`)}
    </ul>
    ${list.error && html`<${Failure} error=${list.error} what="More jobs" onRetry=${() => list.loadTo(place.pages)} />`}
    <p class="list-end">
      ${list.isLoading
        ? html`<${Loading} what="more jobs" />`
        : list.hasMore
          ? html`<button type="button" class="button" onClick=${more}>Show more</button>`
          : html`<span class="faint">${counted(seen.length, "job")}${place.search ? " found" : ""}</span>`}
    </p>
  `;
}

function JobRow({ services, job }) {
  const name = nameOf(job);
  const isOver = isEnd(job.status);
  return html`<li class="job">
    <a class="job-link" href=${toJob(job.jobId)}>
      <${Picture} services=${services} job=${job} artefact="thumbnail" alt="" />
      <span class="job-name" dir="auto">${name}</span>
      <${Status} status=${job.status} />
      <span class="job-note">
        ${job.error
          ? html`<span class="job-error" dir="auto">${plain(job.error.message, 200)}</span>`
          : html`<span class="faint">${tagsOf(job)}</span>`}
      </span>
      ${!isOver && html`<${Progress} value=${job.progress} label=${`Progress of ${name}`} />`}
      <span class="job-when faint"><${When} time=${job.createdAt} /></span>
    </a>
  </li>`;
}

function tagsOf(job) {
  const tags = Object.entries(job.tags ?? {}).filter(([name]) => name !== "file");
  return plain(tags.map(([name, value]) => `${name}: ${value}`).join(" · "), 200);
}

function FirstUse() {
  return html`<${Empty} title="No jobs yet">
    <p>Drop a photograph above. It is uploaded, analysed in the background, and shown here as that goes on.</p>
  </${Empty}>`;
}

function NothingFound({ list, place }) {
  const looked = `Looked through ${counted(list.count, "job")}${place.status ? ` that ${list.count === 1 ? "is" : "are"} ${STATUS_WORDS[place.status].toLowerCase()}` : ""}.`;
  return html`<${Empty} title=${place.search ? "Nothing found" : `No jobs are ${STATUS_WORDS[place.status].toLowerCase()}`}>
    ${place.search && html`<p dir="auto">${looked}</p>`}
    <p>
      ${list.hasMore && html`<a class="button" href=${toJobs({ ...place, pages: list.pages + 4 })}>Look further back</a>`}
      ${" "}<a class="button" href=${toJobs()}>Show all jobs</a>
    </p>
  </${Empty}>`;
}

/** Where the jobs will be, so that nothing jumps when they come. */
function Placeholders() {
  return html`<div role="status"><span class="heard-only">Loading your jobs …</span>
    <ul class="jobs" aria-hidden="true">${[0, 1, 2, 3].map(() => html`<li class="job placeholder"></li>`)}</ul>
  </div>`;
}
