/**
 * What can go wrong between this page and Darkroom, in words for the person in front of it.
 *
 *     ConsoleError            any of them; its message says what to do
 *     ├── ApiError            the API answered with a problem document (RFC 9457)
 *     ├── UnreachableError    nothing answered
 *     ├── SignInRefusedError  the user pool did not let the user in
 *     │   └── AnswerRefusedError  it did not like what was typed, and may like something else, or the same later
 *     ├── SignInEndedError    the sign-in is over, here or at the user pool
 *     └── UploadError         a file that was not taken
 */

export class ConsoleError extends Error {}

export class ApiError extends ConsoleError {
  /** @param document a problem document, or what was answered in place of one */
  constructor(status, document, retryAfter = null) {
    const told = document && typeof document === "object" ? document : {};
    super(String(told.detail || told.title || `Darkroom answered with ${status}. Try again in a moment.`));
    this.status = status;
    this.type = String(told.type || "about:blank");
    this.jobStatus = told.jobStatus ?? null;
    this.retryAfter = retryAfter;
  }

  get isMissing() {
    return this.status === 404;
  }

  get isConflict() {
    return this.status === 409;
  }

  /** Whether the same request may be answered better later. */
  get isPassing() {
    return this.status === 429 || this.status >= 500;
  }
}

export class UnreachableError extends ConsoleError {
  constructor() {
    super("Darkroom cannot be reached. Check the network; it is tried again by itself.");
  }
}

export class SignInRefusedError extends ConsoleError {}

export class AnswerRefusedError extends SignInRefusedError {}

export class SignInEndedError extends ConsoleError {
  constructor() {
    super("You are signed out.");
  }
}

export class UploadError extends ConsoleError {
  /** @param canRetry whether the same file may be taken the next time */
  constructor(message, { canRetry = false } = {}) {
    super(message);
    this.canRetry = canRetry;
  }
}

/** Words for anything that was thrown: an error of ours speaks for itself, any other is a fault of this page. */
export function inWords(error) {
  if (error instanceof ConsoleError) return error.message;
  console.error(error);
  return "Something on this page went wrong. Reload it; your jobs go on.";
}
