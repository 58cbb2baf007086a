/** Signing in: at first, with whatever the user pool asks for besides the password, and again when the sign-in has ended. */
import { AnswerRefusedError, SignInRefusedError, inWords } from "../problems.js";
import { CODE, NEW_PASSWORD, SET_UP, authenticatorUri, inGroups } from "../challenges.js";
import { CopyButton, Notice } from "./parts.js";
import { html, useEffect, useRef, useState } from "../html.js";

export function SignInView({ services }) {
  useEffect(() => {
    document.title = "Sign in – Darkroom";
  }, []);
  const { demoUser } = services.settings;
  return html`<main class="alone">
    <div class="card sign-in">
      <p class="brand"><img src="icon.svg" width="32" height="32" alt="" /> Darkroom</p>
      <h1>Sign in</h1>
      <p class="faint">Drop photographs, watch them being analysed, read what was found.</p>
      <${Credentials} services=${services} username=${demoUser?.username ?? ""} />
    </div>
  </main>`;
}

/** Over the view that was open, which stays as it is: what was going on goes on after it. */
export function SignInAgain({ services }) {
  const dialog = useRef(null);
  const { session } = services;
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="again" onCancel=${(event) => event.preventDefault()}>
    <h2 id="again">Your sign-in has ended</h2>
    <p>Sign in again to go on where you were. Your jobs have gone on meanwhile.</p>
    <${Credentials} services=${services} username=${session.username} isFixed />
    <button type="button" class="button" data-kind="quiet" onClick=${() => session.end()}>Sign out instead</button>
  </dialog>`;
}

/** The password, and then one form for each thing that the pool asks for. `refused` says why it begins anew. */
function Credentials({ services, username, isFixed = false }) {
  const { pool, session } = services;
  const [{ name, challenge, refused }, setState] = useState({});
  const begin = (refused) => setState({ refused });
  const go = (name, { tokens, challenge }) => (tokens ? session.begin(name, tokens) : setState({ name, challenge }));
  if (!challenge) {
    return html`<${NameAndPassword} pool=${pool} username=${username} isFixed=${isFixed} refused=${refused} onDone=${go} />`;
  }
  const answer = async (data) => {
    try {
      go(name, await pool.answer(challenge, String(data.get("answer"))));
    } catch (error) {
      if (!(error instanceof SignInRefusedError) || error instanceof AnswerRefusedError) throw error;
      begin(inWords(error));
    }
  };
  return html`<${FORMS[challenge.kind]} key=${challenge.session} challenge=${challenge} name=${name} onSubmit=${answer} />
    <button type="button" class="button" data-kind="quiet" onClick=${() => begin()}>Begin again</button>`;
}

function NameAndPassword({ pool, username, isFixed, refused, onDone }) {
  const signIn = async (data) => {
    const name = isFixed ? username : String(data.get("username")).trim();
    onDone(name, await pool.signIn(name, String(data.get("password"))));
  };
  return html`<${Form} onSubmit=${signIn} button="Sign in" busy="Signing in …" refused=${refused}>
    <${Field} name="username" label="Email address" type="email" autocomplete="username" defaultValue=${username}
      readonly=${isFixed} autofocus=${!username} />
    <${Field} name="password" label="Password" type="password" autocomplete="current-password" autofocus=${Boolean(username)} />
  </${Form}>`;
}

function NewPassword({ onSubmit }) {
  return html`<${Form} onSubmit=${onSubmit} button="Set the password and sign in" busy="Setting the password …">
    <p id="asked">Choose a password of your own: 12 characters at least, with small and capital letters, digits and signs.</p>
    <${Field} name="answer" label="New password" type="password" autocomplete="new-password" describedby="asked" autofocus />
  </${Form}>`;
}

function Code({ onSubmit }) {
  return html`<${Form} onSubmit=${onSubmit} button="Sign in" busy="Signing in …">
    <${CodeField} label="Code of the authenticator app" />
  </${Form}>`;
}

function SetUp({ challenge, name, onSubmit }) {
  const { secret } = challenge;
  return html`<${Form} onSubmit=${onSubmit} button="Set the app up and sign in" busy="Setting the app up …">
    <div id="asked">
      <p>Besides the password, a code is asked for here. Add an account to your authenticator app, with this key:</p>
      <p><code class="key">${inGroups(secret)}</code></p>
    </div>
    <p class="actions">
      <${CopyButton} text=${secret}>Copy the key</${CopyButton}>
      <a class="button" href=${authenticatorUri(secret, name)}>Open in an app on this device</a>
    </p>
    <p class="faint">Whoever has the key can make your codes: keep it nowhere else.</p>
    <${CodeField} label="Code that the app shows" describedby="asked" />
  </${Form}>`;
}

const FORMS = { [NEW_PASSWORD]: NewPassword, [CODE]: Code, [SET_UP]: SetUp };

function CodeField(rest) {
  return html`<${Field} name="answer" inputmode="numeric" autocomplete="one-time-code" autofocus ...${rest} />`;
}

function Form({ onSubmit, button, busy, refused = "", children }) {
  const [error, setError] = useState(refused);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    if (isBusy) return;
    const form = event.currentTarget;
    setBusy(true);
    setError("");
    try {
      await onSubmit(new FormData(form));
    } catch (problem) {
      setError(inWords(problem));
      (form.elements.answer ?? form.elements.password).select();
    }
    setBusy(false);
  };
  return html`<form onSubmit=${submit} class="form">
    ${children}
    ${error && html`<${Notice} kind="bad">${error}</${Notice}>`}
    <button class="button" data-kind="main" aria-disabled=${isBusy}>${isBusy ? busy : button}</button>
  </form>`;
}

/** What was typed, or filled in by a password manager, is the field's own: drawing it again does not touch it. */
function Field({ label, name, autofocus, describedby, ...rest }) {
  const input = useRef(null);
  useEffect(() => {
    if (autofocus) input.current.focus();
  }, []);
  return html`<label class="field">
    <span>${label}</span>
    <input ref=${input} name=${name} required aria-describedby=${describedby} ...${rest} />
  </label>`;
}
