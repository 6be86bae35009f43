/**
 * PUT a piece of a file to a signed link; a failed PUT is repeated.
 * @param {string} url
 * @param {Blob} piece without a type, so that no unsigned header is sent
 * @param {(sent: number) => void} progress called with the number of bytes sent
 * @param {AbortSignal} [signal]
 * @throws {Unavailable}
 */
export function putPiece(url: string, piece: Blob, progress: (sent: number) => void, signal?: AbortSignal): Promise<void>;
