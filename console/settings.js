/** What this deployment tells its page: where everything is, always on the page's own origin. */
import { ConsoleError } from "./problems.js";

const PATHS = ["api", "signIn", "live", "files"];

/** Fetch and check `/config.json`. Throws ConsoleError. */
export async function loadSettings(fetcher = fetch) {
  const settings = await read(fetcher);
  for (const name of PATHS) {
    // A path and nothing else: a page that was told of another host would send it the sign-in.
    if (!/^\/[A-Za-z0-9._/-]*$/.test(settings?.[name] ?? "") || settings[name].startsWith("//")) {
      throw new ConsoleError("config.json of this console is not usable. Whoever deployed it should deploy it again.");
    }
  }
  return { executionUrl: null, demoUser: null, ...settings };
}

async function read(fetcher) {
  try {
    const response = await fetcher("/config.json", { cache: "no-store" });
    if (!response.ok) throw new Error(`config.json: ${response.status}`);
    return await response.json();
  } catch (error) {
    console.error(error);
    throw new ConsoleError("The console could not load its settings. Check the network, then reload the page.");
  }
}
