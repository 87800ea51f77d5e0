/** What the lines of Unjam are made of. */
import { clockTime } from '../durations.ts';
import type { ProcessIdentity } from '../identity.ts';
import { redact } from '../redact.ts';
import type { Actor } from '../script.ts';

export interface Line {
  readonly code: string;
  readonly text: string;
}

/** What most lines need to know about the mutex at that moment. */
export interface MutexFacts {
  readonly name: string;
  /** How many scripts are waiting; null when that was not seen lately. */
  readonly waiting: number | null;
  /** The script that is or was granted next. */
  readonly next: string | null;
  /** A script under the same hold (--inherit-hold) that keeps the mutex when this one's hold ends. */
  readonly joint?: string | null;
}

export const line = (code: string, ...sentences: (string | null)[]): Line => ({
  code,
  text: redact(sentences.filter((s) => s !== null).join(' ')), // before it reaches any disk
});

export const actorText = (actor: Actor): string => (actor.via === 'unjam' ? 'Unjam' : `${actor.user} (${actor.via})`);
export const processText = (p: ProcessIdentity): string =>
  `PID ${p.pid} (${p.name}, started ${clockTime(p.startedAt)})`;
export const listed = (all: readonly ProcessIdentity[]): string => {
  const shown = all
    .slice(0, 20)
    .map((p) => `${p.pid} ${p.name}`)
    .join(', ');
  return all.length > 20 ? `${shown} and ${all.length - 20} more` : shown;
};
export const scriptsWait = (m: MutexFacts | null): string | null =>
  m === null || m.waiting === null
    ? null
    : m.waiting === 0
      ? 'No script is waiting.'
      : m.waiting === 1
        ? '1 script is waiting.'
        : `${m.waiting} scripts are waiting.`;
export const held = (m: MutexFacts | null, still = ''): string | null =>
  m === null ? null : `Mutex "${m.name}" is ${still}held.`;
export const stays = (m: MutexFacts | null): string | null => (m === null ? null : `Mutex "${m.name}" stays held.`);
export const released = (m: MutexFacts | null, at: number): string | null =>
  m === null
    ? null
    : m.joint
      ? `Its own hold of mutex "${m.name}" was given back ${clockTime(at)}; "${m.joint}" runs on under it, so the mutex stays held.`
      : `Mutex "${m.name}" released ${clockTime(at)}.${m.next === null ? ' Nobody is waiting for it.' : ` Next in line: "${m.next}".`}`;
export const because = (reason: string | null): string => (reason === null ? '' : `, reason "${reason}"`);

/** `exit code 5`, `signal SIGKILL`, `exit code 3221225786 (0xC000013A)`. */
export function exitText(exit: { code: number | null; signal: string | null } | null): string {
  if (exit === null) return 'exit code unknown';
  if (exit.signal !== null) return `signal ${exit.signal}`;
  if (exit.code === null) return 'exit code unknown';
  return exit.code > 0xffff
    ? `exit code ${exit.code} (0x${exit.code.toString(16).toUpperCase()})`
    : `exit code ${exit.code}`;
}
