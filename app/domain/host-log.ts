/** What the host's log tells a program beside the sentence for people. */
import type { ScriptEvent } from './events.ts';

/** What a line is about, as far as whoever writes it knows. */
export interface LineFacts {
  readonly ticket?: string | null;
  /** The name of the script. */
  readonly name?: string | null;
  readonly mutex?: string | null;
  /** The processes that the line tells of. */
  readonly pids?: readonly number[];
}

/** Takes one line; it begins with its code, where it has one. */
export type HostLog = (line: string, facts?: LineFacts) => void;

export type LineLevel = 'info' | 'warning' | 'error';

/** W398 and W399 tell of failures of Unjam itself. */
const failures = ['W398', 'W399'];

export function codeAndLevel(line: string): { readonly code: string | null; readonly level: LineLevel; text: string } {
  const [start, code, text] = /^([IW]\d{3}) (.*)$/s.exec(line) ?? [];
  if (start === undefined || code === undefined || text === undefined) return { code: null, level: 'info', text: line };
  const level = failures.includes(code) ? 'error' : code.startsWith('W') ? 'warning' : 'info';
  return { code, level, text };
}

/** The processes that the line of an event names; of the rest, `root` is the script's first one. */
export function pidsOf(event: ScriptEvent, root: number | null): readonly number[] {
  if (event.type === 'unkillable') return event.survivors.map(({ process }) => process.pid);
  if (event.type === 'cancel-ignored') return event.left.map(({ pid }) => pid);
  return root === null ? [] : [root];
}
