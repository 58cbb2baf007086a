/**
 * What a user pool asks for before it gives tokens: `{kind, username, session}`, and `secret` where an authenticator app
 * has to be set up. One may follow another; `UserPool.answer` takes the answer to each. The mirror of challenges.py.
 */

/** A password of one's own: the first sign-in of an invited user. */
export const NEW_PASSWORD = "NEW_PASSWORD_REQUIRED";
/** The code that the user's authenticator app shows. */
export const CODE = "SOFTWARE_TOKEN_MFA";
/** The first code of an app, which is given the secret before: the pool lets nobody in without one. */
export const SET_UP = "MFA_SETUP";

/** Under which an authenticator app lists its codes. */
const ISSUER = "Darkroom";

/** A secret as the address that authenticator apps open. */
export function authenticatorUri(secret, account) {
  return `otpauth://totp/${ISSUER}:${encodeURIComponent(account)}?${new URLSearchParams({ secret, issuer: ISSUER })}`;
}

/** A secret in groups of four, to be typed; apps overlook the spaces. */
export function inGroups(secret) {
  return secret.match(/.{1,4}/g).join(" ");
}
