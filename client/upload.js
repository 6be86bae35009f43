import { pauseFor, Unavailable } from "./requests.js";

const TRIES = 4;

/**
 * PUT a piece of a file to a signed link; a failed PUT is repeated.
 * @param {string} url
 * @param {Blob} piece without a type, so that no unsigned header is sent
 * @param {(sent: number) => void} progress called with the number of bytes sent
 * @param {AbortSignal} [signal]
 * @throws {Unavailable}
 */
export async function putPiece(url, piece, progress, signal) {
  const put = globalThis.XMLHttpRequest ? putWithProgress : putAtOnce;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const status = await put(url, piece, progress, signal);
    if (status >= 200 && status < 300) return progress(piece.size);
    signal?.throwIfAborted();
    if (attempt === TRIES || (status >= 400 && status < 500)) throw refused(status);
    await pauseFor((0.5 + Math.random()) * 250 * 2 ** attempt, signal);
  }
}

/** @param {string} url @param {Blob} piece @param {(sent: number) => void} _progress @param {AbortSignal} [signal] */
async function putAtOnce(url, piece, _progress, signal) {
  try {
    return (await fetch(url, { method: "PUT", body: piece, signal })).status;
  } catch {
    return 0;
  }
}

/**
 * Uses XMLHttpRequest, because fetch does not report the progress of a body.
 * @param {string} url @param {Blob} piece @param {(sent: number) => void} progress @param {AbortSignal} [signal]
 * @returns {Promise<number>} the status, 0 for no answer
 */
function putWithProgress(url, piece, progress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onloadend = () => resolve(request.status);
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.open("PUT", url);
    request.send(piece);
  });
}

/** @param {number} status */
function refused(status) {
  const detail =
    status === 403
      ? "The upload link has expired or does not fit the file. Start the upload again."
      : "The file could not be uploaded.";
  return new Unavailable({ status, title: "Upload failed", detail });
}
