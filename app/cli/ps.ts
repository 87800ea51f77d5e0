/** `unjam ps`: scripts with state, pid, mutex, blocks, age, last output. */
import { UnjamError } from '../contract/errors.ts';
import type { ScriptView } from '../contract/methods.ts';
import { shortDuration } from '../domain/durations.ts';
import type { Elsewhere, HostClient } from './command.ts';
import { connect, withHost } from './connect.ts';
import { observedTable } from './observed.ts';
import { age, jsonText, print, table } from './output.ts';

export interface PsOptions extends Elsewhere {
  all?: boolean;
  watch?: boolean;
  json?: boolean;
}

export async function ps(options: PsOptions): Promise<void> {
  if (options.watch) return watch(options);
  print(await withHost((client) => list(client, options), options));
}

/** Until the person ends it. On a terminal it stays in one place, elsewhere what has changed is printed below. */
async function watch(options: PsOptions): Promise<never> {
  let shown = '';
  for (;;) {
    const host = await connect();
    try {
      await new Promise<void>((resolve, reject) => {
        let isListing = false;
        let again = false;
        const show = async (): Promise<void> => {
          again = isListing;
          if (isListing) return;
          isListing = true;
          do {
            again = false;
            const text = await list(host, options);
            if (text !== shown)
              print(`${process.stdout.isTTY ? '\u001b[H\u001b[2J' : shown === '' || options.json ? '' : '\n'}${text}`);
            shown = text;
          } while (again as boolean);
          isListing = false;
        };
        host.on(
          'snapshot',
          () => void show().catch(reject),
          () => resolve(),
        );
      });
    } catch (error) {
      if (!(error instanceof UnjamError) || error.code !== 'host-unreachable') throw error;
    } finally {
      host.close();
    }
  }
}

async function list(client: HostClient, options: PsOptions): Promise<string> {
  const [scripts, observed] = await Promise.all([
    client.call('scripts.list', { all: options.all ?? false }),
    client.call('observed.list', {}),
  ]);
  if (options.json) return jsonText<'ps'>({ scripts, observed }, options.watch ? 0 : 2);
  const jobs = new Map(observed.flatMap((o) => (o.ticket === null ? [] : [[o.ticket, o] as const])));
  const named = scripts.map((s) => {
    const job = jobs.get(s.ticket);
    return job === undefined ? s : { ...s, name: `${s.name} (${job.agent.name}: ${job.name})` };
  });
  const own = observed.filter(
    (o) => o.condition.key !== 'runs-through-unjam' || !named.some((s) => s.ticket === o.ticket),
  );
  if (own.length > 0) return [...(named.length === 0 ? [] : [scriptTable(named), '']), observedTable(own)].join('\n');
  if (scripts.length === 0)
    return options.all ? 'No scripts.' : 'Nothing is running. "unjam ps --all" also lists finished scripts.';
  return scriptTable(named);
}

export const scriptHeads = ['TICKET', 'STATE', 'PID', 'MUTEX', 'BLOCKS', 'AGE', 'OUTPUT', 'NAME', 'WAITS FOR'] as const;

export function scriptTable(scripts: readonly ScriptView[]): string {
  const now = Date.now();
  return table(
    scriptHeads,
    scripts.map((s) => scriptCells(s, now)),
  );
}

export const scriptCells = (s: ScriptView, now: number): readonly string[] => [
  s.ticket,
  s.taken === null ? s.condition.label : `${s.condition.label} (${s.taken.by} is on it)`,
  s.pid === null ? '-' : String(s.pid),
  s.mutex === null ? '-' : `${s.mutex} (${s.isolation ?? '-'})`,
  s.blocks === 0 ? '-' : `blocks ${s.blocks}`,
  age(s.startedAt ?? s.createdAt, now, shortDuration),
  age(s.lastOutputAt, now, shortDuration),
  s.name,
  s.holder === null
    ? ''
    : `"${s.holder.name}" (${s.holder.ticket}${s.holder.pid === null ? '' : `, PID ${s.holder.pid}`})`,
];
