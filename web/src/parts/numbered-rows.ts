/** A file without an id column, with one: the number of the row. */

export const ROW = "row_number";
const LARGEST = 100_000_000;
const [QUOTE, FEED] = [0x22, 0x0a];
const BOM = [0xef, 0xbb, 0xbf];
const SEPARATORS = [",", ";", "\t", "|"];

/** Why the rows of a file cannot be numbered here; null where they can. */
export function cannotNumber(file: File): string | null {
  if (!/\.(csv|txt|tsv)$/i.test(file.name)) return "Only the rows of a plain CSV file can be numbered here.";
  return file.size > LARGEST ? "Only the rows of a file of up to 100 MB can be numbered here." : null;
}

/** The file with a first column, whose header is ROW, and a number in each record. Line ends inside quotes end no record. */
export async function withRowNumbers(file: File): Promise<File> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const start = BOM.every((byte, place) => bytes[place] === byte) ? BOM.length : 0;
  const separator = separatorOf(new TextDecoder().decode(bytes.subarray(start, headerEnd(bytes, start))));
  const pieces: BlobPart[] = [`${ROW}${separator}`];
  let quoted = false;
  let from = start;
  let row = 0;
  for (let place = start; place < bytes.length; place++) {
    if (bytes[place] === QUOTE) quoted = !quoted;
    if (bytes[place] !== FEED || quoted) continue;
    pieces.push(bytes.subarray(from, place + 1));
    from = place + 1;
    if (from < bytes.length) pieces.push(`row-${++row}${separator}`);
  }
  pieces.push(bytes.subarray(from));
  return new File(pieces, file.name, { type: file.type, lastModified: file.lastModified });
}

function headerEnd(bytes: Uint8Array, start: number): number {
  const end = bytes.indexOf(FEED, start);
  return end < 0 ? bytes.length : end;
}

/** The separator that the header has most often. */
function separatorOf(header: string): string {
  const times = (separator: string) => header.split(separator).length;
  return SEPARATORS.reduce((best, separator) => (times(separator) > times(best) ? separator : best));
}
