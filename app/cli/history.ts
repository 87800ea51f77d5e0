/** `unjam history`: the journal. */
import { UnjamError } from '../contract/errors.ts';
import type { HistoryEntry } from '../contract/methods.ts';
import { parseDuration } from '../domain/durations.ts';
import { connect } from './connect.ts';
import { print, printJson, table } from './output.ts';

export async function history(options: {
  since?: string;
  ticket?: string;
  csv?: boolean;
  json?: boolean;
}): Promise<void> {
  const sinceMs = options.since === undefined ? 86_400_000 : parseDuration(options.since);
  if (sinceMs === null)
    throw new UnjamError(
      'bad-input',
      `--since: "${options.since}" is not a time.`,
      'Write it as 30m, 24h or 7d.',
      '--since',
    );
  const client = await connect();
  const entries = await client.call('history.list', {
    sinceMs,
    limit: 10_000,
    ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
  });
  client.close();
  if (options.json) printJson(entries);
  else if (options.csv) print(csv(entries));
  else if (entries.length === 0) print('Nothing happened in that time.');
  else
    print(
      table(
        ['TIME', 'WHO', 'WHAT', 'SCRIPT', 'LINE'],
        entries.map((e) => [e.at, e.who, e.kind, e.name ?? '-', `${e.code ?? ''} ${e.text}`.trim()]),
      ),
    );
}

export function csv(entries: readonly HistoryEntry[]): string {
  const columns = ['id', 'at', 'who', 'via', 'kind', 'code', 'ticket', 'name', 'mutex', 'text'] as const;
  const cell = (value: unknown): string => {
    const text = String(value ?? '');
    // A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection).
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns.join(','), ...entries.map((e) => columns.map((c) => cell(e[c])).join(','))].join('\r\n');
}
