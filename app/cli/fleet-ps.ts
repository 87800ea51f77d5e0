/** `unjam fleet ps`: the living scripts of all hosts of the fleet in one list. */
import { clockTime, longDuration } from '../domain/durations.ts';
import { observedRow } from '../domain/observed-row.ts';
import { withEngine } from '../fleet/admin.ts';
import { type HostScripts, scriptsOf } from '../fleet/snapshot.ts';
import { personAddress } from './elsewhere.ts';
import { block, print, printJson, table } from './output.ts';
import { scriptCells, scriptHeads } from './ps.ts';

export interface FleetPsOptions {
  as?: string;
  json?: boolean;
  stuck?: boolean;
}

export async function ps({ as, json, stuck }: FleetPsOptions): Promise<void> {
  const all = await withEngine(personAddress(as), scriptsOf);
  const isWanted = (script: { readonly stuck: boolean }): boolean => stuck !== true || script.stuck;
  const hosts = all.map((host) => ({
    ...host,
    scripts: host.scripts.filter(isWanted),
    observed: host.observed.filter(isWanted),
  }));
  if (json) printJson<'fleet ps'>({ hosts });
  else print(describe(hosts, stuck === true ? 'No script is stuck.' : 'Nothing is running.'));
}

/** Stuck ones first; of a host that is out of reach everything is as it was then, ages too. */
function describe(hosts: readonly HostScripts[], none: string): string {
  const now = Date.now();
  const rows = hosts
    .flatMap((host) => {
      const at = host.state === 'reachable' || host.at === null ? now : Date.parse(host.at);
      const name = at === now ? host.host : `${host.host} (as at ${clockTime(at)})`;
      const observed = host.observed.map((o) => ({ ...observedRow(o), name: `${o.agent.name}: ${o.name}` }));
      return [...host.scripts, ...observed].map((script) => ({ script, cells: [name, ...scriptCells(script, at)] }));
    })
    .toSorted((a, b) => Number(b.script.stuck) - Number(a.script.stuck));
  const list =
    rows.length === 0
      ? none
      : table(
          ['HOST', ...scriptHeads],
          rows.map(({ cells }) => cells),
        );
  const notes = hosts.flatMap((host) => notesOn(host, now));
  return notes.length === 0 ? list : `${list}\n\n${block(notes)}`;
}

function notesOn({ host, state, at, leftOut, problem }: HostScripts, now: number): readonly string[] {
  if (problem !== null) return [`"${host}": ${problem}`];
  if (at === null) return [`"${host}" has shown no scripts: its Unjam may be older.`];
  return [
    ...(state === 'reachable'
      ? []
      : [
          `"${host}" is ${state}. Its scripts are as they were at ${clockTime(Date.parse(at))}, ${longDuration(Math.max(0, now - Date.parse(at)))} ago; nothing is known of them since.`,
        ]),
    ...(leftOut === 0 ? [] : [`"${host}" has ${leftOut} more that were too many to be shown: unjam ps --host ${host}`]),
  ];
}
