/** Is all of an observed script a script of Unjam? Then people meet it once, under its ticket. Pure. */
import { keyOf } from '../agents/known.ts';
import type { ObservedScript } from '../agents/observed-script.ts';
import type { ProcessIdentity } from '../domain/identity.ts';

/** Who asked for the scripts of Unjam that live now. */
export type Askers = readonly { readonly of: ProcessIdentity; readonly ticket: string }[];

/** The ticket; null when something of it is the agent's alone. A shell that only waits for `unjam run` is not. */
export function ticketOf({ members, supervised }: ObservedScript, askers: Askers): string | null {
  if (members.length === 0) return supervised[0]?.ticket ?? supervised[0]?.runId ?? null;
  const parents = new Map(members.map((m) => [m.identity.pid, m.parentPid]));
  const tickets = new Map(askers.map((a) => [keyOf(a.of), a.ticket]));
  const asking = members.filter((m) => tickets.has(keyOf(m.identity)));
  const askingPids = new Set(asking.map((m) => m.identity.pid));
  const waiting = new Set(asking.flatMap((m) => lineage(m.identity.pid, parents)));
  const isOfOne = ({ identity: { pid } }: (typeof members)[number]): boolean =>
    waiting.has(pid) || lineage(pid, parents).some((up) => askingPids.has(up));
  const [first] = asking;
  return first !== undefined && members.every(isOfOne) ? (tickets.get(keyOf(first.identity)) ?? null) : null;
}

/** A pid and those above it. */
function lineage(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const line: number[] = [];
  for (let at: number | undefined = pid; at !== undefined && !line.includes(at); at = parents.get(at)) line.push(at);
  return line;
}
