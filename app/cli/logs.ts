/** `unjam logs`: the log of a script, whole, by its end, or by what its lines contain. */
import { UnjamError } from '../contract/errors.ts';
import type { LogEntry, LogLine, LogLines } from '../contract/methods.ts';
import { parseDuration } from '../domain/durations.ts';
import { isObservedId } from '../domain/observed-id.ts';
import type { Elsewhere, HostClient } from './command.ts';
import { withHost } from './connect.ts';
import { follow, followLog } from './follow.ts';
import { foundLine, markedWriter, rawWriter, send } from './log-writers.ts';
import { logsOfObserved } from './observed.ts';
import { exitStatuses, jsonText, say } from './output.ts';

export interface LogsOptions extends Elsewhere {
  follow?: boolean;
  tail?: string;
  stream?: string;
  since?: string;
  search?: string;
  regex?: boolean;
  ignoreCase?: boolean;
  raw?: boolean;
  json?: boolean;
}

const searchPage = 500;
const countMs = 30_000;

export async function logs(ticket: string, o: LogsOptions): Promise<void> {
  if (isObservedId(ticket)) return logsOfObserved(ticket, o);
  const stream = streamOf(o.stream);
  const since = o.since === undefined ? null : sinceOf(o.since);
  const tail = o.tail === undefined ? null : wholeNumber('--tail', o.tail, 'a number of lines', 'Write it as --tail 20.'); // prettier-ignore
  if ((o.regex || o.ignoreCase) && o.search === undefined)
    throw new UnjamError(
      'bad-input',
      '--regex and --ignore-case say how to search, and there is nothing to search for.',
      'Add --search with what the lines contain.',
      '--search',
    );
  const of = stream === undefined ? {} : { stream };
  await withHost(async (client) => {
    const begin = since === null ? 0 : 'seq' in since ? since.seq : await placeOfTime(client, ticket, since.at);
    const from = Math.max(begin, tail === null ? 0 : await placeOfTail(client, ticket, tail, stream));
    const isFollowing = o.follow ?? false;
    const asJson = (entry: LogEntry): Promise<void> => send(process.stdout, `${jsonText<'logs'>(entry)}\n`);
    if (o.search !== undefined) {
      const asText = (entry: LogEntry): Promise<void> => send(process.stdout, foundLine(entry));
      const query = { text: o.search, regex: o.regex ?? false, ignoreCase: o.ignoreCase ?? false, from, ...of };
      const hits = await search(client, ticket, isFollowing, query, o.json ? asJson : asText);
      if (hits > 0) return;
      say(`No line of the log contains "${o.search}".`);
      process.exitCode = exitStatuses.failure;
      return;
    }
    const isPlain = o.raw === true || stream === 'stdout' || stream === 'stderr';
    const write = o.json ? asJson : isPlain ? rawWriter() : markedWriter();
    await followLog(client, ticket, { from, follow: isFollowing, raw: o.json !== true, ...of }, write);
  }, o);
}

/** The sequence number at which the last `lines` lines begin. */
async function placeOfTail(
  client: HostClient,
  ticket: string,
  lines: number,
  stream: LogEntry['stream'] | undefined,
): Promise<number> {
  const of = stream === undefined ? {} : { streams: [stream] };
  const { total, size } = await client.call('logs.lines', { ticket, count: 1, waitMs: countMs, ...of });
  if (lines === 0) return size;
  if (lines >= total) return 0;
  const page = await client.call('logs.lines', { ticket, from: total - lines, count: 1, ...of });
  return page.lines[0]?.seq ?? size;
}

/** The sequence number of the first line that came at `at` (ms since 1970) or later. */
async function placeOfTime(client: HostClient, ticket: string, at: number): Promise<number> {
  const { total, size } = await client.call('logs.lines', { ticket, count: 1, waitMs: countMs });
  const lineAt = async (place: number): Promise<LogLine | undefined> =>
    (await client.call('logs.lines', { ticket, from: place, count: 1 })).lines[0];
  let [low, high] = [0, total];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineAt(middle);
    if (line === undefined || line.at === null || Date.parse(line.at) >= at) high = middle;
    else low = middle + 1;
  }
  return low >= total ? size : ((await lineAt(low))?.seq ?? size);
}

interface Search {
  readonly text: string;
  readonly regex: boolean;
  readonly ignoreCase: boolean;
  /** Only lines from this sequence number on. */
  readonly from: number;
  readonly stream?: LogEntry['stream'];
}

/** Prints the lines with a hit, whole, however long they are; returns how many. */
async function search(
  client: HostClient,
  ticket: string,
  isFollowing: boolean,
  { text, regex, ignoreCase, from, stream }: Search,
  show: (entry: LogEntry) => Promise<void>,
): Promise<number> {
  let place = 0;
  let hits = 0;
  let size: number | null = null;
  await follow(client, ticket, isFollowing, async (waitMs) => {
    const page: LogLines = await client.call('logs.lines', {
      ticket,
      from: place,
      count: searchPage,
      matching: { text, regex, ignoreCase },
      ...(stream === undefined ? {} : { streams: [stream] }),
      ...(size === null ? {} : { after: size, waitMs }),
    });
    // A line that may still grow is told when it is finished, or when nothing comes any more.
    const lines = page.complete || !isFollowing ? page.lines : page.lines.filter((line) => line.finished);
    for (const line of lines)
      if (line.seq >= from) {
        hits += 1;
        await show(await whole(client, ticket, line));
      }
    place += lines.length;
    const isBehind = (place < page.total && lines.length > 0) || !page.counted;
    const grew = size !== page.size;
    size = isBehind ? null : page.size;
    return { moved: isBehind || (isFollowing && grew), complete: page.complete && !isBehind };
  });
  return hits;
}

async function whole(client: HostClient, ticket: string, line: LogLine): Promise<LogEntry> {
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

function streamOf(text: string | undefined): LogEntry['stream'] | undefined {
  if (text === undefined || text === 'stdout' || text === 'stderr' || text === 'unjam') return text;
  throw new UnjamError('bad-input', `--stream: "${text}" is not a stream.`, 'Use stdout, stderr or unjam.', '--stream');
}

function sinceOf(text: string): { readonly seq: number } | { readonly at: number } {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { seq: Number(text) };
  const ms = parseDuration(text);
  if (ms !== null && !/^[\d.]+$/.test(text.trim())) return { at: Date.now() - ms };
  throw new UnjamError(
    'bad-input',
    `--since: "${text}" is neither a time nor a sequence number.`,
    'Write how long ago, as 10m or 1h30m; or use "next" of an entry that "unjam logs --json" printed.',
    '--since',
  );
}

function wholeNumber(option: string, text: string, what: string, next: string): number {
  const n = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(n)) return n;
  throw new UnjamError('bad-input', `${option}: "${text}" is not ${what}.`, next, option);
}
