/** How the log is looked at: what the person chose, and nothing that was read. */
import type { LogLine } from '../state/live-log.svelte.ts';
import { timeColumns, type TimeColumn } from './time-column.ts';

export type StreamChoice = LogLine['stream'] | null;

export class LogOptions {
  isFollowing = $state(true);
  isWrapped = $state(localStorage.getItem('log-wrap') === 'on');
  time = $state<TimeColumn>(timeColumns.find((known) => known === localStorage.getItem('log-time')) ?? 'local');
  /** Null = all. */
  stream = $state<StreamChoice>(null);
  onlyMatches = $state(false);
  /** A text field instead of drawn lines, for screen readers. */
  isPlain = $state(localStorage.getItem('log-plain') === 'on');
  isReadAloud = $state(false);
  isSaving = $state(false);
  /** Lines by their number that a link or a click has marked. */
  selected = $state.raw<{ readonly first: number; readonly last: number } | null>(null);

  toggleWrap(): void {
    this.isWrapped = !this.isWrapped;
    localStorage.setItem('log-wrap', this.isWrapped ? 'on' : 'off');
  }

  togglePlain(): void {
    this.isPlain = !this.isPlain;
    localStorage.setItem('log-plain', this.isPlain ? 'on' : 'off');
  }

  nextTime(): void {
    this.time = timeColumns[(timeColumns.indexOf(this.time) + 1) % timeColumns.length] ?? 'local';
    localStorage.setItem('log-time', this.time);
  }

  /** Marks one line, or from the marked one on. */
  select(line: number, extend: boolean): void {
    const anchor = this.selected?.first ?? line;
    if (extend) this.selected = { first: Math.min(anchor, line), last: Math.max(anchor, line) };
    else if (this.selected?.first === line && this.selected.last === line) this.selected = null;
    else this.selected = { first: line, last: line };
  }
}
