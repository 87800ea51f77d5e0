/** `unjam cancel`, `kill` and `abandon`: the three verbs. On a terminal, kill and abandon ask first. */
import { createInterface } from 'node:readline/promises';
import type { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import type { MutexView, ScriptDetail, ScriptView } from '../contract/methods.ts';
import { nameKey } from '../domain/names.ts';
import { connect } from './connect.ts';
import { describe } from './locks.ts';
import { print, printJson } from './output.ts';
import { cancelSignal, duration } from './script-options.ts';
import { limits } from '../domain/limits.ts';

export interface VerbOptions {
  reason?: string;
  yes?: boolean;
  json?: boolean;
  signal?: string;
  grace?: string;
  escalate?: boolean;
  holdQueue?: boolean;
}

export async function cancel(ticket: string, o: VerbOptions): Promise<void> {
  const graceMs = duration(o.grace, '--grace', limits.graceMinMs, limits.graceMaxMs);
  const signal = o.signal === undefined ? undefined : cancelSignal(o.signal);
  await act(o, async (client) =>
    client.call('scripts.cancel', {
      ticket,
      ...reason(o),
      ...(graceMs === null ? {} : { graceMs }),
      ...(signal === undefined ? {} : { signal }),
      escalate: o.escalate ?? true,
    }),
  );
}

export async function kill(ticket: string, o: VerbOptions): Promise<void> {
  await act(o, async (client) => {
    const script = await client.call('scripts.get', { ticket });
    await confirm(
      o,
      `Force Kill "${script.name}"? ${script.verbs.kill.text} Type "yes"`,
      'yes',
      script.verbs.kill.possible && script.state !== 'final',
    );
    return client.call('scripts.kill', { ticket, ...reason(o), ...identity(script) });
  });
}

export async function abandon(ticket: string, o: VerbOptions): Promise<void> {
  const client = await connect();
  try {
    const hold = await holdOf(client, ticket);
    if (hold === null) tell(o, await abandonScript(client, ticket, o));
    else await abandonHold(client, hold, o);
  } finally {
    client.close();
  }
}

async function abandonScript(client: HttpClient, ticket: string, o: VerbOptions): Promise<ScriptView> {
  const script = await client.call('scripts.get', { ticket });
  const pid = String(script.pid ?? 'yes');
  await confirm(
    o,
    `Abandon "${script.name}"? ${script.verbs.abandon.text} This cannot be undone. Type the PID (${pid})`,
    pid,
    script.verbs.abandon.possible && script.state !== 'final',
  );
  return client.call('scripts.abandon', {
    ticket,
    ...reason(o),
    ...identity(script),
    holdQueue: o.holdQueue ?? false,
  });
}

type UnsupervisedHold = MutexView['holders'][number] & { readonly mutex: string };

/** Null for the ticket of a script, and for one that nobody has. */
async function holdOf(client: HttpClient, ticket: string): Promise<UnsupervisedHold | null> {
  for (const { name: mutex, holders } of await client.call('locks.list', {}))
    for (const h of holders) if (h.unsupervised && nameKey(h.ticket) === nameKey(ticket)) return { ...h, mutex };
  return null;
}

async function abandonHold(client: HttpClient, hold: UnsupervisedHold, o: VerbOptions): Promise<void> {
  const pid = String(hold.pid ?? 'yes');
  await confirm(
    o,
    `Take mutex "${hold.mutex}" from "${hold.name}"? It is released at once and nothing is ended: the command runs on. This cannot be undone. Type the PID (${pid})`,
    pid,
    true,
  );
  const mutex = await client.call('locks.abandon', {
    ticket: hold.ticket,
    ...reason(o),
    holdQueue: o.holdQueue ?? false,
  });
  if (o.json) printJson(mutex);
  else print(describe(mutex));
}

async function act(o: VerbOptions, call: (client: HttpClient) => Promise<ScriptView>): Promise<void> {
  const client = await connect();
  try {
    tell(o, await call(client));
  } finally {
    client.close();
  }
}

function tell(o: VerbOptions, script: ScriptView): void {
  if (o.json) printJson(script);
  else print(`${script.ticket}: ${script.condition.headline}`);
}

const reason = (o: VerbOptions): { reason?: string } => (o.reason === undefined ? {} : { reason: o.reason });
const identity = (s: ScriptDetail): { process?: { pid: number; startTime: string } } =>
  s.process === null || s.state === 'final' ? {} : { process: { pid: s.process.pid, startTime: s.process.startTime } };

/** Asks only a person: without a terminal, or with --yes, the command itself is the decision. */
async function confirm(o: VerbOptions, question: string, answer: string, possible: boolean): Promise<void> {
  if (o.yes || !possible || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const given = await terminal.question(`${question}: `);
  terminal.close();
  if (given.trim() !== answer)
    throw new UnjamError(
      'wrong-confirmation',
      `"${given.trim()}" is not "${answer}". Nothing was done.`,
      'Run the command again, or give --yes.',
    );
}
