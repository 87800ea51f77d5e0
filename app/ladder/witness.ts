/** Who holds a mutex whose files somebody has removed. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '../domain/mutex.ts';
import { nameKey } from '../domain/names.ts';
import type { Witness } from '../locks/index.ts';
import type { ProcessControl } from '../processes/index.ts';
import { holdersOnRecord } from '../run-directory/holders.ts';

/** Asks the scripts' own records; and, as those may be gone too, the environments of the processes that live. */
export const witnessOf =
  (stateDirectory: string, control: ProcessControl): Witness =>
  (mutex) => {
    const recorded = holdersOnRecord(join(stateDirectory, 'runs'), mutex);
    return [...recorded.holds, ...carriers(stateDirectory, mutex, control).filter(({ id }) => !recorded.known.has(id))];
  };

/**
 * A command that a living process of Unjam has started carries its fence. What a script has left running when it ended
 * carries it as well and holds nothing: its parent is another. Which isolation it has is not there: taken as full.
 */
function carriers(stateDirectory: string, mutex: string, control: ProcessControl): Hold[] {
  const table = control.snapshot();
  const byPid = new Map(table.map((p) => [p.identity.pid, p]));
  return table.flatMap((process): Hold[] => {
    const { identity, parentPid } = process;
    const of = control.environmentOf?.(identity);
    const fence = Number(of?.['UNJAM_FENCE']);
    if (!of || !Number.isSafeInteger(fence) || nameKey(of['UNJAM_MUTEX'] ?? '') !== nameKey(mutex)) return [];
    if (!isSameFolder(of['UNJAM_HOME'] ?? '', stateDirectory)) return [];
    const starter = byPid.get(parentPid)?.identity;
    if (!starter || !isUnjam.test(control.facts(starter)?.commandLine ?? '')) return [];
    const ancestors = (of['UNJAM_RUN'] ?? '').split('/');
    const id = ancestors.pop() ?? '';
    const ticket = of['UNJAM_TICKET'] ?? id;
    const group = process.group === identity.pid ? process.group : null;
    return [
      {
        id,
        ticket,
        name: ticket,
        level: 'full',
        runner: starter,
        ancestors,
        queuedAt: identity.startedAt,
        fence,
        grantedAt: identity.startedAt,
        scope: { root: identity, runId: id, group, job: null },
      },
    ];
  });
}

/** A runner, or the wrapper that `unjam hold` is. */
const isUnjam = /^unjam-runner |[\\/]runner[\\/.]|\bhold\b/;

function isSameFolder(a: string, b: string): boolean {
  try {
    return a === b || realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}
