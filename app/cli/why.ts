/** `unjam why`: what a script waits for, as measured now. */
import type { Diagnosis, ScriptView } from '../contract/methods.ts';
import { isObservedId } from '../domain/observed-id.ts';
import { visibleLine } from '../domain/visible.ts';
import type { Elsewhere } from './command.ts';
import { withHost } from './connect.ts';
import { block, print, printJson } from './output.ts';

export async function why(ticket: string, options: Elsewhere & { json?: boolean }): Promise<void> {
  const [diagnosis, { taken }] = await withHost<[Diagnosis, Pick<ScriptView, 'taken'>]>(
    (client) =>
      isObservedId(ticket)
        ? Promise.all([client.call('observed.why', { id: ticket }), client.call('observed.get', { id: ticket })])
        : Promise.all([client.call('scripts.why', { ticket }), client.call('scripts.get', { ticket })]),
    options,
  );
  if (options.json) printJson<'why'>(diagnosis);
  else print(describe(diagnosis, taken));
}

function describe(d: Diagnosis, taken: ScriptView['taken']): string {
  return block([
    d.name,
    ...(taken === null
      ? []
      : [visibleLine(`${taken.by} is on it, since ${taken.since} until ${taken.until} at most.`)]),
    ...d.findings.flatMap((f) => [
      '',
      f.text,
      ...f.evidence.map((e) => `  ${e}`),
      ...(f.advice === null ? [] : [`  Next: ${f.advice}`]),
    ]),
    ...(d.processes.length === 0 ? [] : ['', `Processes, measured over ${d.measuredMs} ms`]),
    ...d.processes.map(
      (p) =>
        `  ${p.pid} ${p.name}, ${p.state}${p.user === null ? '' : `, user ${p.user}`}${p.cpuDeltaMs === null ? '' : `, CPU ${p.cpuDeltaMs} ms`}, ${p.threadCount} ${p.threadCount === 1 ? 'thread' : 'threads'}`,
    ),
  ]);
}
