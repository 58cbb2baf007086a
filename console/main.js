/** The composition root: makes everything, connects it, draws the page. */
import { Api } from "./api.js";
import { App, CannotStart } from "./views/app.js";
import { LiveJobs } from "./live_jobs.js";
import { Places } from "./places.js";
import { PushLine } from "./push_line.js";
import { SIGNED_OUT, Session } from "./session.js";
import { Uploads } from "./uploads.js";
import { UserPool } from "./user_pool.js";
import { html, render } from "./html.js";
import { inWords } from "./problems.js";
import { loadSettings } from "./settings.js";

const root = document.getElementById("console");

function connect(settings) {
  const pool = new UserPool({ path: settings.signIn, clientId: settings.userPoolClientId });
  const session = new Session(pool);
  const api = new Api({ path: settings.api, session });
  const line = new PushLine({ invite: () => invitation(api, settings.live) });
  const jobs = new LiveJobs(api, line);
  const uploads = new Uploads(api, jobs, settings.files);
  session.subscribe(() => {
    if (session.state !== SIGNED_OUT) return;
    uploads.clear();
    jobs.clear();
  });
  addEventListener("online", () => jobs.hurry());
  // A file that misses the drop zone would be opened by the browser, in place of this page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  return { settings, pool, session, api, jobs, uploads, places: new Places() };
}

/** Ask for a ticket; return the address to connect to with it. */
async function invitation(api, live) {
  const { ticket } = await api.createTicket();
  const url = new URL(live, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ ticket }).toString();
  return url.href;
}

try {
  const services = connect(await loadSettings());
  root.textContent = "";
  render(html`<${App} services=${services} />`, root);
} catch (error) {
  root.textContent = "";
  render(html`<${CannotStart} reason=${inWords(error)} />`, root);
}
