/** Where images are dropped or picked, and how their uploads go. */
import { ACCEPTED, KINDS_IN_WORDS } from "../media_types.js";
import { ANALYSES, UNASKED, bytes, counted, percent } from "../words.js";
import { REFUSED, WAITING } from "../uploads.js";
import { announce } from "../announcing.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { plain } from "../plain_text.js";
import { useObserved } from "../observed.js";

export function DropZone({ services, isLarge }) {
  const { uploads } = services;
  useObserved(uploads);
  const [isOver, setOver] = useState(false);
  const [chosen, setChosen] = useState(null);
  const picker = useRef(null);
  const add = (files) => {
    if (!files.length) return;
    announce(`${counted(files.length, "file")} taken.`);
    uploads.add(files, { analyses: chosen });
  };
  useEffect(() => takePasted(add), [chosen]);
  const onDrop = (event) => {
    event.preventDefault();
    setOver(false);
    add([...event.dataTransfer.files]);
  };
  return html`<section class="drop" data-large=${isLarge} data-over=${isOver} aria-label="New jobs"
    onDragOver=${() => setOver(true)} onDragLeave=${() => setOver(false)} onDrop=${onDrop}>
    <div class="drop-words">
      <p class="drop-title">${isOver ? "Let go to analyse them" : "Drop images here"}</p>
      <p class="faint">${KINDS_IN_WORDS}. Each becomes a job.</p>
    </div>
    <button type="button" class="button" data-kind="main" onClick=${() => picker.current.click()}>Choose images</button>
    <input ref=${picker} type="file" hidden multiple accept=${ACCEPTED}
      onChange=${(event) => {
        add([...event.currentTarget.files]);
        event.currentTarget.value = "";
      }} />
    <${Wishes} chosen=${chosen} onChoose=${setChosen} />
    ${uploads.items.length > 0 && html`<${UploadList} uploads=${uploads} />`}
  </section>`;
}

/** Images can be pasted, too. */
function takePasted(add) {
  const onPaste = (event) => add([...(event.clipboardData?.files ?? [])]);
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}

/** What to find out; null leaves that to Darkroom, which also looks at the regions of large images. */
function Wishes({ chosen, onChoose }) {
  const wanted = chosen ?? UNASKED;
  const toggle = (name) => {
    const next = wanted.includes(name) ? wanted.filter((each) => each !== name) : [...wanted, name];
    const isUsual = next.length === UNASKED.length && UNASKED.every((each) => next.includes(each));
    if (next.length) onChoose(isUsual ? null : next);
  };
  return html`<details class="wishes">
    <summary>What to find out${chosen ? ": your choice" : ""}</summary>
    <fieldset>
      <legend class="heard-only">What to find out</legend>
      ${Object.entries(ANALYSES).map(
        ([name, words]) => html`<label class="check">
          <input type="checkbox" checked=${wanted.includes(name)} onChange=${() => toggle(name)} /> ${words}
        </label>`,
      )}
    </fieldset>
  </details>`;
}

function UploadList({ uploads }) {
  return html`<ul class="uploads" aria-label="Uploads">
    ${uploads.items.map((item) => html`<${UploadItem} key=${item.id} uploads=${uploads} item=${item} />`)}
  </ul>`;
}

function UploadItem({ uploads, item }) {
  const name = plain(item.name, 120);
  const words = item.state === WAITING ? (item.pauses ? "waits for the network" : "waits") : item.share < 1 ? percent(item.share, 0) : "is taken in";
  return html`<li class="upload" data-state=${item.state}>
    <span class="upload-name" dir="auto">${name}</span>
    <span class="faint">${bytes(item.file.size)}</span>
    ${item.state === REFUSED
      ? html`<span class="upload-error" role="alert">${item.error}</span>
          ${item.canRetry &&
          html`<button type="button" class="button" onClick=${() => uploads.retry(item.id)}>Try again<span class="heard-only"> to upload ${name}</span></button>`}
          <button type="button" class="button" data-kind="quiet" onClick=${() => uploads.dismiss(item.id)}>Dismiss<span class="heard-only"> ${name}</span></button>`
      : html`<progress class="bar" max="1" value=${item.share} aria-label=${`Upload of ${name}`}></progress>
          <span class="faint">${words}</span>`}
  </li>`;
}
