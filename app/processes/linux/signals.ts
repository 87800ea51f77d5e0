/** kill(2): what was sent, to whom, and who refused it. EPERM is no absence: somebody is there who may not be signalled. */
import type { TreeScope } from '../../domain/script.ts';
import type { EndOutcome, SignalOutcome, TreeMember } from '../control.ts';
import { read } from './proc.ts';

/** Null when sent, else the error. A negative pid is a process group. */
export function send(pid: number, signal: NodeJS.Signals | 0): NodeJS.ErrnoException | null {
  try {
    process.kill(pid, signal);
    return null;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** Whether there is a process of that pid, or a group of that negative number; true for zombies and strangers too. */
export const exists = (pid: number): boolean => send(pid, 0)?.code !== 'ESRCH';

/**
 * Somebody has that pid whom /proc does not show to this user (hidepid, proc(5)): nothing says who it is. It may even
 * take signals from this user: a set-user-ID program keeps the real user of whoever started it.
 */
export const isConcealed = (pid: number): boolean => read(`/proc/${pid}/stat`) === null && exists(pid);

/** Of a process that is concealed: it gets no signal, for it may be another one by now. */
export const refusal = (pid: number): NodeJS.ErrnoException =>
  send(pid, 0) ??
  Object.assign(new Error('/proc does not show whether it is still the same process (hidepid)'), { code: 'EPERM' });

export function toEnd(error: NodeJS.ErrnoException | null): EndOutcome {
  if (error === null) return { kind: 'sent' };
  if (error.code === 'ESRCH') return { kind: 'gone' };
  const failure = { errorCode: error.code ?? 'unknown', message: error.message };
  return error.code === 'EPERM' ? { kind: 'denied', ...failure } : { kind: 'failed', ...failure };
}

/** A member that a signal to the group reaches, of a group that is known to be the script's own. */
export const isGrouped = (m: TreeMember, scope: TreeScope): boolean =>
  (m.by === 'root' || m.by === 'group') && m.group === scope.group;

/**
 * The group gets one signal; members outside it get their own. SIGCONT follows: a stopped process acts on nothing else.
 * A signal to a group succeeds when one member got it (kill(2)): who did not is asked for one by one.
 */
export function interrupt(scope: TreeScope, members: readonly TreeMember[], signal: NodeJS.Signals): SignalOutcome {
  if (members.length === 0) return { kind: 'gone' };
  const grouped = members.filter((m) => isGrouped(m, scope));
  const single = members.filter((m) => !isGrouped(m, scope));
  const concealed = pids(single).filter(isConcealed);
  const shown = pids(single).filter((pid) => !concealed.includes(pid));
  const refused: NodeJS.ErrnoException[] = [];
  const note = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null && error.code !== 'ESRCH') refused.push(error);
  };
  if (scope.group !== null && grouped.length > 0) {
    const error = send(-scope.group, signal);
    for (const m of grouped) note(error ?? send(m.identity.pid, 0));
  }
  for (const pid of shown) note(send(pid, signal));
  for (const pid of concealed) note(refusal(pid));
  for (const pid of [...(grouped.length > 0 && scope.group !== null ? [-scope.group] : []), ...shown])
    send(pid, 'SIGCONT');
  const all = members.length === 1 ? '1 process' : `${members.length} processes`;
  const ofGroup = single.length < members.length ? ` of the process group ${scope.group}` : '';
  const first = refused[0];
  if (first === undefined) return { kind: 'sent', what: `${signal} to ${all}${ofGroup}` };
  if (refused.length === members.length)
    return {
      kind: 'undeliverable',
      what: `${signal} to ${all}${ofGroup}`,
      errorCode: first.code ?? 'unknown',
      message: first.message,
    };
  return {
    kind: 'sent',
    what: `${signal} to ${members.length - refused.length} of ${all}${ofGroup} (${refused.length} refused: ${first.message})`,
  };
}

const pids = (members: readonly TreeMember[]): number[] => members.map((m) => m.identity.pid);
