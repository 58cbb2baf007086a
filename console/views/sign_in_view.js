/** Signing in: at first, with a new password where the user pool wants one, and again when the sign-in has ended. */
import { Notice } from "./parts.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { inWords } from "../problems.js";

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

function Credentials({ services, username, isFixed = false }) {
  const [newPassword, setNewPassword] = useState(null);
  return newPassword
    ? html`<${NewPassword} services=${services} asked=${newPassword} />`
    : html`<${NameAndPassword} services=${services} username=${username} isFixed=${isFixed} onNewPassword=${setNewPassword} />`;
}

function NameAndPassword({ services, username, isFixed, onNewPassword }) {
  const { pool, session } = services;
  const signIn = async (data) => {
    const name = isFixed ? username : String(data.get("username")).trim();
    const answer = await pool.signIn(name, String(data.get("password")));
    if (answer.newPassword) onNewPassword({ ...answer.newPassword, name });
    else session.begin(name, answer.tokens);
  };
  return html`<${Form} onSubmit=${signIn} button="Sign in" busy="Signing in …">
    <${Field} name="username" label="Email address" type="email" autocomplete="username" defaultValue=${username}
      readonly=${isFixed} autofocus=${!username} />
    <${Field} name="password" label="Password" type="password" autocomplete="current-password" autofocus=${Boolean(username)} />
  </${Form}>`;
}

function NewPassword({ services, asked }) {
  const { pool, session } = services;
  const set = async (data) => {
    session.begin(asked.name, await pool.setNewPassword(asked, String(data.get("password"))));
  };
  return html`<${Form} onSubmit=${set} button="Set the password and sign in" busy="Setting the password …">
    <p>Choose a password of your own: 12 characters at least, with small and capital letters, digits and signs.</p>
    <${Field} name="password" label="New password" type="password" autocomplete="new-password" autofocus />
  </${Form}>`;
}

function Form({ onSubmit, button, busy, children }) {
  const [error, setError] = useState("");
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
      form.elements.password?.select();
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
function Field({ label, name, autofocus, ...rest }) {
  const input = useRef(null);
  useEffect(() => {
    if (autofocus) input.current.focus();
  }, []);
  return html`<label class="field">
    <span>${label}</span>
    <input ref=${input} name=${name} required ...${rest} />
  </label>`;
}
