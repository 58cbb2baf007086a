// Tokens: renewed in time, in memory only, and waited for when the sign-in has ended.
import assert from "node:assert/strict";
import { test } from "node:test";

import { EXPIRED, SIGNED_IN, SIGNED_OUT, Session } from "../../console/session.js";
import { SignInEndedError } from "../../console/problems.js";

const encoded = (claims) => Buffer.from(JSON.stringify(claims)).toString("base64url");
const token = (claims) => `x.${encoded({ sub: "someone", ...claims })}.x`;

function newSession({ refresh, now = () => 1000 }) {
  const pool = { refresh, revoke: async () => {} };
  return new Session(pool, now);
}

test("a token is given until a minute before its end, then renewed once for all who ask", async () => {
  let renewals = 0;
  let now = 1000;
  const session = newSession({
    now: () => now,
    refresh: async () => ({ access: token({ exp: 9000, jti: ++renewals }), refresh: "r" }),
  });
  const first = token({ exp: 2000 });
  session.begin("someone@example", { access: first, refresh: "r" });
  assert.equal(await session.token(), first);
  now = 1950;
  const given = await Promise.all([session.token(), session.token(), session.token()]);
  assert.equal(new Set(given).size, 1);
  assert.equal(renewals, 1);
});

test("when the sign-in has ended, whoever asks waits until there is a new one", async () => {
  const session = newSession({ refresh: async () => { throw new SignInEndedError(); } });
  const old = token({ exp: 500 });
  session.begin("someone@example", { access: old, refresh: "r" });
  const waiting = session.token();
  await new Promise(setImmediate);
  assert.equal(session.state, EXPIRED);
  const fresh = token({ exp: 5000 });
  session.begin("someone@example", { access: fresh, refresh: "r" });
  assert.equal(await waiting, fresh);
  assert.equal(session.state, SIGNED_IN);
});

test("nobody else can go on with what somebody was doing", async () => {
  const session = newSession({ refresh: async () => { throw new SignInEndedError(); } });
  session.begin("someone@example", { access: token({ exp: 500 }), refresh: "r" });
  session.token().catch(() => {});
  await new Promise(setImmediate);
  assert.throws(() => session.begin("other@example", { access: token({ sub: "other", exp: 5000 }), refresh: "r" }), SignInEndedError);
});

test("signing out ends the waiting, and says so at the user pool", async () => {
  const session = newSession({ refresh: async () => { throw new SignInEndedError(); } });
  session.begin("someone@example", { access: token({ exp: 500 }), refresh: "r" });
  const waiting = session.token();
  await new Promise(setImmediate);
  session.end();
  await assert.rejects(waiting, SignInEndedError);
  assert.equal(session.state, SIGNED_OUT);
});

test("a network that fails does not end the sign-in", async () => {
  const session = newSession({ refresh: async () => { throw new Error("no network"); } });
  session.begin("someone@example", { access: token({ exp: 500 }), refresh: "r" });
  await assert.rejects(session.token());
  assert.equal(session.state, SIGNED_IN);
});

test("an operator is told by the groups, and a token that is none says nothing", () => {
  const session = newSession({ refresh: async () => {} });
  session.begin("a", { access: token({ "cognito:groups": ["operators"] }), refresh: null });
  assert.equal(session.isOperator, true);
  session.begin("a", { access: "rubbish", refresh: null });
  assert.equal(session.isOperator, false);
});
