import { InvalidRequest } from "./requests.js";

const LARGEST_SENT = 4_000_000;
const TIMES_HALVED = 6;

/** @typedef {{file_name: string, content: string, complete: boolean}} FirstPart */

/**
 * The first part of a file as a request takes it: compressed, in base64. A small file is sent as a whole, and an Excel file always is.
 * @param {Blob} file
 * @param {string} [name] the file's name; default: its own
 * @param {number} [most] bytes of the part before it is compressed
 * @returns {Promise<FirstPart>}
 * @throws {InvalidRequest} an Excel file is too large to be sent
 */
export async function firstPart(file, name = nameOf(file), most = 8_000_000) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (start[0] === 0x50 && start[1] === 0x4b)
    return { file_name: name, content: await whole(file, name), complete: true };
  const stream = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (file.stream());
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  let { bytes, complete } = await beginning(
    packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream,
    most,
  );
  let sent = await gzipped(bytes);
  for (let times = 0; sent.length > LARGEST_SENT && times < TIMES_HALVED; times++) {
    bytes = bytes.subarray(0, bytes.length / 2);
    complete = false;
    sent = await gzipped(bytes);
  }
  return { file_name: name, content: inBase64(sent), complete };
}

/** @param {Blob} file */
function nameOf(file) {
  return /** @type {File} */ (file).name ?? "customers.csv";
}

/** @param {Blob} file @param {string} name */
async function whole(file, name) {
  if (file.size > LARGEST_SENT)
    throw new InvalidRequest({
      status: 413,
      title: "The file is too large",
      detail: `${name} is a packed file of more than 4 MB, which cannot be sent in part. Save it as CSV.`,
    });
  return inBase64(new Uint8Array(await file.arrayBuffer()));
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream @param {number} most */
async function beginning(stream, most) {
  const reader = stream.getReader();
  const pieces = [];
  let size = 0;
  let complete = false;
  try {
    while (size <= most) {
      const { value, done } = await reader.read();
      if (done) {
        complete = true;
        break;
      }
      pieces.push(value);
      size += value.length;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return size > most ? { bytes: bytes.subarray(0, most), complete: false } : { bytes, complete };
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function gzipped(bytes) {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** @param {Uint8Array} bytes */
function inBase64(bytes) {
  const texts = [];
  for (let place = 0; place < bytes.length; place += 0x6000)
    texts.push(btoa(String.fromCharCode(...bytes.subarray(place, place + 0x6000))));
  return texts.join("");
}
