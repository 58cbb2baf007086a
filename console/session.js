/**
 * Who is signed in, and the token to send with the next request. Kept in memory only: a script that gets in later finds
 * nothing in storage, and closing the page signs out.
 *
 * When a sign-in ends by itself, nothing is thrown away: whoever asks for a token waits until the user has signed in
 * again, so that a page goes on with what it was doing.
 */
import { Observed } from "./observed.js";
import { SignInEndedError } from "./problems.js";
import { clock } from "./clock.js";

/** A token is renewed this long before its end, for clocks that disagree and requests that take a while. */
const LEEWAY_SECONDS = 60;
const OPERATORS = "operators";

export const SIGNED_OUT = "signed out";
export const SIGNED_IN = "signed in";
export const EXPIRED = "expired";

export class Session extends Observed {
  #pool;
  #now;
  #tokens = null;
  #claims = {};
  #renewing = null;
  #waiting = [];

  constructor(pool, now = clock.now) {
    super();
    this.#pool = pool;
    this.#now = now;
    this.state = SIGNED_OUT;
    this.username = "";
  }

  get owner() {
    return String(this.#claims.sub ?? "");
  }

  /** Whether the API will let the user act as an operator. It decides that by itself; this only hides a link. */
  get isOperator() {
    return (this.#claims["cognito:groups"] ?? []).includes(OPERATORS);
  }

  /** Begin with tokens that the user pool gave, or go on with them. Throws SignInEndedError for somebody else's. */
  begin(username, tokens) {
    const claims = claimsOf(tokens.access);
    if (this.state === EXPIRED && claims.sub !== this.#claims.sub) throw new SignInEndedError();
    this.#tokens = tokens;
    this.#claims = claims;
    this.username = username;
    this.#turn(SIGNED_IN);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** End the sign-in, here at once, and at the user pool as soon as that can be told. */
  end() {
    const refreshToken = this.#tokens?.refresh;
    this.#tokens = null;
    this.#claims = {};
    this.#turn(SIGNED_OUT);
    for (const { reject } of this.#waiting.splice(0)) reject(new SignInEndedError());
    if (refreshToken) this.#pool.revoke(refreshToken).catch(() => {});
  }

  /** Return an access token that is good now; waits for the user if need be. Throws SignInEndedError. */
  async token() {
    await this.#signedIn();
    const expires = this.#claims.exp ?? Infinity;
    if (expires - LEEWAY_SECONDS <= this.#now()) await this.renewed(this.#tokens.access);
    return this.#tokens?.access ?? this.token();
  }

  /** Return another token than `refused`, which the API did not take. Throws SignInEndedError. */
  async renewed(refused) {
    if (this.#tokens?.access === refused) {
      this.#renewing ??= this.#renew().finally(() => (this.#renewing = null));
      await this.#renewing;
    }
    await this.#signedIn();
    return this.#tokens.access;
  }

  async #renew() {
    const before = this.#tokens;
    try {
      if (!before.refresh) throw new SignInEndedError();
      const fresh = await this.#pool.refresh(before.refresh);
      if (this.#tokens !== before) return;
      this.#tokens = fresh;
      this.#claims = claimsOf(fresh.access);
    } catch (error) {
      if (!(error instanceof SignInEndedError)) throw error;
      if (this.#tokens === before) this.#turn(EXPIRED);
    }
  }

  async #signedIn() {
    if (this.state === SIGNED_OUT) throw new SignInEndedError();
    if (this.state === EXPIRED) {
      await new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    }
  }

  #turn(state) {
    this.state = state;
    this.changed();
  }
}

/** Read what a token says, without checking it: the API does that. A token that is none says nothing. */
function claimsOf(token) {
  try {
    const middle = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(middle), (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return claims && typeof claims === "object" ? claims : {};
  } catch {
    return {};
  }
}
