/** The page of one job: how it stands, what can be done about it, its stages, its report, and all of it as it is. */
import { ApiError, inWords } from "../problems.js";
import { CopyButton, Deed, Empty, Facts, Loading, Notice, PageTitle, Progress, Question, Status } from "./parts.js";
import { STATUS_WORDS, adviceFor, capitalized, duration, moment, nameOf, secondsBetween, timeOfDay } from "../words.js";
import { Report } from "./report.js";
import { Timeline } from "./timeline.js";
import { announce } from "../announcing.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { isEnd } from "../events.js";
import { plain } from "../plain_text.js";
import { toJobs } from "../places.js";
import { useObserved } from "../observed.js";

/** A job that was submitted a moment ago has no record yet; so long it is looked for. */
const LOOK_AGAIN_SECONDS = 1;
const LOOKS = 8;

export function JobView({ services, jobId, owner }) {
  const { jobs } = services;
  useObserved(jobs);
  const { error, retry } = useKept(jobs, jobId, owner);
  const job = jobs.get(jobId);
  if (job) return html`<${Job} services=${services} job=${job} owner=${owner} />`;
  if (error instanceof ApiError && error.isMissing) return html`<${NoSuchJob} />`;
  return html`<${PageTitle} title="Job" />
    ${error
      ? html`<${Notice} kind="bad" title="The job could not be loaded">
          <p>${inWords(error)}</p>
          <button type="button" class="button" onClick=${retry}>Try again</button>
        </${Notice}>`
      : html`<${Loading} what="the job" />`}`;
}

/** Fetch a job, with its history, and keep it as it is for as long as it is looked at. */
function useKept(jobs, jobId, owner) {
  const [error, setError] = useState(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isThere = true;
    const stop = jobs.follow(jobId, { owner });
    const load = async () => {
      setError(null);
      try {
        await found(jobs, jobId, owner, () => isThere);
        await jobs.readHistory(jobId, { owner });
      } catch (problem) {
        if (isThere) setError(problem);
      }
    };
    load();
    return () => {
      isThere = false;
      stop();
    };
  }, [jobId, owner, turn]);
  return { error, retry: () => setTurn((count) => count + 1) };
}

async function found(jobs, jobId, owner, isWanted) {
  for (let look = 1; ; look += 1) {
    try {
      return await jobs.fetch(jobId, { owner });
    } catch (error) {
      const mayCome = error instanceof ApiError && error.isMissing && jobs.get(jobId)?.seq === 0;
      if (!mayCome || look === LOOKS || !isWanted()) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_SECONDS * 1000));
    }
  }
}

function NoSuchJob() {
  return html`<${PageTitle} title="No such job" />
    <${Empty} title="None of your jobs has this id">
      <p>It may have been deleted, have expired, or belong to somebody else.</p>
      <p><a class="button" href=${toJobs()}>Show your jobs</a></p>
    </${Empty}>`;
}

