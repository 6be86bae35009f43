/** @typedef {{file_name: string, content: string, complete: boolean}} FirstPart */
/**
 * The first part of a file as a request takes it: compressed, in base64. A small file is sent as a whole, and an Excel file always is.
 * @param {Blob} file
 * @param {string} [name] the file's name; default: its own
 * @param {number} [most] bytes of the part before it is compressed
 * @returns {Promise<FirstPart>}
 * @throws {InvalidRequest} an Excel file is too large to be sent
 */
export function firstPart(file: Blob, name?: string, most?: number): Promise<FirstPart>;
export type FirstPart = {
    file_name: string;
    content: string;
    complete: boolean;
};
