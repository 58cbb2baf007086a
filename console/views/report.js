/** The report of a job as a person would want to see it: the picture and its verdicts first, then what they rest on. */
import { Facts, Failure, Loading, Notice, useLoaded } from "./parts.js";
import { ApiError } from "../problems.js";
import { Histogram } from "./histogram.js";
import { Picture } from "./picture.js";
import { Raw } from "./job_view.js";
import { Similar } from "./similar.js";
import { capitalized, percent } from "../words.js";
import { gradeOf, readReport } from "../report_reading.js";
import { html, useMemo } from "../html.js";

export function Report({ services, job }) {
  const loaded = useLoaded((signal) => services.api.report(job.jobId, { signal }), [job.jobId, job.attempt]);
  const read = useMemo(() => loaded.value && readReport(loaded.value, job), [loaded.value]);
  if (loaded.error instanceof ApiError && loaded.error.isMissing) {
    return html`<${Notice} title="The report has expired">Submit the image again to have it made anew.</${Notice}>`;
  }
  if (loaded.error) return html`<${Failure} error=${loaded.error} what="The report" onRetry=${loaded.reload} />`;
  if (!read) return html`<${Loading} what="the report" />`;
  return html`
    <section class="report-top" aria-label="Report">
      <${Preview} services=${services} job=${job} read=${read} />
      <div class="report-words">
        <p class="summary" dir="auto">${read.summary}</p>
        ${read.hasLocation && html`<${LocationFlag} />`}
        ${read.verdicts.length > 0 &&
        html`<ul class="verdicts" aria-label="Verdicts">${read.verdicts.map((verdict) => html`<li dir="auto">${verdict}</li>`)}</ul>`}
        <${Scores} read=${read} />
      </div>
    </section>
    <div class="panels">
      <${Panel} title="Palette" when=${read.colours.length}><${Palette} read=${read} /></${Panel}>
      <${Panel} title="Tones" when=${Object.keys(read.histogram).length}>
        <${Histogram} channels=${read.histogram} />
        ${read.clipping && html`<p class="faint">Clipped: ${read.clipping}.</p>`}
      </${Panel}>
      <${Panel} title="Codes" when=${read.codes}><${Codes} read=${read} /></${Panel}>
      <${Panel} title="Sharpness by region" when=${read.regions}><${Regions} services=${services} job=${job} read=${read} /></${Panel}>
      <${Panel} title="What it shows" when=${read.labels}><${Labels} labels=${read.labels} /></${Panel}>
      <${Panel} title="Photograph" when=${true}>
        <${Facts} facts=${[...read.photo, ...read.image, ["Location", locationInWords(read)]].filter(([, value]) => value)} />
      </${Panel}>
      <${Similar} services=${services} job=${job} />
      <${Panel} title="Fingerprint" when=${read.marks.length}><${Facts} facts=${read.marks} /></${Panel}>
      ${read.others.map(([title, facts]) => html`<${Panel} title=${title} when=${facts.length}><${Facts} facts=${facts} /></${Panel}>`)}
      <${Panel} title="Not made" when=${read.notMade.length}><${Facts} facts=${read.notMade} /></${Panel}>
    </div>
    <${Raw} title="The report, as the API gives it" document=${loaded.value} />
  `;
}

