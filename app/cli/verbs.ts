/** `unjam cancel`, `kill` and `abandon`: the three verbs. On a terminal, kill and abandon ask first. */
import { createInterface } from 'node:readline/promises';
import { UnjamError } from '../contract/errors.ts';
import type { Input, MutexView, ScriptDetail, ScriptView } from '../contract/methods.ts';
import { nameKey } from '../domain/names.ts';
import { limits } from '../domain/limits.ts';
import { isObservedId } from '../domain/observed-id.ts';
import { visibleLine } from '../domain/visible.ts';
import type { Elsewhere, HostClient } from './command.ts';
import { withHost } from './connect.ts';
import { describe } from './locks.ts';
import { abandonObserved, cancelObserved, killObserved } from './observed.ts';
import { outcomeOf } from './outcome.ts';
import { LastingClient } from './outlast.ts';
import { exitStatuses, print, printJson, say } from './output.ts';
import { cancelSignal, duration } from './script-options.ts';

export interface VerbOptions extends Elsewhere {
  reason?: string;
  yes?: boolean;
  json?: boolean;
  signal?: string;
  grace?: string;
  escalate?: boolean;
  holdQueue?: boolean;
  wait?: boolean;
  outputHolders?: boolean;
  pid?: string;
}

export async function cancel(ticket: string, o: VerbOptions): Promise<void> {
  const graceMs = duration(o.grace, '--grace', limits.graceMinMs, limits.graceMaxMs);
  if (isObservedId(ticket)) return cancelObserved(ticket, o, graceMs);
  const signal = o.signal === undefined ? undefined : cancelSignal(o.signal, '--signal');
  await withHost(async (client) => {
    const from = await logEnd(client, ticket);
    const script = await client.call('scripts.cancel', {
      ticket,
      ...reason(o),
      ...(graceMs === null ? {} : { graceMs }),
      ...(signal === undefined ? {} : { signal }),
      escalate: o.escalate ?? true,
    });
    await finish(client, 'cancel', script, from, o);
  }, o);
}

export async function kill(ticket: string, o: VerbOptions): Promise<void> {
  if (isObservedId(ticket))
    return killObserved(ticket, o, (question, possible) => confirm(o, `${question} Type "yes"`, 'yes', possible));
  await withHost(async (client) => {
    const seen = await client.call('scripts.get', { ticket });
    await confirm(
      o,
      `Force Kill "${seen.name}"? ${seen.verbs.kill.text} Type "yes"`,
      'yes',
      seen.verbs.kill.possible && seen.state !== 'final',
    );
    const from = await logEnd(client, ticket);
    const script = await client.call('scripts.kill', { ticket, ...reason(o), ...aim(seen, o) });
    await finish(client, 'kill', script, from, o);
  }, o);
}

/** Where Unjam's next line about the script will stand. */
async function logEnd(client: HostClient, ticket: string): Promise<number> {
  return (await client.call('logs.read', { ticket, tailBytes: 1, stream: 'unjam' })).size;
}

/** Waits for the outcome, unless told otherwise; exit status 0 only when it is what was asked for. */
async function finish(
  client: HostClient,
  verb: 'cancel' | 'kill',
  script: ScriptView,
  from: number,
  o: VerbOptions,
): Promise<void> {
  if (o.wait === false) {
    tell(o, script);
    return;
  }
  const outcome = await outcomeOf(new LastingClient(client, o), verb, script.ticket, from, (line) => {
    if (!o.json) say(line);
  });
  tell(o, outcome.script);
  if (!outcome.isDone) process.exitCode = exitStatuses.failure;
}

export async function abandon(ticket: string, o: VerbOptions): Promise<void> {
  if (isObservedId(ticket)) return abandonObserved(ticket, o);
  await withHost(async (client) => {
    const hold = await holdOf(client, ticket);
    if (hold === null) tell(o, await abandonScript(client, ticket, o));
    else await abandonHold(client, hold, o);
  }, o);
}

async function abandonScript(client: HostClient, ticket: string, o: VerbOptions): Promise<ScriptView> {
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
    ...aim(script, o),
    ...(o.host === undefined || script.pid === null ? {} : { confirmPid: script.pid }),
    holdQueue: o.holdQueue ?? false,
  });
}

type UnsupervisedHold = MutexView['holders'][number] & { readonly mutex: string };

/** Null for the ticket of a script, and for one that nobody has. */
async function holdOf(client: HostClient, ticket: string): Promise<UnsupervisedHold | null> {
  for (const { name: mutex, holders } of await client.call('locks.list', {}))
    for (const h of holders) if (h.unsupervised && nameKey(h.ticket) === nameKey(ticket)) return { ...h, mutex };
  return null;
}

async function abandonHold(client: HostClient, hold: UnsupervisedHold, o: VerbOptions): Promise<void> {
  const pid = String(hold.pid ?? 'yes');
  await confirm(
    o,
    `Take mutex "${hold.mutex}" from "${hold.name}"? It is released at once and nothing is ended: the command keeps running. This cannot be undone. Type the PID (${pid})`,
    pid,
    true,
  );
  const mutex = await client.call('locks.abandon', {
    ticket: hold.ticket,
    ...reason(o),
    holdQueue: o.holdQueue ?? false,
  });
  if (o.json) printJson<'abandon'>(mutex);
  else print(describe(mutex));
}

function tell(o: VerbOptions, script: ScriptView): void {
  if (o.json) printJson<'cancel' | 'kill' | 'abandon'>(script);
  else print(visibleLine(`${script.ticket}: ${script.condition.headline}`));
}

export const reason = (o: VerbOptions): { reason?: string } => (o.reason === undefined ? {} : { reason: o.reason });

/** What a person saw when they decided; another host wants to be told all of it. */
function aim(s: ScriptDetail, { host }: Elsewhere): Pick<Input<'scripts.kill'>, 'version' | 'process'> {
  const process = s.process && { process: { pid: s.process.pid, startTime: s.process.startTime } };
  if (host !== undefined) return { version: s.version, ...process };
  return s.state === 'final' ? {} : { ...process };
}

/** Asks only a person: without a terminal, or with --yes, the command itself is the decision. */
export async function confirm(o: VerbOptions, question: string, answer: string, possible: boolean): Promise<void> {
  if (o.yes || !possible || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const given = await terminal.question(`${visibleLine(question)}: `);
  terminal.close();
  if (given.trim() !== answer)
    throw new UnjamError(
      'wrong-confirmation',
      `"${given.trim()}" is not "${answer}". Nothing was done.`,
      'Run the command again, or give --yes.',
    );
}
