/** `unjam logs`: the log of a script. */
import type { LogEntry } from '../contract/methods.ts';
import { UnjamError } from '../contract/errors.ts';
import { connect } from './connect.ts';
import { followLog, markedWriter, rawWriter } from './follow.ts';
import { searchLines } from './log-search.ts';
import { print } from './output.ts';

interface LogsOptions {
  follow?: boolean;
  stream?: string;
  since?: string;
  search?: string;
  regex?: boolean;
  ignoreCase?: boolean;
  raw?: boolean;
  json?: boolean;
}

export async function logs(ticket: string, o: LogsOptions): Promise<void> {
  const stream = streamOf(o.stream);
  const from = o.since === undefined ? 0 : sequence(o.since);
  if ((o.regex || o.ignoreCase) && o.search === undefined)
    throw new UnjamError(
      'bad-input',
      '--regex and --ignore-case say how to search, and there is nothing to search for.',
      'Add --search with what the lines contain.',
      '--search',
    );
  const client = await connect();
  try {
    const show = (entry: LogEntry): void => print(o.json ? JSON.stringify(entry) : entry.text.replace(/\n$/, ''));
    if (o.search !== undefined && (o.regex || o.ignoreCase)) {
      await searchLines(
        client,
        ticket,
        {
          text: o.search,
          regex: o.regex ?? false,
          ignoreCase: o.ignoreCase ?? false,
          since: from,
          follow: o.follow ?? false,
          ...(stream === undefined ? {} : { stream }),
        },
        show,
      );
      return;
    }
    if (o.json || o.search !== undefined) {
      for (let next = from; ;) {
        const page = await client.call('logs.read', {
          ticket,
          from: next,
          ...(stream === undefined ? {} : { stream }),
          ...(o.search === undefined ? {} : { search: o.search }),
          ...(o.follow ? { waitMs: 2_000 } : {}),
        });
        for (const entry of page.entries) print(o.json ? JSON.stringify(entry) : entry.text);
        const moved = page.next > next;
        next = page.next;
        if (page.complete || (!o.follow && !moved)) return;
      }
    }
    const plain = o.raw === true || stream === 'stdout' || stream === 'stderr';
    await followLog(
      client,
      ticket,
      { from, follow: o.follow ?? false, ...(stream === undefined ? {} : { stream }) },
      plain ? rawWriter() : markedWriter(),
    );
  } finally {
    client.close();
  }
}

function streamOf(text: string | undefined): LogEntry['stream'] | undefined {
  if (text === undefined || text === 'stdout' || text === 'stderr' || text === 'unjam') return text;
  throw new UnjamError('bad-input', `--stream: "${text}" is not a stream.`, 'Use stdout, stderr or unjam.', '--stream');
}

function sequence(text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 0)
    throw new UnjamError(
      'bad-input',
      `--since: "${text}" is not a sequence number.`,
      'Use "next" of an entry that "unjam logs --json" printed.',
      '--since',
    );
  return n;
}
