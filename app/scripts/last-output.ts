/** The last lines that a script printed, for those who are told of its end. */
import { type Decode, LogIndex, LogReader } from '../logs/index.ts';
import type { RunDirectory } from '../run-directory/run-directory.ts';

const lastBytes = 4_096;
const lastLines = 20;

/** At most 20 lines and 4,096 characters; empty when it cannot be read. */
export function lastOutput(directory: RunDirectory, decode: Decode): string {
  try {
    const reader = new LogReader(directory, new LogIndex(directory.indexPath), decode);
    const { entries } = reader.read({ ticket: '', tailBytes: 4 * lastBytes, maxBytes: 4 * lastBytes }, true);
    const text = entries.flatMap((e) => (e.stream === 'unjam' ? [] : [e.text])).join('');
    const cut = text.slice(-lastBytes).replaceAll('\0', '').trimEnd();
    return cut.split('\n').slice(-lastLines).join('\n');
  } catch {
    return '';
  }
}
