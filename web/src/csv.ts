/** Files for download: CSV for spreadsheets, and JSON. */
export type Cell = string | number | boolean | null | undefined;

export type Separator = "comma" | "semicolon" | "tab";
export type Decimal = "point" | "comma";
const SEPARATORS: Record<Separator, string> = { comma: ",", semicolon: ";", tab: "\t" };

/** A cell that no spreadsheet takes for a formula; numbers stay numbers. */
export function csvCell(value: Cell, separator: Separator = "comma", decimal: Decimal = "point"): string {
  if (value === null || value === undefined) return "";
  const mark = SEPARATORS[separator];
  if (typeof value === "number") {
    const number = decimal === "comma" ? String(value).replace(".", ",") : String(value);
    return Number.isFinite(value) ? (number.includes(mark) ? `"${number}"` : number) : "";
  }
  const text = String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /["\r\n]/.test(harmless) || harmless.includes(mark) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csvOf(
  header: string[],
  rows: Cell[][],
  separator: Separator = "comma",
  decimal: Decimal = "point",
): string {
  const line = (row: Cell[]) =>
    `${row.map((cell) => csvCell(cell, separator, decimal)).join(SEPARATORS[separator])}\r\n`;
  return [header, ...rows].map(line).join("");
}

/** Downloads a file written here; the byte order mark at its start tells spreadsheets that the text is UTF-8. */
export function saveCsv(name: string, text: string): void {
  save(name, new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
}

/** Downloads a JSON document written here. */
export function saveJson(name: string, document: unknown): void {
  save(name, new Blob([JSON.stringify(document, null, 1)], { type: "application/json" }));
}

function save(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  download(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Follows a link to a file. */
export function download(address: string, name = ""): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.rel = "noopener";
  document.body.append(link);
  link.click();
  link.remove();
}
