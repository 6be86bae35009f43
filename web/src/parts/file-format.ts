import type { Decimal, Separator } from "../csv";

/** How downloaded files are written: each spreadsheet opens those of its own country. */
export interface FileFormat {
  separator: Separator;
  decimal: Decimal;
}

export const FORMATS: { name: string; words: string; format: FileFormat }[] = [
  { name: "comma-point", words: "Comma, 1.5", format: { separator: "comma", decimal: "point" } },
  { name: "semicolon-comma", words: "Semicolon, 1,5", format: { separator: "semicolon", decimal: "comma" } },
  { name: "tab-point", words: "Tab, 1.5", format: { separator: "tab", decimal: "point" } },
  { name: "tab-comma", words: "Tab, 1,5", format: { separator: "tab", decimal: "comma" } },
];
const STORED = "retainstream.file-format";

/** The name of the format that was chosen in this browser, or the usual one where its numbers are written. */
export function rememberedFormat(locale?: string): string {
  const stored = read();
  if (FORMATS.some(({ name }) => name === stored)) return stored ?? "";
  return new Intl.NumberFormat(locale).format(1.5).includes(",") ? "semicolon-comma" : "comma-point";
}

export function rememberFormat(name: string): void {
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // The browser keeps nothing; the choice holds for this page.
  }
}

export function formatOf(name: string): FileFormat {
  return FORMATS.find((each) => each.name === name)?.format ?? { separator: "comma", decimal: "point" };
}

function read(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}
