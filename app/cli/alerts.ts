/** `unjam alerts`: sets where alerts go, and tests whether they arrive. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { UnjamError } from '../contract/errors.ts';
import type { Input } from '../contract/methods.ts';
import { withHost } from './connect.ts';
import { block, exitStatuses, print, printJson, table } from './output.ts';

interface Json {
  json?: boolean;
}

export async function list(options: Json): Promise<void> {
  const view = await withHost((client) => client.call('alerts.get', {}));
  if (options.json) return printJson<'alerts list'>(view);
  if (view.targets.length === 0) return print('No alerts are set up.');
  const rows = view.targets.map(({ name, to, kinds, pending, failure }) => [name, to, kinds.join(', '), String(pending), failure ?? '-']); // prettier-ignore
  const current = view.current.map(({ kind, since, text: what }) => `${kind} since ${since}: ${what}`);
  print([table(['TARGET', 'BY', 'OF', 'WAITING', 'LATEST FAILURE'], rows), ...current.map((line) => block([line]))].join('\n')); // prettier-ignore
}

/** `-` is standard input. */
export async function set(file: string, options: Json): Promise<void> {
  const read = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8');
  let alerts: Input<'settings.set'>['values'];
  try {
    alerts = { alerts: JSON.parse(read) as never }; // the host checks it
  } catch (error) {
    throw new UnjamError('bad-input', `"${file}" is not JSON: ${(error as Error).message}.`, 'See docs/alerts.md.');
  }
  const view = await withHost((client) => client.call('settings.set', { values: alerts ?? {} }));
  const targets = view.values.alerts.map(({ name, to }) => ({ name, to }));
  if (options.json) printJson<'alerts set'>({ targets });
  else print(targets.length === 0 ? 'No alerts are set up any more.' : block(targets.map((t) => `${t.name}: ${t.to}`)));
}

export async function test(options: Json & { target?: string }): Promise<void> {
  const { target } = options;
  const { outcomes } = await withHost((client) => client.call('alerts.test', target === undefined ? {} : { target }));
  if (options.json) printJson<'alerts test'>({ outcomes });
  else
    print(
      block(outcomes.map((one) => `${one.target}: ${one.failure === null ? 'delivered' : `failed, ${one.failure}`}`)),
    );
  if (outcomes.some(({ failure }) => failure !== null)) process.exitCode = exitStatuses.failure;
}
