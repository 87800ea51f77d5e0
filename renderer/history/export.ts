/** The journal as a file: CSV with the columns of `unjam history --csv`, and JSON. Pure. */
import { csv, historyColumns } from '../../app/domain/csv.ts';
import { visibleJson } from '../../app/domain/visible.ts';
import type { HistoryEntry } from '../contract.ts';

export const toCsv = (entries: readonly HistoryEntry[]): string => csv(historyColumns, entries);

export const toJson = (entries: readonly HistoryEntry[]): string => visibleJson(entries, 2);
