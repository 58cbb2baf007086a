/** Uploads to the image store, by the presigned form of an upload. The sign-in is never sent there. */
import { UnreachableError, UploadError } from "./problems.js";

/** Move a presigned address to the path under which this page's own origin serves the image store. */
export function onOwnOrigin(address, files) {
  const url = new URL(address);
  return `${files}${url.pathname}${url.search}`;
}

/**
 * Send a file where `upload`, the API's Upload, says. `onProgress` hears of shares from 0 to 1: fetch cannot tell them,
 * XMLHttpRequest can. Throws UploadError and UnreachableError.
 */
export function send(upload, file, contentType, { files, onProgress, signal }) {
  if (file.size > upload.maxBytes) throw new UploadError(tooLarge(file.size, upload.maxBytes));
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
  form.append("file", new Blob([file], { type: contentType }), "image");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(request)));
    request.onerror = () => reject(new UnreachableError());
    request.onabort = () => reject(new UploadError("The upload was stopped."));
    signal?.addEventListener("abort", () => request.abort());
    request.open("POST", onOwnOrigin(upload.url, files));
    request.send(form);
  });
}

function tooLarge(size, most) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  return `The file has ${megabytes(size)} MB; Darkroom takes ${megabytes(most)} MB at most. Shrink it, then drop it again.`;
}

function refusal(request) {
  const code = /<Code>(\w{1,64})<\/Code>/.exec(request.responseText)?.[1] ?? "";
  if (code === "EntityTooLarge") return new UploadError("The file is larger than Darkroom takes. Shrink it.");
  return new UploadError(`The image store refused the upload (${request.status} ${code}). Try it again.`, {
    canRetry: true,
  });
}
