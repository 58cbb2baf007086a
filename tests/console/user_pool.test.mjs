// Signing in: whatever the user pool asks for besides the password is answered, one thing after the other.
import assert from "node:assert/strict";
import { test } from "node:test";

import { AnswerRefusedError, SignInEndedError, SignInRefusedError } from "../../console/problems.js";
import { CODE, NEW_PASSWORD, SET_UP, authenticatorUri, inGroups } from "../../console/challenges.js";
import { UserPool } from "../../console/user_pool.js";

const TOKENS = { AuthenticationResult: { AccessToken: "access", RefreshToken: "refresh" } };
const SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const asks = (ChallengeName, Session) => ({
  ChallengeName,
  Session,
  ChallengeParameters: { USER_ID_FOR_SRP: "id-of-ada" },
});
const refuses = (__type, message = "no") => ({ __type, message });

/** A pool that gives these answers, one for each call; what it was asked is in `asked`. */
function newPool(...answers) {
  const asked = [];
  const fetcher = async (path, { headers, body }) => {
    const answer = answers.shift();
    asked.push([headers["X-Amz-Target"].split(".")[1], JSON.parse(body)]);
    return new Response(JSON.stringify(answer), { status: answer.__type ? 400 : 200 });
  };
  return { pool: new UserPool({ path: "/sign-in", clientId: "client", fetcher }), asked };
}

/** What was thrown, which `assert.rejects` does not give. */
const refusal = (promise) => promise.then(() => assert.fail("It was not refused."), (error) => error);

test("a password alone gives tokens", async () => {
  const { pool } = newPool(TOKENS);
  assert.deepEqual(await pool.signIn("ada", "right"), { tokens: { access: "access", refresh: "refresh" } });
});

test("a wrong password is told as one", async () => {
  const { pool } = newPool(refuses("NotAuthorizedException", "Incorrect username or password."));
  const error = await refusal(pool.signIn("ada", "wrong"));
  assert.equal(error.constructor, SignInRefusedError);
  assert.match(error.message, /password is wrong/);
});

test("a code is asked for, and may be tried again in the same session until it is right", async () => {
  const { pool, asked } = newPool(asks(CODE, "s1"), refuses("CodeMismatchException"), refuses("ExpiredCodeException"), TOKENS);
  const { challenge } = await pool.signIn("ada", "right");
  assert.deepEqual(challenge, { kind: CODE, username: "id-of-ada", session: "s1" });
  assert.match((await refusal(pool.answer(challenge, "000000"))).message, /code is wrong/);
  assert.match((await refusal(pool.answer(challenge, "123456"))).message, /used before/);
  assert.ok((await pool.answer(challenge, "123 456")).tokens);
  assert.deepEqual(asked.at(-1), [
    "RespondToAuthChallenge",
    {
      ClientId: "client",
      ChallengeName: CODE,
      Session: "s1",
      ChallengeResponses: { USERNAME: "id-of-ada", SOFTWARE_TOKEN_MFA_CODE: "123456" },
    },
  ]);
});

test("what is no code is not sent", async () => {
  const { pool, asked } = newPool(asks(CODE, "s1"));
  const { challenge } = await pool.signIn("ada", "right");
  for (const given of ["", "12345", "1234567", "12345a", "１２３４５６"]) {
    assert.ok((await refusal(pool.answer(challenge, given))) instanceof AnswerRefusedError);
  }
  assert.equal(asked.length, 1);
});

test("a new password is followed by the setting up of an app", async () => {
  const { pool, asked } = newPool(
    asks(NEW_PASSWORD, "s1"),
    refuses("InvalidPasswordException", "too short"),
    asks(SET_UP, "s2"),
    { SecretCode: SECRET, Session: "s3" },
    refuses("EnableSoftwareTokenMFAException", "Code mismatch"),
    { Status: "ERROR" },
    { Status: "SUCCESS", Session: "s4" },
    TOKENS,
  );
  const first = await pool.signIn("ada", "right");
  assert.match((await refusal(pool.answer(first.challenge, "short"))).message, /too short/);
  const second = await pool.answer(first.challenge, "long enough");
  assert.deepEqual(second.challenge, { kind: SET_UP, username: "id-of-ada", session: "s3", secret: SECRET });
  for (const given of ["000000", "000001"]) {
    assert.ok((await refusal(pool.answer(second.challenge, given))) instanceof AnswerRefusedError);
  }
  assert.ok((await pool.answer(second.challenge, "123456")).tokens);
  assert.deepEqual(asked.slice(3).map(([action, { Session }]) => [action, Session]), [
    ["AssociateSoftwareToken", "s2"],
    ["VerifySoftwareToken", "s3"],
    ["VerifySoftwareToken", "s3"],
    ["VerifySoftwareToken", "s3"],
    ["RespondToAuthChallenge", "s4"],
  ]);
});

for (const kind of [NEW_PASSWORD, CODE, SET_UP]) {
  test(`an answer to ${kind} that comes too late says to begin again`, async () => {
    const { pool } = newPool(refuses("NotAuthorizedException", "Invalid session for the user, session is expired."));
    const error = await refusal(pool.answer({ kind, username: "ada", session: "s", secret: SECRET }, "123456"));
    assert.equal(error.constructor, SignInRefusedError);
    assert.match(error.message, /Begin again, with the password/);
  });
}

test("what the console cannot answer is refused by name, at first and later", async () => {
  const { pool } = newPool(asks("SMS_MFA", "s1"), asks(NEW_PASSWORD, "s1"), asks("SELECT_CHALLENGE", "s2"));
  assert.match((await refusal(pool.signIn("ada", "right"))).message, /SMS_MFA/);
  const { challenge } = await pool.signIn("ada", "right");
  const error = await refusal(pool.answer(challenge, "long enough"));
  assert.equal(error.constructor, SignInRefusedError);
  assert.match(error.message, /SELECT_CHALLENGE/);
});

test("a refresh token that is no longer good ends the sign-in", async () => {
  const { pool } = newPool(refuses("NotAuthorizedException"));
  assert.ok((await refusal(pool.refresh("old"))) instanceof SignInEndedError);
});

test("an address for an app names the account and the issuer", () => {
  const expected = "otpauth://totp/Darkroom:ada%2Bx%40darkroom.test?secret=ABCD2345&issuer=Darkroom";
  assert.equal(authenticatorUri("ABCD2345", "ada+x@darkroom.test"), expected);
  assert.equal(inGroups("ABCDEFGHIJ"), "ABCD EFGH IJ");
});
