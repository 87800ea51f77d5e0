/** The polite ways to end a script, in order, and the record of what was sent. `sent` is never `stopped`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CancelSignal } from '../../domain/script.ts';
import type { SignalOutcome, TreeMember } from '../control.ts';
import type { ConsoleEvent, ConsoleFailure, ConsoleReport } from './console-signal.ts';

export interface InterruptMeans {
  /** The living members now. */
  tree(): readonly TreeMember[];
  send(pids: readonly number[], event: ConsoleEvent): Promise<ConsoleReport>;
  /** Wakes the suspended ones among these; how many there were. */
  wake(pids: readonly number[]): number;
  /** How many windows took WM_CLOSE. */
  closeWindows(pids: ReadonlySet<number>): number;
  endTree(): boolean;
}

/** Windows has no signals but Ctrl-C and Ctrl-Break; a process in its own process group hears only the second. */
const eventOf: Record<Exclude<CancelSignal, 'SIGKILL'>, ConsoleEvent> = {
  'ctrl-c': 'Ctrl-C',
  SIGINT: 'Ctrl-C',
  'ctrl-break': 'Ctrl-Break',
  SIGTERM: 'Ctrl-Break',
  SIGQUIT: 'Ctrl-Break',
  SIGHUP: 'Ctrl-Break',
};

const againAfterMs = 500;
const lookEveryMs = 50;

export async function interrupt(means: InterruptMeans, signal: CancelSignal): Promise<SignalOutcome> {
  const members = means.tree();
  if (members.length === 0) return { kind: 'gone' };
  if (signal === 'SIGKILL') return killed(means, members);

  const sent: string[] = [];
  const failures: ConsoleFailure[] = [];
  const send = async (event: ConsoleEvent, to: readonly TreeMember[], again = ''): Promise<boolean> => {
    const report = await means.send(pidsOf(to), event);
    failures.push(...report.failures);
    if (report.sent.length > 0) sent.push(`${event}${again} to ${consoles(report.sent)}`);
    return report.sent.length > 0;
  };

  const woken = means.wake(pidsOf(members));
  if (woken > 0) sent.push(`Resume to ${woken === 1 ? '1 suspended process' : `${woken} suspended processes`}`);
  let event = eventOf[signal];
  let delivered = await send(event, members);
  if (!delivered && event === 'Ctrl-Break' && means.tree().length > 0) {
    event = 'Ctrl-C';
    delivered = await send(event, members);
  }
  const windows = means.closeWindows(new Set(pidsOf(members)));
  if (windows > 0) sent.push(`WM_CLOSE to ${windows === 1 ? '1 window' : `${windows} windows`}`);

  // cmd.exe answers the first Ctrl-C with "Terminate batch job (Y/N)?". Anything else is left alone: to a second Ctrl-C
  // many tools (Terraform, Docker Compose) answer by dropping the clean-up that the first one began.
  if (delivered && event === 'Ctrl-C') {
    const left = await prompting(means);
    if (left.length > 0) await send(event, left, ' again');
  }

  if (sent.length > (woken > 0 ? 1 : 0)) return { kind: 'sent', what: sent.join(', then ') };
  if (means.tree().length === 0) return { kind: 'gone' };
  const first = failures[0];
  return {
    kind: 'undeliverable',
    what: `${event} to ${consoles([first?.pid ?? members[0]!.identity.pid])}`,
    errorCode: first?.error ?? 'UNKNOWN',
    message: first?.message ?? 'no process of the tree has a console or a window',
  };
}

/** The members, when 500 ms later nothing but command interpreters is left, which then sit at their prompt. */
async function prompting(means: InterruptMeans): Promise<readonly TreeMember[]> {
  const until = performance.now() + againAfterMs;
  for (;;) {
    const left = means.tree();
    if (left.length === 0 || !left.every((m) => m.identity.name.toLowerCase() === 'cmd.exe')) return [];
    if (performance.now() >= until) return left;
    await delay(lookEveryMs);
  }
}

function killed(means: InterruptMeans, members: readonly TreeMember[]): SignalOutcome {
  const what = `termination of the job of PID ${members[0]!.identity.pid}`;
  return means.endTree()
    ? { kind: 'sent', what }
    : { kind: 'undeliverable', what, errorCode: 'ENOENT', message: 'the job ended with its runner' };
}

const pidsOf = (members: readonly TreeMember[]): number[] => members.map((m) => m.identity.pid);

const consoles = (pids: readonly number[]): string =>
  pids.length === 1 ? `the console of PID ${pids[0]}` : `the consoles of PIDs ${pids.join(', ')}`;
