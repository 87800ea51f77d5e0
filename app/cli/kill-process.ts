/** `unjam kill TICKET --pid PID`: ends one process of a script; the rest of it keeps running. */
import { UnjamError } from '../contract/errors.ts';
import { visibleLine } from '../domain/visible.ts';
import { withHost } from './connect.ts';
import { print, printJson } from './output.ts';
import { confirm, reason, type VerbOptions } from './verbs.ts';

export async function killProcess(ticket: string, given: string, o: VerbOptions): Promise<void> {
  await withHost(async (client) => {
    const seen = await client.call('scripts.get', { ticket });
    const found = seen.processes.find(({ pid }) => String(pid) === given.trim());
    if (found === undefined) {
      const pids = seen.processes.map(({ pid, name }) => `${pid} ${name}`).join(', ');
      throw new UnjamError(
        'bad-input',
        `--pid: "${given}" is not a process of "${seen.name}". Nothing was done.`,
        pids === '' ? 'It has no processes.' : `It has ${pids}.`,
        '--pid',
      );
    }
    const { pid, name, startTime } = found;
    await confirm(
      o,
      `End PID ${pid} (${name}) of "${seen.name}"? The rest of the script keeps running. Type "yes"`,
      'yes',
      true,
    );
    const script = await client.call('scripts.endProcess', { ticket, process: { pid, startTime }, ...reason(o) });
    if (o.json) printJson<'kill'>(script);
    else print(visibleLine(`${script.ticket}: PID ${pid} (${name}) has ended. ${script.condition.headline}`));
  }, o);
}
