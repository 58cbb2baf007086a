/** Small parts that every view is made of. */
import { STATUS_WORDS, moment, ago } from "../words.js";
import { announce } from "../announcing.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { inWords } from "../problems.js";

/** A status, by word and by colour: never by colour alone. */
export function Status({ status }) {
  return html`<span class="status" data-status=${status}>${STATUS_WORDS[status] ?? status}</span>`;
}

export function When({ time }) {
  return html`<time datetime=${time} title=${moment(time)}>${ago(time)}</time>`;
}

export function Progress({ value, label }) {
  return html`<progress class="bar" max="100" value=${value} aria-label=${label}>${value} %</progress>`;
}

/** A message of weight: `kind` is `bad`, `note` or `good`. */
export function Notice({ kind = "note", title, children }) {
  return html`<div class="notice" data-kind=${kind} role=${kind === "bad" ? "alert" : "note"}>
    ${title && html`<strong class="notice-title">${title}</strong>`}
    <div>${children}</div>
  </div>`;
}

export function Loading({ what }) {
  return html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span> Loading ${what} …</p>`;
}

/** Nothing to see, and what to do about it. */
export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p>${children}</div>`;
}

/** A button for something that takes a while: it cannot be pressed twice, and says what went wrong. */
export function Deed({ onDo, onFailed, kind = "plain", children, ...rest }) {
  const [isBusy, setBusy] = useState(false);
  const isThere = useRef(true);
  useEffect(() => () => (isThere.current = false), []);
  const act = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      await onDo();
    } catch (error) {
      onFailed?.(inWords(error));
    }
    if (isThere.current) setBusy(false);
  };
  // Not `disabled`: that would throw the focus away.
  return html`<button type="button" class="button" data-kind=${kind} aria-disabled=${isBusy} onClick=${act} ...${rest}>
    ${children}
  </button>`;
}

/** Takes a text along. What the button says changes with it, for those who hear the page as well. */
export function CopyButton({ text, children = "Copy" }) {
  const [word, setWord] = useState(children);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setWord("Copied");
    announce("Copied.");
  };
  return html`<${Deed} onDo=${copy} onFailed=${() => setWord("Select the text to copy it")}>${word}</${Deed}>`;
}

/** A question that has to be answered before anything else; Escape says no. */
export function Question({ title, children, yes, kind = "danger", onYes, onNo }) {
  const dialog = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="question" onCancel=${onNo}>
    <h2 id="question">${title}</h2>
    <div>${children}</div>
    <div class="actions">
      <button type="button" class="button" onClick=${onNo}>No, leave it</button>
      <button type="button" class="button" data-kind=${kind} onClick=${onYes}>${yes}</button>
    </div>
  </dialog>`;
}

/** Names and values. */
export function Facts({ facts }) {
  if (!facts.length) return null;
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`,
    )}
  </dl>`;
}

/** The heading of a page, which takes the focus when somebody comes to it. */
export function PageTitle({ children, title }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} – Darkroom`;
    heading.current.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, []);
  useEffect(() => {
    document.title = `${title} – Darkroom`;
  }, [title]);
  return html`<h1 ref=${heading} tabindex="-1" class="page-title">${children ?? title}</h1>`;
}

/** Load something; returns `{value, error, isLoading, reload}`. `load` is given a signal, and `keys` say when anew. */
export function useLoaded(load, keys) {
  const [state, setState] = useState({ value: null, error: null, isLoading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    load(stop.signal).then(
      (value) => !stop.signal.aborted && setState({ value, error: null, isLoading: false }),
      (error) => !stop.signal.aborted && setState({ value: null, error, isLoading: false }),
    );
    return () => stop.abort();
  }, [...keys, turn]);
  return { ...state, reload: () => setTurn((count) => count + 1) };
}

export function Failure({ error, onRetry, what }) {
  return html`<${Notice} kind="bad" title=${`${what} could not be loaded`}>
    <p>${inWords(error)}</p>
    <button type="button" class="button" onClick=${onRetry}>Try again</button>
  </${Notice}>`;
}
