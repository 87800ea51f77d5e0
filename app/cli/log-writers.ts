/** The ways in which a log is printed. Each waits until a slow reader has taken what was written. */
import { once } from 'node:events';
import type { LogEntry } from '../contract/methods.ts';
import { visibleLine, visibleOutput } from '../domain/visible.ts';
import type { Annotations } from './annotations.ts';

export type LogWriter = (entry: LogEntry) => Promise<void>;

const bytesOf = (entry: LogEntry): Buffer => Buffer.from(entry.base64 ?? '', 'base64');

export async function send(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  if (stream.write(data) || stream.destroyed || stream.errored) return;
  const over = new AbortController();
  const end = (): void => over.abort();
  stream.once('error', end);
  await once(stream, 'drain', { signal: over.signal }).catch(() => undefined);
  stream.off('error', end);
}

/** A line that was found. On a terminal only colours are left of a script's sequences; a file gets what it wrote. */
export const foundLine = ({ stream, text }: LogEntry, out = process.stdout): string =>
  stream === 'unjam' ? `${visibleLine(text)}\n` : (out.isTTY ? visibleOutput(text) : text).replace(/\n?$/, '\n');

/**
 * Everything on stdout: the script's stdout as it was, its stderr lines marked `E| `, Unjam's lines marked `Unjam ` and
 * on their own line. A line of output that begins like a mark gets `| ` before it: no script can imitate Unjam. On a
 * terminal only colours are left of its escape sequences.
 */
export function markedWriter(out: NodeJS.WriteStream = process.stdout): LogWriter {
  let isLineStart = true;
  const shown = (bytes: Buffer): Buffer => (out.isTTY ? Buffer.from(visibleOutput(bytes.toString())) : bytes);
  return async (entry) => {
    if (entry.stream === 'unjam') {
      const line = `Unjam ${entry.at ?? ''} ${entry.code ?? ''} ${visibleLine(entry.text)}\n`;
      await send(out, isLineStart ? line : `\n${line}`);
      isLineStart = true;
      return;
    }
    const bytes = shown(bytesOf(entry));
    if (bytes.length === 0) return;
    // One byte is one character in here: lines are found without decoding, and come out as they were.
    const text = bytes.toString('latin1');
    const marked =
      entry.stream === 'stderr'
        ? `${isLineStart ? '' : '\n'}${text.replace(/^(?!$)/gm, 'E| ')}`
        : text.replace(/^(?=Unjam |E\| |\| )/gm, (_mark, at: number) => (at === 0 && !isLineStart ? '' : '| '));
    await send(out, Buffer.from(marked, 'latin1'));
    isLineStart = text.endsWith('\n');
  };
}

/** The bytes alone, no marks; Unjam's lines are none of the script's bytes. */
export function rawWriter(out: NodeJS.WriteStream = process.stdout): LogWriter {
  return async (entry) => {
    if (entry.stream !== 'unjam') await send(out, bytesOf(entry));
  };
}

/**
 * As if the script ran here: its streams on ours, Unjam's lines as `annotations` has them. `isLost`: nobody reads that
 * stream any more.
 */
export function passThroughWriter(
  annotations: Annotations,
  isLost: (stream: 'stdout' | 'stderr') => boolean,
): LogWriter {
  const atLineStart = { stdout: true, stderr: true };
  return async (entry) => {
    if (entry.stream === 'unjam') {
      const text = annotations.of(entry.code, entry.text);
      // The bytes of the script's own line come first: what stands in the middle of it goes where it does no harm.
      const stream = atLineStart[annotations.stream] ? annotations.stream : 'stderr';
      if (!isLost(stream)) await send(process[stream], atLineStart[stream] ? text : `\n${text}`);
      atLineStart[stream] = true;
      return;
    }
    const bytes = bytesOf(entry);
    if (bytes.length > 0) atLineStart[entry.stream] = bytes.at(-1) === 0x0a;
    if (!isLost(entry.stream)) await send(process[entry.stream], bytes);
  };
}
