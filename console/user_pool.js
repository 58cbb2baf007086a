/**
 * Signing in: the few calls of Cognito that it takes, spoken over plain HTTPS, as the Python client does.
 *
 * https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html
 */
import { ConsoleError, SignInEndedError, SignInRefusedError, UnreachableError } from "./problems.js";

const THROTTLES = new Set(["TooManyRequestsException", "LimitExceededException", "ThrottlingException"]);
const WRONG_PASSWORD = new Set(["NotAuthorizedException", "UserNotFoundException"]);
const NEW_PASSWORD = "NEW_PASSWORD_REQUIRED";

export class UserPool {
  constructor({ path, clientId, fetcher = (...asked) => fetch(...asked) }) {
    this.path = path;
    this.clientId = clientId;
    this.fetcher = fetcher;
  }

  /**
   * Trade a name and a password for `{tokens}`, or for `{newPassword}`: what `setNewPassword` needs when the pool asks
   * for one, at the first sign-in of an invited user. Throws SignInRefusedError.
   */
  async signIn(username, password) {
    const answer = await this.#call("InitiateAuth", {
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: username, PASSWORD: password },
    });
    if (answer.ChallengeName === NEW_PASSWORD) {
      const askedOf = answer.ChallengeParameters?.USER_ID_FOR_SRP || username;
      return { newPassword: { username: askedOf, session: answer.Session } };
    }
    return { tokens: tokensOf(answer) };
  }

  /** Answer the demand for a new password; returns tokens. Throws SignInRefusedError when the pool does not like it. */
  async setNewPassword({ username, session }, password) {
    const answer = await this.#call("RespondToAuthChallenge", {
      ChallengeName: NEW_PASSWORD,
      Session: session,
      ChallengeResponses: { USERNAME: username, NEW_PASSWORD: password },
    });
    return tokensOf(answer);
  }

  /** Trade a refresh token for fresh tokens. Throws SignInEndedError when the sign-in is over. */
  async refresh(refreshToken) {
    try {
      const answer = await this.#call("InitiateAuth", {
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
    await this.#call("RevokeToken", { Token: refreshToken });
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
        body: JSON.stringify({ ClientId: this.clientId, ...members }),
      });
    } catch {
      throw new UnreachableError();
    }
    const document = await response.json().catch(() => ({}));
    if (response.ok) return document;
    throw refusal(response.status, document);
  }
}

function tokensOf(answer) {
  if (answer.ChallengeName) {
    throw new SignInRefusedError(
      answer.ChallengeName.includes("MFA")
        ? "This user signs in with a second factor, which the console cannot ask for yet. Use a user without one."
        : `The user pool asks for ${answer.ChallengeName}, which the console cannot answer.`,
    );
  }
  const result = answer.AuthenticationResult ?? {};
  if (typeof result.AccessToken !== "string") throw new ConsoleError("The answer to the sign-in was no sign-in.");
  return { access: result.AccessToken, refresh: result.RefreshToken ?? null };
}

function refusal(status, document) {
  const name = String(document.__type ?? "").split("#").pop();
  if (THROTTLES.has(name)) return new SignInRefusedError("Too many sign-ins. Wait a minute, then try again.");
  if (WRONG_PASSWORD.has(name)) {
    return new SignInRefusedError("The email address or the password is wrong, or the user may not sign in.");
  }
  if (status > 400 || !name) return new UnreachableError();
  return new SignInRefusedError(`The user pool refused: ${document.message || document.Message || name}`);
}
