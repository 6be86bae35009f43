/** Files for download: CSV for spreadsheets, and JSON. */
export type Cell = string | number | boolean | null | undefined;

/** A cell that no spreadsheet takes for a formula; numbers stay numbers. */
export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csvOf(header: string[], rows: Cell[][]): string {
  return [header, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
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
