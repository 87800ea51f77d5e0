/** The journal as a file: CSV that no spreadsheet takes for formulas, and JSON. The same columns as `unjam history --csv`. Pure. */
import type { HistoryEntry } from '../contract.ts';

const columns = ['id', 'at', 'who', 'via', 'kind', 'code', 'ticket', 'name', 'mutex', 'text'] as const;

export function toCsv(entries: readonly HistoryEntry[]): string {
  return [columns.join(','), ...entries.map((e) => columns.map((c) => cell(e[c])).join(','))].join('\r\n');
}

export const toJson = (entries: readonly HistoryEntry[]): string => JSON.stringify(entries, null, 2);

function cell(value: string | number | null): string {
  const text = String(value ?? '');
  // A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection).
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
