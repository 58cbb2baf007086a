/** Time, as the modules of this page take it, so that tests can hold it still. */

export const clock = {
  /** Seconds since 1970. */
  now: () => Date.now() / 1000,
  /** Wait; an aborted `signal` ends it early, without an error. */
  sleep: (seconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, seconds * 1000);
      signal?.addEventListener("abort", done);
    }),
  jitter: (longest) => Math.random() * longest,
};
