/** Tables as CSV (RFC 4180) whose cells no spreadsheet takes for formulas. */
import { visibleLine } from './visible.ts';

/** The columns of the journal, in the command line's file and in the console's. */
export const historyColumns = ['id', 'at', 'who', 'via', 'kind', 'code', 'ticket', 'name', 'mutex', 'text'] as const;

export function csv<C extends string>(
  columns: readonly C[],
  rows: readonly Readonly<Record<C, string | number | null>>[],
): string {
  return [columns.join(','), ...rows.map((row) => columns.map((c) => cell(row[c])).join(','))].join('\r\n');
}

/** A formula gets an apostrophe, also behind what some spreadsheets take for a separator (OWASP, CSV injection). */
function cell(value: string | number | null): string {
  const text = visibleLine(String(value ?? ''));
  const safe = /^[\s;,]*[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
