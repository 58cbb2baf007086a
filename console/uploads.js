/** Files on their way to becoming jobs: a few at a time, each told of as it goes. What fails can be tried again. */
import { UnreachableError, UploadError, inWords } from "./problems.js";
import { KINDS_IN_WORDS, mediaTypeOf } from "./media_types.js";
import { Observed } from "./observed.js";
import { newJobId } from "./job_ids.js";
import { send } from "./storage.js";

/** Enough to use the line; more would only make each of them later. */
const AT_A_TIME = 3;
/** Between tries, as long as nothing answers; after the last, the person is asked. */
const PAUSES_SECONDS = [2, 4, 8, 15, 30, 60];
/** Of a tag, by the API. */
const LONGEST_NAME = 256;
export const FILE_TAG = "file";

export const WAITING = "waiting";
export const UPLOADING = "uploading";
export const REFUSED = "refused";

export class Uploads extends Observed {
  #api;
  #jobs;
  #files;
  #stop = new AbortController();
  #number = 0;
  #pictures = new Map();

  constructor(api, jobs, files) {
    super();
    this.#api = api;
    this.#jobs = jobs;
    this.#files = files;
    /** What is not a job yet: `{id, jobId, file, name, analyses, state, share, error, canRetry, pauses, rests}`, oldest first. */
    this.items = [];
  }

  /** Take files. `analyses`, if given, says what to find out. */
  add(files, { analyses = null } = {}) {
    for (const file of files) {
      this.#number += 1;
      const name = file.name || "image";
      this.items.push({ id: this.#number, jobId: newJobId(), file, name, analyses, state: WAITING, share: 0, error: "", pauses: 0 });
    }
    this.#goOn();
  }

  retry(id) {
    this.#change(id, { state: WAITING, share: 0, error: "", pauses: 0 });
    this.#goOn();
  }

  dismiss(id) {
    this.items = this.items.filter((item) => item.id !== id);
    this.changed();
  }

  /** An address of the picture of a job that was uploaded here, while its own are not made yet; or null. */
  pictureOf(jobId) {
    return this.#pictures.get(jobId) ?? null;
  }

  /** Stop everything: the user has signed out. */
  clear() {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const url of this.#pictures.values()) URL.revokeObjectURL(url);
    this.#pictures.clear();
    this.items = [];
    this.changed();
  }

  #goOn() {
    this.changed();
    const busy = this.items.filter((item) => item.state === UPLOADING).length;
    const next = this.items.filter((item) => item.state === WAITING && !item.rests).slice(0, AT_A_TIME - busy);
    for (const item of next) this.#upload(item);
  }

  async #upload({ id, jobId, file, name, analyses }) {
    const { signal } = this.#stop;
    this.#change(id, { state: UPLOADING });
    try {
      const contentType = await mediaTypeOf(file).catch(() => {
        throw new UploadError("The file cannot be read any more. Drop it again.");
      });
      if (!contentType) throw new UploadError(`This is no image that Darkroom reads: it reads ${KINDS_IN_WORDS}.`);
      const place = await this.#api.createUpload(contentType);
      const onProgress = (share) => this.#change(id, { share });
      await send(place, file, contentType, { files: this.#files, onProgress, signal });
      await this.#submit({ jobId, file, name, analyses, imageId: place.imageId });
      this.dismiss(id);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof UnreachableError && this.#rest(id)) return this.#goOn();
      this.#change(id, { state: REFUSED, error: inWords(error), canRetry: error.canRetry ?? true });
    }
    this.#goOn();
  }

  /** Let an upload wait for the network, which mostly comes back; false when it has waited often enough. */
  #rest(id) {
    const item = this.items.find((each) => each.id === id);
    const seconds = PAUSES_SECONDS[item?.pauses ?? Infinity];
    if (seconds === undefined) return false;
    this.#change(id, { state: WAITING, share: 0, pauses: item.pauses + 1, rests: true });
    setTimeout(() => {
      this.#change(id, { rests: false });
      this.#goOn();
    }, seconds * 1000);
    return true;
  }

  async #submit({ jobId, file, name, analyses, imageId }) {
    const tags = { [FILE_TAG]: name.slice(0, LONGEST_NAME) };
    await this.#api.submit(jobId, { imageId, tags, ...(analyses ? { analyses } : {}) });
    this.#pictures.set(jobId, URL.createObjectURL(file));
    const now = new Date().toISOString();
    this.#jobs.put({ jobId, seq: 0, status: "QUEUED", progress: 0, attempt: 1, createdAt: now, updatedAt: now, tags });
  }

  #change(id, members) {
    this.items = this.items.map((item) => (item.id === id ? { ...item, ...members } : item));
    this.changed();
  }
}