function Panel({ title, when, children }) {
  const id = `panel-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return when ? html`<section class="panel" aria-labelledby=${id}><h2 id=${id}>${title}</h2>${children}</section>` : null;
}

/** The preview, with the codes that were found framed where they are. */
function Preview({ services, job, read }) {
  const { size, codes } = read;
  const boxes = size ? (codes ?? []).map((code) => code.box).filter(Boolean) : [];
  return html`<figure class="preview">
    <${Picture} services=${services} job=${job} artefact="preview" alt=${`Preview. ${read.summary}`} size=${size} />
    ${boxes.length > 0 &&
    html`<svg class="boxes" viewBox=${`0 0 ${size.width} ${size.height}`} aria-hidden="true">
      ${boxes.map((box, number) => html`<rect key=${number} x=${box.left} y=${box.top} width=${box.width} height=${box.height} />`)}
    </svg>`}
  </figure>`;
}

function LocationFlag() {
  return html`<p class="flag"><strong>The file says where it was taken.</strong> The pictures made from it here do not. Remove the
    location before you pass the file on.</p>`;
}

function locationInWords({ hasLocation }) {
  if (hasLocation === null) return "";
  return hasLocation ? "is in the file" : "is not in the file";
}

function Scores({ read }) {
  if (!read.scores.length) return null;
  return html`<dl class="scores">
    ${read.scores.map(
      ({ name, verdict, advice, score }) => html`<div>
        <dt>${capitalized(name)}</dt>
        <dd>
          <strong class="grade" data-grade=${gradeOf(score)}>${verdict}</strong>
          ${score !== null && html`<meter min="0" max="100" low="40" high="70" optimum="100" value=${score} aria-label=${`${name}, of 100`}>${score}</meter>
            <span class="faint">${Math.round(score)} of 100</span>`}
          ${advice && html`<span class="advice">${advice}</span>`}
        </dd>
      </div>`,
    )}
  </dl>`;
}

function Palette({ read }) {
  return html`<ul class="swatches">
    ${read.colours.map((colour) => html`<${Swatch} colour=${colour} note=${colour.share === null ? "" : percent(colour.share)} />`)}
    ${read.mean && html`<${Swatch} colour=${read.mean} note="on average" />`}
  </ul>`;
}

/** A colour, with letters on it in the colour that is read best there. */
function Swatch({ colour, note }) {
  return html`<li class="swatch">
    <svg aria-hidden="true">
      ${colour.hex && html`<rect width="100%" height="100%" fill=${colour.hex} />`}
      ${colour.textColour && html`<text x="50%" y="50%" fill=${colour.textColour}>Aa</text>`}
    </svg>
    <strong>${capitalized(colour.name || colour.text)}</strong>
    <span class="faint">${[colour.text, note].filter(Boolean).join(" · ")}</span>
    ${colour.contrast !== null && html`<span class="faint">text ${colour.textColour === "#000000" ? "in black" : "in white"}: ${colour.contrast.toFixed(1)} : 1</span>`}
  </li>`;
}

/** What codes say is shown and never followed: a link in a picture is somebody else's. */
function Codes({ read }) {
  if (!read.codes.length) return html`<p class="faint">None that can be read.</p>`;
  return html`<ul class="codes">
      ${read.codes.map(
        (code) => html`<li>
          <span class="code-kind">${code.format}</span>
          <pre class="code-text" dir="auto">${code.lines.join("\n")}${code.isCut ? " …" : ""}</pre>
          <span class="faint">${code.place}</span>
        </li>`,
      )}
    </ul>
    ${read.moreCodes > 0 && html`<p class="faint">and ${read.moreCodes} more</p>`}`;
}

function Regions({ services, job, read }) {
  const { regions } = read;
  if (!regions.isMeasured) return html`<p dir="auto">${regions.reason}</p>`;
  return html`<figure class="heat-map">
      <${Picture} services=${services} job=${job} artefact="heat-map" alt="Map of sharpness: yellow where it is sharp, violet where it is soft." />
      <figcaption class="faint">Yellow is sharp, violet is soft.</figcaption>
    </figure>
    <${Facts} facts=${regions.facts} />`;
}

function Labels({ labels }) {
  const words = (entries) =>
    html`<ul class="labels">${entries.map(
      ({ name, confidence }) => html`<li><bdi>${name}</bdi>${confidence !== null && html` <span class="faint">${Math.round(confidence)} %</span>`}</li>`,
    )}</ul>`;
  return html`
    ${labels.warnings.length > 0 && html`<p class="flag">Some people should not see it:</p>${words(labels.warnings)}`}
    ${labels.shown.length ? words(labels.shown) : html`<p class="faint">No labels.</p>`}
    ${labels.written.length > 0 && html`<h3>What is written in it</h3>${words(labels.written)}`}
  `;
}
