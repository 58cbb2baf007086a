/** For operators: how full the queues are and for how long, how much is worked off, and the jobs that need a person. */
import { Deed, Empty, Facts, Failure, Loading, Notice, PageTitle, Question, When, useLoaded } from "./parts.js";
import { ApiError, inWords } from "../problems.js";
import { Plot } from "./plot.js";
import { announce } from "../announcing.js";
import { capitalized, counted, duration, moment } from "../words.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { plain } from "../plain_text.js";
import { toJob } from "../places.js";

const LOOK_SECONDS = 10;
/** An hour's looks; what is older is not drawn. */
const MOST_SAMPLES = 360;
const QUEUE_WORDS = {
  jobs: ["Job queue", "accepted, not begun"],
  intakeDeadLetters: ["Could not be started", "tried once more by itself"],
  deadLetters: ["Dead letter queue", "need a person"],
};

export function OperationsView({ services }) {
  const { value, error, reload } = useLoaded((signal) => services.api.operations({ signal }), []);
  const samples = useSamples(value);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), LOOK_SECONDS * 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="stack">
    <${PageTitle} title="Operations" />
    ${error instanceof ApiError && error.status === 404
      ? html`<${Empty} title="For operators only"><p>Ask an administrator of the user pool to put you into the group of operators.</p></${Empty}>`
      : error
        ? html`<${Failure} error=${error} what="The queues" onRetry=${reload} />`
        : value
          ? html`<${Queues} measured=${value} samples=${samples} />
              <${DeadLetters} services=${services} onChanged=${reload} />`
          : html`<${Loading} what="operations" />`}
  </div>`;
}

/** What was measured while this page was open, for the drawing. */
function useSamples(value) {
  const samples = useRef([]);
  useEffect(() => {
    if (value) samples.current = [...samples.current, value].slice(-MOST_SAMPLES);
  }, [value]);
  return samples.current;
}

function Queues({ measured, samples }) {
  const { executions } = measured;
  const minutes = executions.windowSeconds / 60;
  const least = executions.isLowerBound ? "at least " : "";
  return html`<div>
    <div class="gauges">
      ${measured.queues.map((queue) => html`<${Gauge} key=${queue.name} queue=${queue} />`)}
      <section class="panel" aria-labelledby="rate">
        <h2 id="rate">Worked off</h2>
        <p class="gauge-number">${(executions.ended / minutes).toFixed(1)}</p>
        <p class="faint">a minute, in the last ${minutes} minutes</p>
        <${Facts} facts=${[
          ["Started", `${least}${executions.started}`],
          ["Ended", `${least}${executions.ended}, ${executions.failed} of them failed`],
          ["Running now", `${least}${executions.running}`],
        ]} />
      </section>
    </div>
    <section class="panel" aria-labelledby="depths">
      <h2 id="depths">Waiting, since this page was opened</h2>
      ${samples.length > 1
        ? html`<${Depths} samples=${samples} />`
        : html`<p class="faint">Drawn from the second look on; there is one every ${LOOK_SECONDS} seconds.</p>`}
    </section>
  </div>`;
}

function Gauge({ queue }) {
  const [title, meaning] = QUEUE_WORDS[queue.name] ?? [capitalized(plain(queue.name)), ""];
  const id = `queue-${queue.name}`;
  return html`<section class="panel" aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    <p class="gauge-number">${queue.waiting}</p>
    <p class="faint">waiting; ${meaning}</p>
    <${Facts} facts=${[
      ["Being read", String(queue.inFlight)],
      ["Oldest", queue.oldestSeconds === undefined ? "not measured here" : duration(queue.oldestSeconds)],
    ]} />
  </section>`;
}

function Depths({ samples }) {
  const names = samples[0].queues.map((queue) => queue.name);
  const data = useMemo(
    () => [
      samples.map((sample) => Date.parse(sample.measuredAt) / 1000),
      ...names.map((_, place) => samples.map((sample) => sample.queues[place].waiting)),
    ],
    [samples],
  );
  const options = (style) => {
    const axis = { stroke: style("--faint"), grid: { stroke: style("--line"), width: 1 }, ticks: { show: false } };
    const colours = ["--busy", "--fair", "--bad"];
    return {
      legend: { show: false },
      scales: { y: { range: (_, least, most) => [0, Math.max(5, most)] } },
      axes: [axis, axis],
      series: [{}, ...names.map((name, place) => ({ label: name, stroke: style(colours[place]), width: 2, dash: [[], [6, 3], [2, 3]][place] }))],
    };
  };
  return html`<${Plot} data=${data} options=${options} label="Messages waiting in each queue; the present numbers are above." />`;
}

function DeadLetters({ services, onChanged }) {
  const { api } = services;
  const { value, error, isLoading, reload } = useLoaded((signal) => api.deadLetters({ signal }), []);
  const [outcome, setOutcome] = useState(null);
  const [isAsking, setAsking] = useState(false);
  const redrive = async (body) => {
    setOutcome(null);
    const answer = await api.redriveLetters(body);
    setOutcome(answer);
    announce(outcomeInWords(answer));
    reload();
    onChanged();
  };
  const letters = value?.letters ?? [];
  const helped = letters.filter((letter) => letter.redriveCanHelp);
  return html`<section class="panel" aria-labelledby="letters">
    <div class="panel-head">
      <h2 id="letters">Dead letters</h2>
      <div class="actions">
        <button type="button" class="button" onClick=${reload}>Look again</button>
        ${helped.length > 0 && html`<button type="button" class="button" data-kind="main" onClick=${() => setAsking(true)}>Redrive all</button>`}
      </div>
    </div>
    ${outcome && html`<${Outcome} outcome=${outcome} />`}
    ${error
      ? html`<${Failure} error=${error} what="The dead letters" onRetry=${reload} />`
      : letters.length
        ? html`<ul class="letters">${letters.map((letter) => html`<${Letter} key=${letter.messageId} letter=${letter} onRedrive=${() => redrive({ letters: [letter.messageId] })} />`)}</ul>
            ${value.more && html`<p class="faint">There are more than are shown here.</p>`}`
        : isLoading
          ? html`<${Loading} what="the dead letters" />`
          : html`<${Empty} title="No dead letters"><p>Every job has ended well, or its owner has been told what to change.</p></${Empty}>`}
    ${isAsking &&
    html`<${Question} title="Redrive all?" kind="main" yes="Redrive them" onNo=${() => setAsking(false)}
      onYes=${() => {
        setAsking(false);
        redrive({ all: true }).catch((problem) => setOutcome({ problem: inWords(problem) }));
      }}>
      <p>Every job that a new attempt can help goes on from where it failed. The others' letters stay. Mend the cause first.</p>
    </${Question}>`}
  </section>`;
}

function Outcome({ outcome }) {
  if (outcome.problem) return html`<${Notice} kind="bad">${outcome.problem}</${Notice}>`;
  return html`<${Notice} kind=${outcome.left.length ? "note" : "good"}>
    <p>${outcomeInWords(outcome)}</p>
    ${outcome.left.length > 0 && html`<ul>${outcome.left.map((one) => html`<li dir="auto">${plain(one.jobId ?? one.messageId, 64)}: ${plain(one.reason)}</li>`)}</ul>`}
  </${Notice}>`;
}

function outcomeInWords({ redriven, left, more }) {
  const parts = [`${counted(redriven, "job")} redriven`];
  if (left.length) parts.push(`${counted(left.length, "letter")} left`);
  return `${parts.join(", ")}.${more ? " There are more: redrive again." : ""}`;
}

function Letter({ letter, onRedrive }) {
  const [problem, setProblem] = useState("");
  const name = plain(letter.jobId ?? letter.messageId, 64);
  return html`<li class="letter">
    <div class="letter-head">
      <strong>${plain(letter.errorClass ?? "Not a letter", 100)}${letter.stage ? ` in ${plain(letter.stage, 60)}` : ""}</strong>
      <span class="faint"><${When} time=${letter.failedAt ?? letter.sentAt} /></span>
      <${Deed} onDo=${onRedrive} onFailed=${setProblem}>Redrive<span class="heard-only"> ${name}</span></${Deed}>
    </div>
    <p dir="auto">${plain(letter.message ?? letter.body, 1000)}</p>
    ${problem && html`<${Notice} kind="bad">${problem}</${Notice}>`}
    <p class="faint">
      ${letter.jobId && letter.owner ? html`Job <a href=${toJob(letter.jobId, letter.owner)}>${name}</a>, attempt ${letter.attempt}` : name}
      ${letter.redriveCanHelp === false && " · A redrive cannot help."}
    </p>
    <details>
      <summary>More</summary>
      <${Facts} facts=${[
        ["Owner", plain(letter.owner, 128)],
        ["Cause", plain(letter.cause, 2000)],
        ["Next", plain(letter.next)],
        ["Execution", plain(letter.executionArn, 300)],
        ["Failed", moment(letter.failedAt ?? "")],
      ].filter(([, value]) => value)} />
    </details>
  </li>`;
}
