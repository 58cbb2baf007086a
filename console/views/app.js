/** The frame around every view: who is signed in, where one can go, how news comes. */
import { EXPIRED, SIGNED_OUT } from "../session.js";
import { TO_OPERATIONS, toJobs } from "../places.js";
import { announcements } from "../announcing.js";
import { html, useEffect, useState } from "../html.js";
import { Loading, Notice } from "./parts.js";
import { JobListView } from "./job_list_view.js";
import { SignInAgain, SignInView } from "./sign_in_view.js";
import { useObserved } from "../observed.js";

export function App({ services }) {
  const { session, places } = services;
  useObserved(session);
  useObserved(places);
  if (session.state === SIGNED_OUT) return html`<${SignInView} services=${services} />`;
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} services=${services} place=${places.current} />
    <main id="main" tabindex="-1"><${View} services=${services} place=${places.current} /></main>
    <${Announcer} />
    ${session.state === EXPIRED && html`<${SignInAgain} services=${services} />`}
  `;
}

/** What is shown when the page cannot begin at all. */
export function CannotStart({ reason }) {
  return html`<main class="alone">
    <${Notice} kind="bad" title="The console cannot start"><p>${reason}</p></${Notice}>
    <button type="button" class="button" onClick=${() => location.reload()}>Reload the page</button>
  </main>`;
}

function View({ services, place }) {
  if (place.view === "job") return html`<${Lazy} key=${place.jobId} load=${jobView} services=${services} ...${place} />`;
  if (place.view === "operations") return html`<${Lazy} key="operations" load=${operationsView} services=${services} />`;
  return html`<${JobListView} services=${services} place=${place} />`;
}

const jobView = () => import("./job_view.js").then(({ JobView }) => JobView);
const operationsView = () => import("./operations_view.js").then(({ OperationsView }) => OperationsView);

/** A view that is loaded when somebody comes to it: the list, which everybody sees first, does not wait for it. */
function Lazy({ load, ...rest }) {
  const [view, setView] = useState(null);
  useEffect(() => {
    load().then(
      (loaded) => setView(() => loaded),
      () => setView(() => NotLoaded),
    );
  }, []);
  return view ? html`<${view} ...${rest} />` : html`<${Loading} what="this page" />`;
}

function NotLoaded() {
  return html`<${Notice} kind="bad" title="This part of the console could not be loaded">Reload the page.</${Notice}>`;
}

function Header({ services, place }) {
  const { session, jobs } = services;
  useObserved(jobs);
  const link = (href, isHere, text) =>
    html`<a class="nav-link" href=${href} aria-current=${isHere ? "page" : null}>${text}</a>`;
  return html`<header class="header">
    <a class="brand" href=${toJobs()}><img src="icon.svg" width="26" height="26" alt="" /> Darkroom</a>
    <nav aria-label="Main">
      ${link(toJobs(), place.view !== "operations", "Jobs")}
      ${session.isOperator && link(TO_OPERATIONS, place.view === "operations", "Operations")}
    </nav>
    <${Connection} how=${jobs.connection} />
    <span class="who" title=${session.username}>${session.username}</span>
    <button type="button" class="button" data-kind="quiet" onClick=${() => session.end()}>Sign out</button>
  </header>`;
}

const CONNECTIONS = {
  live: ["Live", "Changes are shown as they happen."],
  asking: ["Live, a little later", "There is no push connection at the moment; changes are asked for."],
  offline: ["Offline", "Darkroom cannot be reached; it is tried again by itself."],
};

function Connection({ how }) {
  const [word, explanation] = CONNECTIONS[how];
  return html`<span class="connection" data-how=${how} role="status" title=${explanation}>${word}</span>`;
}

function Announcer() {
  useObserved(announcements);
  return html`<div class="heard-only" role="status" aria-live="polite">${announcements.text}</div>`;
}

/** The address belongs to the views, so the link to the content must not change it. */
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}