function Job({ services, job, owner }) {
  const { jobs } = services;
  const name = nameOf(job);
  useEndAnnounced(job, name);
  const isOver = isEnd(job.status);
  return html`<article class="job-page">
    <header class="job-head">
      <a class="back" href=${toJobs()}>All jobs</a>
      <div class="job-title"><${PageTitle} title=${name}><bdi>${name}</bdi></${PageTitle}> <${Status} status=${job.status} /></div>
      <p class="faint">${lineAbout(job)}</p>
      ${owner && html`<${Notice}>You look at another owner's job, as an operator. Each look is logged.</${Notice}>`}
      ${!isOver && html`<${Progress} value=${job.progress} label="Progress of the job" />`}
      <${Actions} services=${services} job=${job} owner=${owner} name=${name} />
    </header>
    ${job.error && html`<${WhatWentWrong} error=${job.error} />`}
    ${job.status === "SUCCEEDED" && !owner && html`<${Report} services=${services} job=${job} />`}
    <section class="panel" aria-labelledby="stages">
      <h2 id="stages">Stages</h2>
      <${Timeline} job=${job} events=${jobs.history(job.jobId)} />
    </section>
    <${About} services=${services} job=${job} />
    <${Events} events=${jobs.history(job.jobId)} />
    <${Raw} title="The job, as the API shows it" document=${job} />
  </article>`;
}

function useEndAnnounced(job, name) {
  const before = useRef(job.status);
  useEffect(() => {
    if (before.current !== job.status) announce(`${name}: ${STATUS_WORDS[job.status].toLowerCase()}.`);
    before.current = job.status;
  }, [job.status]);
}

function lineAbout(job) {
  const parts = [`Submitted ${moment(job.createdAt)}`];
  if (job.attempt > 1) parts.push(`attempt ${job.attempt}`);
  if (job.finishedAt) parts.push(`took ${duration(secondsBetween(job.createdAt, job.finishedAt))}`);
  else if (!isEnd(job.status)) parts.push(`${job.progress} % done`);
  return parts.join(" · ");
}

/** What is wrong and what to do about it, in plain words. */
function WhatWentWrong({ error }) {
  const where = error.stage ? ` in ${plain(error.stage, 60)}` : "";
  return html`<${Notice} kind="bad" title="What went wrong">
    <p dir="auto">${plain(error.message, 1000)}</p>
    <p>${adviceFor(error)}</p>
    <p class="faint">${plain(error.class, 100)}${where}</p>
  </${Notice}>`;
}

function Actions({ services, job, owner, name }) {
  const { api, jobs, places } = services;
  const [problem, setProblem] = useState("");
  const [isAsking, setAsking] = useState(false);
  const act = (deed) => async () => {
    setProblem("");
    await deed();
  };
  const cancel = act(async () => {
    await api.cancel(job.jobId, { owner });
    await jobs.fetch(job.jobId, { owner });
  });
  const redrive = act(async () => {
    await api.redrive(job.jobId, job.attempt, { owner });
    await jobs.fetch(job.jobId, { owner });
    announce(`${name} is tried again.`);
  });
  const remove = act(async () => {
    setAsking(false);
    await api.remove(job.jobId);
    places.go(toJobs());
    jobs.forget(job.jobId);
    announce(`${name} is deleted.`);
  });
  const canCancel = job.status === "QUEUED" || job.status === "RUNNING";
  const helps = job.error?.redriveCanHelp;
  return html`<div class="actions">
      ${canCancel && html`<${Deed} onDo=${cancel} onFailed=${setProblem} kind="danger">Cancel</${Deed}>`}
      ${job.status === "FAILED" && html`<${Deed} onDo=${redrive} onFailed=${setProblem} kind=${helps ? "main" : "plain"}>Try again</${Deed}>`}
      ${isEnd(job.status) && !owner && html`<button type="button" class="button" onClick=${() => setAsking(true)}>Delete</button>`}
      ${executionAddress(services.settings, job) &&
      html`<a class="button" href=${executionAddress(services.settings, job)} target="_blank" rel="noreferrer">Execution in AWS</a>`}
    </div>
    ${problem && html`<${Notice} kind="bad">${problem}</${Notice}>`}
    ${isAsking &&
    html`<${Question} title="Delete this job?" yes="Delete it" onNo=${() => setAsking(false)} onYes=${() => remove().catch((error) => setProblem(inWords(error)))}>
      <p>The record, the report and the pictures of <bdi>${name}</bdi> are deleted for good.</p>
    </${Question}>`}`;
}

/** Where AWS's console shows the execution, whose name ends its ARN; null where there is none, as on a laptop. */
function executionAddress({ executionUrl }, job) {
  if (!executionUrl || !job.execution) return null;
  return executionUrl.replace("{executionArn}", encodeURIComponent(job.execution));
}

function About({ services, job }) {
  const tags = Object.entries(job.tags ?? {}).map(([name, value]) => [plain(name, 64), plain(value, 256)]);
  const options = Object.entries(job.options ?? {}).map(([name, value]) => [plain(name, 64), plain(value, 64)]);
  const facts = [
    ["Id", job.jobId],
    ["Submitted", moment(job.createdAt)],
    ["Started", moment(job.startedAt ?? "")],
    ["Cancel asked for", moment(job.cancelRequestedAt ?? "")],
    ["Finished", moment(job.finishedAt ?? "")],
    ["Deadline", moment(job.deadlineAt ?? "")],
    ["Attempt", String(job.attempt)],
    ["Execution", plain(job.execution, 200)],
    ["Asked for", (job.analyses ?? []).map((name) => plain(name, 60)).join(", ")],
    ...options.map(([name, value]) => [`Option ${name}`, value]),
    ...tags.map(([name, value]) => [`Tag ${name}`, value]),
  ].filter(([, value]) => value);
  return html`<section class="panel" aria-labelledby="about"><h2 id="about">About the job</h2><${Facts} facts=${facts} /></section>`;
}

function Events({ events }) {
  return html`<details class="panel">
    <summary><h2>Events (${events.length})</h2></summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Events">
      <table class="table">
        <thead><tr><th scope="col">No.</th><th scope="col">Time</th><th scope="col">What</th><th scope="col">Done</th><th scope="col">Stages</th></tr></thead>
        <tbody>
          ${events.map(
            (event) => html`<tr key=${event.data.seq}>
              <td>${event.data.seq}</td>
              <td>${timeOfDay(event.time)}</td>
              <td>${capitalized(plain(event.type, 60).replace("darkroom.", "").replace(".", " "))}</td>
              <td>${event.data.progress} %</td>
              <td dir="auto">${event.data.stages.map((entry) => plain(entry.stage, 40)).join(", ")}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

/** A document as it is: text in a box, and a way to take it along. */
export function Raw({ title, document: content }) {
  const text = JSON.stringify(content, null, 2);
  return html`<details class="panel">
    <summary><h2>${title}</h2></summary>
    <${CopyButton} text=${text} />
    <pre class="raw" tabindex="0" role="region" aria-label=${title}>${text}</pre>
  </details>`;
}
