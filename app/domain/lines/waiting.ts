/** Of waiting for a mutex, getting it and giving up. */
import { clockTime, fineDuration, longDuration } from '../durations.ts';
import type { ProcessIdentity } from '../identity.ts';
import type { Actor } from '../script.ts';
import { actorText, because, line, type Line, type MutexFacts, processText, released, scriptsWait } from './parts.ts';

export interface HolderFacts {
  readonly name: string;
  readonly ticket: string;
  readonly pid: number | null;
  readonly level: 'full' | 'none';
  readonly heldMs: number;
}
const holderText = (h: HolderFacts): string =>
  `"${h.name}" (ticket ${h.ticket}, ${h.pid === null ? 'not started yet' : `PID ${h.pid}`}, ${h.level === 'full' ? 'Full' : 'No'} isolation) for ${longDuration(h.heldMs)}`;

export const waiting = (
  mutex: string,
  holders: readonly HolderFacts[],
  position: number,
  of: number,
  paused: string | null,
  keptOutBy: { readonly name: string; readonly ticket: string } | null = null,
): Line =>
  line(
    'I101',
    `Waiting for mutex "${mutex}".`,
    paused !== null
      ? `It is paused by ${paused}; an operator must resume it.`
      : keptOutBy !== null
        ? `It could run beside the holders, but "${keptOutBy.name}" (ticket ${keptOutBy.ticket}) is ahead of it and waits to run alone.`
        : holders.length === 0
          ? 'The holder is changing now.'
          : `Held by ${holders.slice(0, 3).map(holderText).join(' and ')}${holders.length > 3 ? ` and ${holders.length - 3} more` : ''}.`,
    `Position ${position} of ${of}.`,
  );

/** In the log of a script that waits for a mutex of a fleet; once for each time that the engine is away. */
export const engineAway = (mutex: string, forMs: number): Line =>
  line(
    'W111',
    `The engine of the fleet has not answered for ${longDuration(forMs)}: who holds mutex "${mutex}" now is not known.`,
    'The script keeps its place and goes on waiting. Next: "unjam fleet doctor" says what is wrong.',
  );

/** In the log of the first script that asks for a mutex whose files somebody has removed. */
export const holdRestored = (mutex: string, holder: { readonly name: string; readonly ticket: string }): Line =>
  line(
    'W110',
    `The files of mutex "${mutex}" had been removed while "${holder.name}" (ticket ${holder.ticket}) held it. It is still running, so its hold was put back.`,
    'Next: keep clean-up jobs away from the state directory.',
  );

/** In the log of a script that waits, once for each holder. */
export const holderStuck = (
  mutex: string,
  holder: { readonly name: string; readonly ticket: string; readonly pid: number | null },
  evidence: readonly string[],
  machine: string,
): Line =>
  line(
    'W102',
    `The holder of mutex "${mutex}", "${holder.name}" (ticket ${holder.ticket}, ${holder.pid === null ? 'not started yet' : `PID ${holder.pid}`}), looks stuck.`,
    ...evidence,
    `Next: an operator on ${machine} can Cancel, Force Kill or Abandon it in Unjam.`,
  );

export const acquired = (mutex: string, waitedMs: number, at: number): Line =>
  line('I103', `Mutex "${mutex}" acquired ${clockTime(at)} after waiting ${fineDuration(waitedMs)}.`);

export const inherited = (
  mutex: string,
  at: number,
  hold: { readonly name: string; readonly ticket: string; readonly fence: number },
): Line =>
  line(
    'W107',
    `Runs under the hold of "${hold.name}" (ticket ${hold.ticket}, fence ${hold.fence}) of mutex "${mutex}" since ${clockTime(at)}, as --inherit-hold asked.`,
    'The two are NOT isolated from each other, nor from others under that hold. The next in line is granted the mutex when all of them have gone.',
  );

/** Why a script is not started, for `startFailed`. */
export const wouldDeadlock = (mutex: string, holder: { readonly name: string; readonly ticket: string }): string =>
  `it was started by "${holder.name}" (ticket ${holder.ticket}), which holds mutex "${mutex}" and would wait for it: a deadlock`;
export const nothingToInherit = (mutex: string, level: 'full' | 'none'): string =>
  `--inherit-hold was given, but no script that it was started from holds mutex "${mutex}" ${level === 'full' ? 'at full isolation ' : ''}now`;

/** It exited, and the mutex is not free: null when it is. */
export const jointGoesOn = (m: MutexFacts | null, at: number): Line | undefined =>
  m?.joint ? line('I109', released(m, at), scriptsWait(m), 'Next: wait for that one.') : undefined;

/** In the log of the script that holds the mutex. */
export const startedDeadlock = (mutex: string, inner: { readonly name: string; readonly ticket: string }): Line =>
  line(
    'W108',
    `This script started "${inner.name}" (ticket ${inner.ticket}) under mutex "${mutex}", which this script holds: each would wait for the other. So that one was refused.`,
    'Next: start it with --inherit-hold, or without the mutex.',
  );

export const besideOrphan = (
  mutex: string,
  at: number,
  orphan: { name: string; ticket: string; process: ProcessIdentity | null },
): Line =>
  line(
    'W222',
    `Mutex "${mutex}" acquired ${clockTime(at)} while abandoned ${orphan.process === null ? 'script' : processText(orphan.process)} ("${orphan.name}", ticket ${orphan.ticket}) is still running.`,
    'The two are NOT isolated from each other.',
  );

export const gaveUpWaiting = (mutex: string, waitedMs: number, holders: readonly HolderFacts[]): Line =>
  line(
    'W104',
    `Gave up waiting for mutex "${mutex}" after ${longDuration(waitedMs)}.`,
    holders[0] ? `It is held by ${holderText(holders[0])}.` : null,
    'The script was never started. Next: look at the holder, or start again with a longer mutex timeout.',
  );

export const leftQueue = (
  mutex: string,
  actor: Actor,
  verb: 'Cancel' | 'Force Kill' | 'Abandon',
  at: number,
  reason: string | null,
): Line =>
  line(
    'W207',
    `${verb} requested by ${actorText(actor)} at ${clockTime(at)}${because(reason)}. The script left the queue of mutex "${mutex}" and was never started. No process had to be ended.`,
  );

export const resumed = (mutex: string, actor: Actor, at: number, next: string | null): Line =>
  line(
    'W226',
    `Queue of mutex "${mutex}" resumed by ${actorText(actor)} at ${clockTime(at)}. ${next === null ? 'Nobody is waiting.' : `Next in line: "${next}".`}`,
  );
