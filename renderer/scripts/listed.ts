/** Observed and supervised scripts side by side; what runs through Unjam is met once, under its ticket. Pure. */
import { observedInFull, observedRow } from '../../app/domain/observed-row.ts';
import type { ObservedDetail, ScriptDetail, ScriptView, Snapshot } from '../contract.ts';

export function listed({ scripts, observed = [] }: Pick<Snapshot, 'scripts' | 'observed'>): readonly ScriptView[] {
  const jobs = new Map(observed.flatMap((o) => (o.ticket === null ? [] : [[o.ticket, o] as const])));
  const supervised = scripts.map((script): ScriptView => {
    const job = jobs.get(script.ticket);
    return job === undefined ? script : { ...script, job };
  });
  const known = new Set(scripts.map(({ ticket }) => ticket));
  const own = observed.filter((o) => o.condition.key !== 'runs-through-unjam' || !known.has(o.ticket ?? ''));
  return [...supervised, ...own.map((one): ScriptView => ({ ...observedRow(one), observed: one }))];
}

export const detailed = (one: ObservedDetail): ScriptDetail => ({ ...observedInFull(one), observed: one });
