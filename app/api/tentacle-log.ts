/** Entries of a script's log as Tentacle has them: one for each line. Pure. */
import type { LogEntry } from '../contract/methods.ts';

const sources = { stdout: 0, stderr: 1, unjam: 2 } as const satisfies Record<LogEntry['stream'], number>;

export interface ProcessOutput {
  readonly Source: 0 | 1 | 2;
  readonly Text: string;
  readonly Occurred: string | null;
}

/** A line that two entries have a part of is one, at the place of its end. */
export function outputsOf(entries: readonly LogEntry[]): ProcessOutput[] {
  const outputs: ProcessOutput[] = [];
  const open = new Map<LogEntry['stream'], LogEntry>();
  for (const entry of entries) {
    const begun = open.get(entry.stream)?.text ?? '';
    const isOpen = entry.stream !== 'unjam' && !entry.text.endsWith('\n');
    const lines = `${begun}${entry.text}`.replace(/\r?\n$/, '').split(/\r?\n/);
    open.delete(entry.stream);
    if (isOpen) open.set(entry.stream, { ...entry, text: lines.pop() ?? '' });
    for (const line of lines) outputs.push(output(entry, line)); // one entry may have a hundred thousand
  }
  return [...outputs, ...[...open.values()].map((entry) => output(entry, entry.text))];
}

const output = ({ stream, code, at }: LogEntry, line: string): ProcessOutput => ({
  Source: sources[stream],
  Text: code === null ? line : `${code} ${line}`,
  Occurred: at,
});

/** A program that writes in blocks finishes a line within this; what asks somebody to type leaves it open. ms */
const openLineMs = 1_000;

/** The last entry when its last line may be finished in a moment: it belongs into the next answer. `now`: ms. */
export function openEntry(entries: readonly LogEntry[], now: number): LogEntry | null {
  const last = entries.at(-1);
  if (last === undefined || last.stream === 'unjam' || last.text.endsWith('\n') || last.at === null) return null;
  return now - Date.parse(last.at) < openLineMs ? last : null;
}
