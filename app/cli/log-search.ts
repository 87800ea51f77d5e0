/** `unjam logs --search --regex --ignore-case`: the lines with a hit, whole, however long they are. */
import type { HttpClient } from '../api/http-client.ts';
import type { LogEntry, LogLine, LogLines } from '../contract/methods.ts';

export interface LineSearch {
  readonly text: string;
  readonly regex: boolean;
  readonly ignoreCase: boolean;
  /** Only lines from this sequence number on. */
  readonly since: number;
  readonly follow: boolean;
  readonly stream?: LogEntry['stream'];
}

const pageLines = 500;
const waitMs = 2_000;

export async function searchLines(
  client: HttpClient,
  ticket: string,
  search: LineSearch,
  print: (entry: LogEntry) => void,
): Promise<void> {
  const { text, regex, ignoreCase, since, follow, stream } = search;
  let size: number | null = null;
  for (let from = 0; ;) {
    const page: LogLines = await client.call('logs.lines', {
      ticket,
      from,
      count: pageLines,
      matching: { text, regex, ignoreCase },
      ...(stream === undefined ? {} : { streams: [stream] }),
      ...(size === null ? {} : { after: size, waitMs }),
    });
    // A line that may still grow is told when it is finished, or when nothing comes any more.
    const lines = page.complete || !follow ? page.lines : page.lines.filter((line) => line.finished);
    for (const line of lines) if (line.seq >= since) print(await whole(client, ticket, line));
    from += lines.length;
    if (from < page.total && lines.length > 0) continue;
    if (page.complete || (!follow && page.counted)) return;
    // An abandoned script is final while its orphan still writes: do not wait for that one.
    const isQuiet = size === page.size;
    size = page.counted ? page.size : null;
    if (isQuiet && (await client.call('scripts.get', { ticket })).state === 'final') return;
  }
}

async function whole(client: HttpClient, ticket: string, line: LogLine): Promise<LogEntry> {
  const { seq, stream, at, code, number } = line;
  let { text } = line;
  if (line.cut && number !== null) {
    text = '';
    for (let from: number | null = 0; from !== null;) {
      const part: { text: string; next: number | null } = await client.call('logs.line', {
        ticket,
        line: number,
        from,
      });
      text += part.text;
      from = part.next;
    }
  }
  const feed = line.finished && stream !== 'unjam' ? '\n' : '';
  return { seq, next: seq + line.bytes + (line.finished ? 1 : 0), stream, at, code, text: text + feed };
}
