/** `unjam why`: what a script waits for, as measured now. */
import type { Diagnosis } from '../contract/methods.ts';
import { isObservedId } from '../domain/observed-id.ts';
import type { Elsewhere } from './command.ts';
import { withHost } from './connect.ts';
import { block, print, printJson } from './output.ts';

export async function why(ticket: string, options: Elsewhere & { json?: boolean }): Promise<void> {
  const diagnosis = await withHost(
    (client) =>
      isObservedId(ticket) ? client.call('observed.why', { id: ticket }) : client.call('scripts.why', { ticket }),
    options,
  );
  if (options.json) printJson<'why'>(diagnosis);
  else print(describe(diagnosis));
}

function describe(d: Diagnosis): string {
  return block([
    d.name,
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
