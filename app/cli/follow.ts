/** Prints a script's log as it grows: bytes as they were, Unjam's lines in between. */
import type { HttpClient } from '../api/http-client.ts';
import type { LogEntry } from '../contract/methods.ts';

export interface LogWriter {
  bytes(stream: 'stdout' | 'stderr', bytes: Buffer): void;
  line(entry: LogEntry): void;
}

/** Reads from `from` on; returns the sequence number to go on from. Stops at the end, or with `follow` when the script is final. */
export async function followLog(
  client: HttpClient,
  ticket: string,
  query: { readonly from: number; readonly follow: boolean; readonly stream?: LogEntry['stream'] },
  write: LogWriter,
  onSeq: (seq: number) => void = () => undefined,
): Promise<void> {
  let from = query.from;
  for (;;) {
    const page = await client.call('logs.read', {
      ticket,
      from,
      raw: true,
      maxBytes: 1_048_576,
      ...(query.stream === undefined ? {} : { stream: query.stream }),
      ...(query.follow ? { waitMs: 2_000 } : {}),
    });
    for (const entry of page.entries)
      if (entry.stream === 'unjam') write.line(entry);
      else write.bytes(entry.stream, Buffer.from(entry.base64 ?? '', 'base64'));
    const moved = page.next > from;
    from = page.next;
    onSeq(from);
    if (page.complete) return;
    if (!query.follow && !moved) return;
    // An abandoned script is final while its orphan still writes: do not wait for that one.
    if (query.follow && !moved && (await client.call('scripts.get', { ticket })).state === 'final') return;
  }
}

/** Everything on stdout: the script's stdout as it was, its stderr lines marked `E| `, Unjam's lines marked and on their own line. */
export function markedWriter(): LogWriter {
  let column = 0;
  const out = (text: string | Uint8Array): void => {
    process.stdout.write(text);
  };
  return {
    bytes(stream, bytes) {
      if (stream === 'stdout') out(bytes);
      else {
        if (column !== 0) out('\n');
        const text = bytes.toString('latin1').replace(/^(?!$)/gm, 'E| ');
        out(Buffer.from(text, 'latin1'));
      }
      column = bytes.at(-1) === 10 ? 0 : 1;
    },
    line(entry) {
      if (column !== 0) out('\n');
      out(`Unjam ${entry.at ?? ''} ${entry.code ?? ''} ${entry.text}\n`);
      column = 0;
    },
  };
}

/** The bytes alone, no marks; `--stream` decides which. */
export function rawWriter(): LogWriter {
  return {
    bytes(_stream, bytes) {
      process.stdout.write(bytes);
    },
    line() {
      // Not the script's bytes.
    },
  };
}

/** As if the script ran here: its streams on ours, Unjam's lines on stderr. */
export function passThroughWriter(): LogWriter {
  return {
    bytes(stream, bytes) {
      (stream === 'stdout' ? process.stdout : process.stderr).write(bytes);
    },
    line(entry) {
      process.stderr.write(`unjam: ${entry.code ?? ''} ${entry.text}\n`);
    },
  };
}
