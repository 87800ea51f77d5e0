/** Compares what Unjam says of scripts with what they wrote down themselves. */
import type { ScriptView } from '../../app/contract/methods.ts';

export interface Truth {
  /** Ticket → the code that the script exits with when it is left alone. */
  readonly started: Map<string, number>;
  readonly runnerKilled: Set<string>;
  /** Verbs that were asked for. */
  readonly asked: Map<string, string[]>;
}

export interface Witness {
  /** What the script wrote just before its exit; '' when it did not get there. */
  readonly code: (ticket: string) => string;
  readonly ran: (ticket: string) => number;
  /** One line for each delivery: ticket and completion id. */
  readonly completions: string;
}

export interface Leaks {
  readonly processes: number;
  readonly descriptors: number;
  readonly temporaryFiles: readonly string[];
  readonly mounts: number;
  readonly cgroups: number;
}

export interface Report {
  readonly kills: { readonly host: number; readonly runner: number; readonly both: number };
  readonly scripts: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** Acknowledged, but not known, not final, or lost although nobody killed their runner. */
  readonly lostScripts: string[];
  readonly wrongExitCodes: string[];
  readonly ranTwice: string[];
  readonly missingCompletions: string[];
  /** Two completions with different ids for one script. */
  readonly duplicateCompletions: string[];
  /** The same id again: a host died between delivery and its note; consumers drop these. */
  readonly repeatedIds: number;
  readonly busyMutexes: number;
  readonly foreignSignals: string[];
  readonly leaks: Leaks;
}

export function judge(
  truth: Truth,
  scripts: readonly ScriptView[],
  witness: Witness,
): Omit<Report, 'kills' | 'busyMutexes' | 'foreignSignals' | 'leaks'> {
  const views = new Map(scripts.map((s) => [s.ticket, s]));
  const lines = witness.completions.split('\n').filter((l) => l !== '');
  const idsOf = (ticket: string): string[] => lines.filter((l) => l.startsWith(`${ticket} `));
  const verdicts: Record<string, number> = {};
  const found = {
    lostScripts: [] as string[],
    wrongExitCodes: [] as string[],
    ranTwice: [] as string[],
    missingCompletions: [] as string[],
    duplicateCompletions: [] as string[],
  };
  for (const ticket of truth.started.keys()) {
    const view = views.get(ticket);
    const verdict = view?.verdict ?? 'none';
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    const runnerKilled = truth.runnerKilled.has(ticket);
    const unknown = verdict === 'lost' || verdict === 'never-started' || verdict === 'failed-to-start';
    if (view?.state !== 'final' || (unknown && !runnerKilled)) found.lostScripts.push(`${ticket}: ${verdict}`);
    const said = witness.code(ticket);
    const exit = view?.exitCode ?? null;
    // A script that said its code may still be ended by a signal before it exits; another number is always wrong.
    if (exit !== null && said !== String(exit))
      found.wrongExitCodes.push(`${ticket}: ${exit}, wrote ${said || 'none'}`);
    if (verdict === 'exited' && exit === null && view?.signal == null) found.wrongExitCodes.push(`${ticket}: none`);
    if (verdict === 'exited' && view?.signal != null && !truth.asked.has(ticket))
      found.wrongExitCodes.push(`${ticket}: ${view.signal}, nobody asked`);
    if (witness.ran(ticket) > 1) found.ranTwice.push(ticket);
    const ids = idsOf(ticket);
    if (ids.length === 0) found.missingCompletions.push(`${ticket}: ${verdict}`);
    if (new Set(ids).size > 1) found.duplicateCompletions.push(...ids);
  }
  return { scripts: truth.started.size, verdicts, ...found, repeatedIds: lines.length - new Set(lines).size };
}
