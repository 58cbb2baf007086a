/** A picture that a job has made, or the one that was uploaded while there is none yet. Loads what comes into view. */
import { html, useEffect, useRef, useState } from "../html.js";
import { onOwnOrigin } from "../storage.js";

/** Addresses that were asked for, by job and picture: good for some minutes, and the browser keeps what it has loaded. */
const addresses = new Map();
const GOOD_FOR_SECONDS = 120;
const AT_A_TIME = 4;
let busy = 0;
const waiting = [];

export function Picture({ services, job, artefact, alt, size = null }) {
  const holder = useRef(null);
  const [address, setAddress] = useState(null);
  const [isBroken, setBroken] = useState(false);
  const isMade = job.status === "SUCCEEDED";
  const isVisible = useSeen(holder);
  useEffect(() => {
    if (!isMade || !isVisible) return;
    let isThere = true;
    addressOf(services, job.jobId, artefact).then(
      (found) => isThere && (setBroken(false), setAddress(found)),
      () => isThere && setBroken(true),
    );
    return () => (isThere = false);
  }, [isMade, isVisible, job.jobId, artefact]);
  const source = address ?? services.uploads.pictureOf(job.jobId);
  return html`<span ref=${holder} class="picture" data-artefact=${artefact}>
    ${source && !isBroken
      ? html`<img src=${source} alt=${alt} width=${size?.width} height=${size?.height} decoding="async" onError=${() => setBroken(true)} />`
      : html`<span class="no-picture" aria-hidden="true"></span>`}
  </span>`;
}

function useSeen(holder) {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const watcher = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && (setSeen(true), watcher.disconnect()),
      { rootMargin: "200px" },
    );
    watcher.observe(holder.current);
    return () => watcher.disconnect();
  }, []);
  return isSeen;
}

/** Ask where a picture is. Throws ApiError. */
async function addressOf({ api, settings, session }, jobId, artefact) {
  const key = `${session.owner} ${jobId} ${artefact}`;
  const known = addresses.get(key);
  if (known && known.until > Date.now()) return known.address;
  const { url } = await inTurn(() => api.picture(jobId, artefact));
  const address = onOwnOrigin(url, settings.files);
  addresses.set(key, { address, until: Date.now() + GOOD_FOR_SECONDS * 1000 });
  return address;
}

async function inTurn(ask) {
  while (busy >= AT_A_TIME) await new Promise((resolve) => waiting.push(resolve));
  busy += 1;
  try {
    return await ask();
  } finally {
    busy -= 1;
    waiting.shift()?.();
  }
}
