/** `unjam history`: the journal. */
import { UnjamError } from '../contract/errors.ts';
import { csv, historyColumns } from '../domain/csv.ts';
import { parseDuration } from '../domain/durations.ts';
import type { Elsewhere } from './command.ts';
import { withHost } from './connect.ts';
import { print, printFile, printJson, table } from './output.ts';

interface HistoryOptions extends Elsewhere {
  since?: string;
  ticket?: string;
  csv?: boolean;
  json?: boolean;
}

export async function history(options: HistoryOptions): Promise<void> {
  const sinceMs = options.since === undefined ? 86_400_000 : parseDuration(options.since);
  if (sinceMs === null)
    throw new UnjamError(
      'bad-input',
      `--since: "${options.since}" is not a time.`,
      'Write it as 30m, 24h or 7d.',
      '--since',
    );
  const entries = await withHost(
    (client) =>
      client.call('history.list', {
        sinceMs,
        limit: 10_000,
        ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
      }),
    options,
  );
  if (options.json) printJson<'history'>({ entries });
  else if (options.csv) printFile(csv(historyColumns, entries));
  else if (entries.length === 0) print('Nothing happened in that time.');
  else
    print(
      table(
        ['TIME', 'WHO', 'WHAT', 'SCRIPT', 'LINE'],
        entries.map((e) => [e.at, e.who, e.kind, e.name ?? '-', `${e.code ?? ''} ${e.text}`.trim()]),
      ),
    );
}
