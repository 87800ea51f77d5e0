/** Takes lines or bytes of a log away: to the clipboard or into a file. */
import type { ConsoleClient } from '../contract.ts';
import type { LiveLog } from '../state/live-log.svelte.ts';
import { fromBase64 } from '../words/base64.ts';
import { cleanText, timedText } from './clean.ts';

const pageLines = 2_000;
const pageBytes = 4_194_304;

export interface SaveChoice {
  readonly content: 'raw' | 'plain' | 'timed';
  readonly stream: 'stdout' | 'stderr' | null;
}

/** Places `from` to `to`; every line whole, also one that is shown cut. */
export async function linesAsText(log: LiveLog, from: number, to: number, withTimes: boolean): Promise<string> {
  const texts: string[] = [];
  for (let place = from; place < to;) {
    const { lines } = await log.read(place, Math.min(pageLines, to - place));
    if (lines.length === 0) break;
    for (const line of lines) {
      const whole = line.cut && line.number !== null ? { ...line, text: await log.whole(line.number) } : line;
      texts.push(withTimes ? timedText(whole) : cleanText(whole));
    }
    place += lines.length;
  }
  return texts.join('\n');
}

/** `onPart` tells how far it is, from 0 to 1. */
export async function asFile(
  client: ConsoleClient,
  log: LiveLog,
  choice: SaveChoice,
  signal: AbortSignal,
  onPart: (share: number) => void,
): Promise<Blob> {
  return choice.content === 'raw'
    ? await rawFile(client, log, choice, signal, onPart)
    : await textFile(client, log, choice, signal, onPart);
}

async function rawFile(
  client: ConsoleClient,
  log: LiveLog,
  { stream }: SaveChoice,
  signal: AbortSignal,
  onPart: (share: number) => void,
): Promise<Blob> {
  const ticket = log.ticket ?? '';
  const parts: BlobPart[] = [];
  for (let from = 0; ;) {
    const page = await client.call(
      'logs.read',
      { ticket, from, raw: true, maxBytes: pageBytes, ...(stream === null ? {} : { stream }) },
      signal,
    );
    for (const entry of page.entries) if (entry.base64 !== undefined) parts.push(fromBase64(entry.base64));
    onPart(page.next / Math.max(1, page.size));
    if (page.next >= page.size || page.next <= from) return new Blob(parts, { type: 'application/octet-stream' });
    from = page.next;
  }
}

async function textFile(
  client: ConsoleClient,
  log: LiveLog,
  { content, stream }: SaveChoice,
  signal: AbortSignal,
  onPart: (share: number) => void,
): Promise<Blob> {
  const ticket = log.ticket ?? '';
  const parts: string[] = [];
  for (let from = 0; ;) {
    const page = await client.call(
      'logs.lines',
      { ticket, from, count: pageLines, ...(stream === null ? {} : { streams: [stream] }) },
      signal,
    );
    let text = '';
    for (const line of page.lines) {
      const whole = line.cut && line.number !== null ? { ...line, text: await log.whole(line.number, signal) } : line;
      text += `${content === 'timed' ? timedText(whole) : cleanText(whole)}\n`;
    }
    parts.push(text);
    from += page.lines.length;
    onPart(from / Math.max(1, page.total));
    if (page.lines.length === 0 || from >= page.total) return new Blob(parts, { type: 'text/plain;charset=utf-8' });
  }
}
