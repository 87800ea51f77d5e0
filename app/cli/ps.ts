/** `unjam ps`: scripts with state, pid, mutex, blocks, age, last output. */
import type { ScriptView } from '../contract/methods.ts';
import { shortDuration } from '../domain/durations.ts';
import { withHost } from './connect.ts';
import { observedTable } from './observed.ts';
import { age, print, printJson, table } from './output.ts';

export async function ps(options: { all?: boolean; json?: boolean }): Promise<void> {
  const [scripts, observed] = await withHost(async (client) =>
    Promise.all([
      client.call('scripts.list', { all: options.all ?? false }),
      options.json ? [] : client.call('observed.list', {}),
    ]),
  );
  if (options.json) printJson(scripts);
  else if (observed.length > 0)
    print([...(scripts.length === 0 ? [] : [scriptTable(scripts), '']), observedTable(observed)].join('\n'));
  else if (scripts.length === 0)
    print(options.all ? 'No scripts.' : 'Nothing is running. "unjam ps --all" also lists finished scripts.');
  else print(scriptTable(scripts));
}

export function scriptTable(scripts: readonly ScriptView[]): string {
  const now = Date.now();
  return table(
    ['TICKET', 'STATE', 'PID', 'MUTEX', 'BLOCKS', 'AGE', 'OUTPUT', 'NAME', 'WAITS FOR'],
    scripts.map((s) => [
      s.ticket,
      s.condition.label,
      s.pid === null ? '-' : String(s.pid),
      s.mutex === null ? '-' : `${s.mutex} (${s.isolation})`,
      s.blocks === 0 ? '-' : `blocks ${s.blocks}`,
      age(s.startedAt ?? s.createdAt, now, shortDuration),
      age(s.lastOutputAt, now, shortDuration),
      s.name,
      s.holder === null
        ? ''
        : `"${s.holder.name}" (${s.holder.ticket}${s.holder.pid === null ? '' : `, PID ${s.holder.pid}`})`,
    ]),
  );
}
