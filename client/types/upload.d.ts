/**
 * PUT a piece of a file to a signed link, again when that fails: the same piece in the same place.
 * @param {string} url
 * @param {Blob} piece without a type, so that no header is sent that was not signed
 * @param {(sent: number) => void} progress told how many of its bytes are sent
 * @param {AbortSignal} [signal]
 * @throws {Unavailable}
 */
export function putPiece(url: string, piece: Blob, progress: (sent: number) => void, signal?: AbortSignal): Promise<void>;
