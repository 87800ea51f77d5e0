/**
 * The jobs that this process is in, without having made them: a terminal's tab, a build agent's step, `Start-Process
 * -Wait`. Such a job may end everything in it when its owner goes.
 */
import type { Warning } from '../control.ts';
import { attempt, bind, type Handle, type Out } from './ffi.ts';
import { limit, limitFlagsOf } from './job.ts';

const isProcessInJob = bind<(process: Handle, job: null, answer: Out) => number>(
  'kernel32',
  'int32',
  'IsProcessInJob',
  'intptr_t',
  'void *',
  '_Out_ int32 *',
);
const currentProcess = -1;

export interface OwnJob {
  /** Everything in the job ends when its owner does. */
  readonly killOnClose: boolean;
  /** A process may leave it, by asking or without. */
  readonly mayLeave: boolean;
}

/** The innermost job of this process; null when it is in none. Windows tells nothing of the jobs around that one. */
export function ownJob(): OwnJob | null {
  const answer: Out = [0];
  if (!attempt(() => isProcessInJob(currentProcess, null, answer)) || answer[0] === 0) return null;
  // The null handle asks about the caller's own job.
  const flags = limitFlagsOf(0);
  return flags === null ? { killOnClose: false, mayLeave: false } : fromFlags(flags);
}

/** JOBOBJECT_BASIC_LIMIT_INFORMATION.LimitFlags. Pure. */
export const fromFlags = (flags: number): OwnJob => ({
  killOnClose: (flags & limit.killOnJobClose) !== 0,
  mayLeave: (flags & (limit.breakawayOk | limit.silentBreakawayOk)) !== 0,
});

/** What a host in that job has to say; null when it outlives whoever started it. Pure. */
export function jobWarning(job: OwnJob | null): Warning | null {
  if (job === null || !job.killOnClose) return null;
  return {
    text: 'This process is in a job of whoever started it, which Windows ends with everything in it when that one goes (a terminal tab that is closed, a step of a build agent): the host, its runners and all their scripts would end.',
    next: 'Start the host outside: with the desktop application, as a service, or from a scheduled task.',
  };
}
