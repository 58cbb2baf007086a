/** Other jobs of the same picture. */
import { Picture } from "./picture.js";
import { html } from "../html.js";
import { nameOf } from "../words.js";
import { toJob } from "../places.js";
import { useLoaded } from "./parts.js";

export function Similar({ services, job }) {
  const { value, error } = useLoaded((signal) => services.api.similar(job.jobId, { signal }), [job.jobId]);
  // A job without a fingerprint has nothing to be compared by: that is no error.
  if (error?.isConflict || (value && !value.similar.length)) return null;
  return html`<section class="panel" aria-labelledby="similar">
    <h2 id="similar">The same picture in other jobs</h2>
    ${error && html`<p class="faint">They could not be looked up just now.</p>`}
    ${value &&
    html`<ul class="similar">
      ${value.similar.map(
        ({ job: other, distance, confirmed }) => html`<li key=${other.jobId}>
          <a href=${toJob(other.jobId)}>
            <${Picture} services=${services} job=${other} artefact="thumbnail" alt="" />
            <span dir="auto">${nameOf(other)}</span>
            <span class="faint">${confirmed ? "The same" : "Perhaps the same"}: ${distance} of 64 bits differ</span>
          </a>
        </li>`,
      )}
    </ul>`}
    ${value?.more && html`<p class="faint">and others that are further away</p>`}
  </section>`;
}
