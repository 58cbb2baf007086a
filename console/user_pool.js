/**
 * Signing in: the few calls of Cognito that it takes, spoken over plain HTTPS, as the Python client does.
 *
 * https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
 */
import { AnswerRefusedError, ConsoleError, SignInEndedError, SignInRefusedError, UnreachableError } from "./problems.js";
import { CODE, NEW_PASSWORD, SET_UP } from "./challenges.js";

const NOT_AUTHORIZED = new Set(["NotAuthorizedException", "UserNotFoundException"]);
const WRONG_PASSWORD = "The email address or the password is wrong, or the user may not sign in.";
const BEGIN_AGAIN = "The sign-in took too long, or was given up by the user pool. Begin again, with the password.";
const TOO_MANY = "Too many sign-ins. Wait a minute, then try again.";
const WRONG_CODE = "The code is wrong. Type the one that the authenticator app shows now.";
/** What may be tried again as it stands or with something else, in words; null has the user pool's own. */
const TRY_AGAIN = {
  TooManyRequestsException: TOO_MANY,
  LimitExceededException: TOO_MANY,
  ThrottlingException: TOO_MANY,
  CodeMismatchException: WRONG_CODE,
  EnableSoftwareTokenMFAException: WRONG_CODE,
  // The pool takes each code once, the one that an app was set up with as well.
  ExpiredCodeException: "The code was used before or is too old. Wait for the app to show the next one.",
  InvalidPasswordException: null,
  InvalidParameterException: null,
  PasswordHistoryPolicyViolationException: null,
};

/** Cognito's one word for a wrong password, a session that is over and a token that is: who asks knows which. */
class NotAuthorizedError extends SignInRefusedError {}

export class UserPool {
  constructor({ path, clientId, fetcher = (...asked) => fetch(...asked) }) {
    this.path = path;
    this.clientId = clientId;
    this.fetcher = fetcher;
  }

  /** Trade a name and a password for `{tokens}`, or for a `{challenge}`. Throws SignInRefusedError. */
  async signIn(username, password) {
    const answer = await meaning(WRONG_PASSWORD, () =>
      this.#callAsClient("InitiateAuth", {
        AuthFlow: "USER_PASSWORD_AUTH",
        AuthParameters: { USERNAME: username, PASSWORD: password },
      }),
    );
    return meaning(BEGIN_AGAIN, () => this.#next(answer, username));
  }

  /**
   * Give the pool what it asks for, the new password or the code: `{tokens}`, or the next `{challenge}`. Throws
   * AnswerRefusedError when the same challenge may be answered again; after SignInRefusedError, the sign-in begins anew.
   */
  async answer(challenge, given) {
    return meaning(BEGIN_AGAIN, () => this.#answer(challenge, given));
  }

  /** Trade a refresh token for fresh tokens. Throws SignInEndedError when the sign-in is over. */
  async refresh(refreshToken) {
    try {
      const answer = await this.#callAsClient("InitiateAuth", {
        AuthFlow: "REFRESH_TOKEN_AUTH",
        AuthParameters: { REFRESH_TOKEN: refreshToken },
      });
      const fresh = tokensOf(answer);
      return { access: fresh.access, refresh: fresh.refresh ?? refreshToken };
    } catch (error) {
      throw error instanceof SignInRefusedError ? new SignInEndedError() : error;
    }
  }

  /** End the sign-in at the user pool, too. */
  async revoke(refreshToken) {
    await this.#callAsClient("RevokeToken", { Token: refreshToken });
  }

  #answer(challenge, given) {
    if (challenge.kind === NEW_PASSWORD) return this.#respond(challenge, { NEW_PASSWORD: given });
    if (challenge.kind === CODE) return this.#respond(challenge, { SOFTWARE_TOKEN_MFA_CODE: codeIn(given) });
    return this.#setUp(challenge, codeIn(given));
  }

  async #setUp(challenge, code) {
    const verified = await this.#call("VerifySoftwareToken", { UserCode: code, Session: challenge.session });
    if (verified.Status !== "SUCCESS") throw new AnswerRefusedError(WRONG_CODE);
    return this.#respond({ ...challenge, session: verified.Session }, {});
  }

  async #respond({ kind, username, session }, given) {
    const answer = await this.#callAsClient("RespondToAuthChallenge", {
      ChallengeName: kind,
      Session: session,
      ChallengeResponses: { USERNAME: username, ...given },
    });
    return this.#next(answer, username);
  }

  /** Read an answer: tokens, or what is asked for first. */
  async #next(answer, before) {
    const { ChallengeName: kind, Session: session } = answer;
    if (!kind) return { tokens: tokensOf(answer) };
    const username = answer.ChallengeParameters?.USER_ID_FOR_SRP || before;
    if (kind === NEW_PASSWORD || kind === CODE) return { challenge: { kind, username, session } };
    if (kind !== SET_UP) throw new SignInRefusedError(`The user pool asks for ${kind}, which the console cannot answer.`);
    const made = await this.#call("AssociateSoftwareToken", { Session: session });
    return { challenge: { kind, username, session: made.Session, secret: String(made.SecretCode) } };
  }

  #callAsClient(action, members) {
    return this.#call(action, { ClientId: this.clientId, ...members });
  }

  async #call(action, members) {
    let response;
    try {
      response = await this.fetcher(this.path, {
        method: "POST",
        headers: {
          "Content-Type": "application/x-amz-json-1.1",
          "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}`,
        },
        body: JSON.stringify(members),
      });
    } catch {
      throw new UnreachableError();
    }
    const document = await response.json().catch(() => ({}));
    if (response.ok) return document;
    throw refusal(response.status, document);
  }
}

/** Do something, and say what it means when Cognito says no more than that one is not authorized. */
async function meaning(words, ask) {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof NotAuthorizedError ? new SignInRefusedError(words) : error;
  }
}

/** A code as people write it, in two groups for instance. Throws AnswerRefusedError. */
function codeIn(given) {
  const code = given.replace(/\s/g, "");
  if (!/^[0-9]{6}$/.test(code)) throw new AnswerRefusedError("A code has six digits; the authenticator app shows it.");
  return code;
}

function tokensOf(answer) {
  const result = answer.AuthenticationResult ?? {};
  if (typeof result.AccessToken !== "string") throw new ConsoleError("The answer to the sign-in was no sign-in.");
  return { access: result.AccessToken, refresh: result.RefreshToken ?? null };
}

function refusal(status, document) {
  const name = String(document.__type ?? "").split("#").pop();
  const said = `The user pool refused: ${document.message || document.Message || name}`;
  if (Object.hasOwn(TRY_AGAIN, name)) return new AnswerRefusedError(TRY_AGAIN[name] ?? said);
  if (NOT_AUTHORIZED.has(name)) return new NotAuthorizedError(said);
  if (status > 400 || !name) return new UnreachableError();
  return new SignInRefusedError(said);
}
