/** The journal as a file, as `unjam history --csv` and `--json` have it. Pure. */
import { csv, historyColumns } from '../../app/domain/csv.ts';
import { jsonDocument } from '../../app/domain/json-document.ts';
import type { HistoryEntry } from '../contract.ts';

export const toCsv = (entries: readonly HistoryEntry[]): string => csv(historyColumns, entries);

export const toJson = (entries: readonly HistoryEntry[]): string => jsonDocument({ entries }, 2);
