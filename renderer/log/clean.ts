/** Clean text for the clipboard and for files: no marks, no colours; what overwrote itself is there in its last state. Pure. */
import type { LogLine } from '../state/live-log.svelte.ts';
import { lastState, pieces } from './ansi.ts';

export function cleanText(line: Pick<LogLine, 'stream' | 'code' | 'text'>): string {
  const text = pieces(lastState(line.text).text)
    .map((piece) => piece.text)
    .join('');
  return line.stream === 'unjam' ? `Unjam ${line.code ?? ''} ${text}` : text;
}

/** With times a line says when it came, in UTC, and where from. */
export function timedText(line: LogLine): string {
  const mark = line.stream === 'stderr' ? 'E' : line.stream === 'unjam' ? '*' : ' ';
  return `${line.at ?? ''.padEnd(24)} ${mark} ${cleanText(line)}`;
}
