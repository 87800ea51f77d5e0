/** Scripts that agents started by themselves, on the command line: `unjam agents`, and every command with an id `o-…`. */
import { setTimeout as delay } from 'node:timers/promises';
import { UnjamError } from '../contract/errors.ts';
import type { AgentsView, ForeignLocks, ObservedDetail, ObservedView } from '../contract/methods.ts';
import { shortDuration } from '../domain/durations.ts';
import { visibleLine, visibleOutput } from '../domain/visible.ts';
import type { Elsewhere, HostClient } from './command.ts';
import { withHost } from './connect.ts';
import { age, block, exitStatuses, print, jsonText, printFile, printJson, say, table } from './output.ts';

interface VerbOptions extends Elsewhere {
  reason?: string;
  json?: boolean;
  wait?: boolean;
  outputHolders?: boolean;
}

interface LogOptions extends Elsewhere {
  follow?: boolean;
  json?: boolean;
  tail?: string;
  stream?: string;
  since?: string;
  search?: string;
}

const pollMs = 250;
const followMs = 1_000;

export async function agents(options: { json?: boolean }): Promise<void> {
  const [found, scripts] = await withHost(async (client) =>
    Promise.all([client.call('agents.list', {}), client.call('observed.list', {})]),
  );
  if (options.json) printJson<'agents'>({ ...found, scripts });
  else print(describeAgents(found, scripts));
}

function describeAgents(found: AgentsView, scripts: readonly ObservedView[]): string {
  if (!found.observing)
    return 'Observing is switched off on this host (setting observeAgents, policy DisableObservation).';
  const known = `Looked for: ${[...new Set(found.known.map((k) => k.name))].join(', ')}.`;
  if (found.agents.length === 0 && scripts.length === 0) return block(['No agent found.', known]);
  return [
    ...(found.agents.length === 0 ? [] : [agentTable(found), '']),
    ...(scripts.length === 0 ? [] : [observedTable(scripts), '']),
    ...(found.queued.length === 0 ? [] : ['Waiting in their agent, without a process']),
    ...found.queued.map((q) =>
      visibleLine(
        `  ${q.name} (${q.id}) for "${q.mutex}"${q.behind === null ? '' : ` behind ${q.behind}`}, ${age(q.since, Date.now(), shortDuration)}`,
      ),
    ),
    ...(found.queued.length === 0 ? [] : ['']),
    ...(found.missing === null ? [] : [found.missing, '']),
    known,
  ].join('\n');
}

const agentTable = (found: AgentsView): string =>
  table(
    ['AGENT', 'PID', 'PROGRAM', 'SERVICE', 'SCRIPTS', 'VERBS'],
    found.agents.map((a) => [
      a.name,
      String(a.pid),
      a.process,
      a.service ?? '-',
      String(a.scripts),
      a.verbs ? 'Cancel, Force Kill' : 'shown only',
    ]),
  );

const stateOf = ({ condition, taken }: ObservedView): string =>
  taken === null ? condition.label : `${condition.label} (${taken.by} is on it)`;

/** The second block of `unjam ps`. */
export function observedTable(scripts: readonly ObservedView[]): string {
  const now = Date.now();
  return table(
    ['OBSERVED', 'STATE', 'PID', 'MUTEX', 'WAITERS', 'AGE', 'OUTPUT', 'AGENT', 'NAME'],
    scripts.map((s) => [
      s.id,
      stateOf(s),
      s.pid === null ? '-' : String(s.pid),
      s.mutex === null ? '-' : `${s.mutex} (${s.isolation ?? 'level unknown'})`,
      s.waiters.length === 0 ? '-' : String(s.waiters.length),
      age(s.startedAt, now, shortDuration),
      age(s.lastOutputAt, now, shortDuration),
      s.agent.name,
      visibleLine(s.name) + (s.ticket === null ? '' : ` (runs through Unjam: ${s.ticket})`),
    ]),
  );
}

export async function statusOfObserved(id: string, options: Elsewhere & { json?: boolean }): Promise<void> {
  const s = await withHost((client) => client.call('observed.get', { id }), options);
  if (options.json) printJson<'status'>(s);
  else print(describe(s));
}

function describe(s: ObservedDetail): string {
  return block([
    visibleLine(`${s.name}  (${s.agent.name}, observed)`),
    visibleLine(s.condition.headline),
    '',
    `  id         ${s.id}`,
    `  agent      ${s.agent.name}${s.agent.pid === null ? '' : `, PID ${s.agent.pid}`}: never touched`,
    `  carriers   ${s.carriers.length === 0 ? 'none' : s.carriers.map((c) => `${c.name} (PID ${c.pid})`).join(', ')}: spared`,
    ...(s.taken === null ? [] : [`  on it      ${s.taken.by}, since ${s.taken.since} until ${s.taken.until} at most`]),
    ...(s.mutex === null ? [] : [`  mutex      ${s.mutex} of ${s.agent.name}`]),
    ...s.waiters.map((w) => `  waits      ${visibleLine(w)}`),
    ...(s.log === null ? [] : [`  log        ${s.log.path}`]),
    `  cancel     ${s.verbs.cancel.text}`,
    `  kill       ${s.verbs.kill.text}`,
    `  abandon    ${s.instead}`,
    ...(s.missing === null ? [] : [`  missing    ${s.missing}`]),
    '',
    ...s.tree.map((p) => `  ${p.pid} ${p.name}, ${p.state}${p.waitsFor === null ? '' : `, waits in ${p.waitsFor}`}`),
  ]);
}

export async function logsOfObserved(id: string, o: LogOptions): Promise<void> {
  for (const [given, option] of [
    [o.search, '--search'],
    [o.since, '--since'],
    [o.tail, '--tail'],
    [o.stream, '--stream'],
  ] as const)
    if (given !== undefined)
      throw new UnjamError(
        'bad-input',
        `${option} works for scripts of Unjam; the log of an agent is read as it is.`,
        `Use "unjam logs ${id}", with --follow or --json.`,
        option,
      );
  await withHost(async (client) => {
    let from: number | undefined;
    for (;;) {
      const page = await client.call('observed.log', { id, ...(from === undefined ? {} : { from }) });
      if (from === undefined && !o.json) say(`${page.path}: ${page.note}`);
      for (const line of page.lines)
        if (o.json) printFile(jsonText<'logs'>(line));
        else process.stdout.write(`${line.stream === 'stderr' ? 'E| ' : ''}${visibleOutput(line.text)}\n`);
      const isMore = from !== undefined && page.lines.length > 0;
      from = page.next;
      if (isMore) continue;
      if (!o.follow || (await isGone(client, id))) return;
      await delay(followMs);
    }
  }, o);
}

async function isGone(client: HostClient, id: string): Promise<boolean> {
  const list = await client.call('observed.list', {});
  return !list.some((s) => s.id === id && s.condition.key !== 'gone');
}

export async function cancelObserved(id: string, o: VerbOptions, graceMs: number | null): Promise<void> {
  await withHost(async (client) => {
    const seen = await client.call('observed.get', { id });
    await client.call('observed.cancel', { id, ...aim(seen, o), ...(graceMs === null ? {} : { graceMs }) });
    await finish(client, id, o);
  }, o);
}

export async function killObserved(
  id: string,
  o: VerbOptions,
  confirm: (question: string, possible: boolean) => Promise<void>,
): Promise<void> {
  await withHost(async (client) => {
    const seen = await client.call('observed.get', { id });
    const holders = seen.outputHolders.map((h) => `PID ${h.pid} (${h.name})`).join(', ');
    await confirm(
      o.outputHolders
        ? `End what holds the output of "${seen.name}" open: ${holders}?`
        : `Force Kill "${seen.name}" of ${seen.agent.name}? ${seen.verbs.kill.text}`,
      seen.verbs.kill.possible,
    );
    await client.call('observed.kill', {
      id,
      ...aim(seen, o),
      ...(o.outputHolders ? { outputHolders: true } : {}),
    });
    await finish(client, id, o);
  }, o);
}

/** What an agent holds only the agent can release: the sentence that says how. */
export async function abandonObserved(id: string, where: Elsewhere): Promise<never> {
  const { agent, instead } = await withHost((client) => client.call('observed.get', { id }), where);
  throw new UnjamError('not-possible', `Unjam cannot release what ${agent.name} holds. Nothing was done.`, instead);
}

const aim = (s: ObservedDetail, o: VerbOptions) => ({
  ...(o.reason === undefined ? {} : { reason: o.reason }),
  ...(s.process === null ? {} : { process: { pid: s.process.pid, startTime: s.process.startTime } }),
});

const underWay = ['cancelling', 'killing'];
const failed = ['unkillable', 'cancel-ignored', 'not-deliverable', 'carrier-waits'];

async function finish(client: HostClient, id: string, o: VerbOptions): Promise<void> {
  for (;;) {
    const script = await client.call('observed.get', { id });
    const { key, headline } = script.condition;
    if (o.wait !== false && underWay.includes(key)) {
      await delay(pollMs);
      continue;
    }
    if (o.json) printJson<'cancel' | 'kill'>(script);
    else print(visibleLine(`${id}: ${headline}`));
    if (failed.includes(key)) process.exitCode = exitStatuses.failure;
    return;
  }
}

/** Below the mutexes of `unjam locks`. */
export function describeForeign({ locks, missing }: ForeignLocks): string {
  if (locks.length === 0) return missing ?? '';
  type LockProcess = ForeignLocks['locks'][number]['holder'];
  const who = ({ name, pid, script, job }: LockProcess): string =>
    visibleLine(`${name} (PID ${pid})${script === null ? '' : ` of ${job === null ? script : `${job}, ${script}`}`}`);
  return block([
    'On this host, not Unjam’s (never released by Unjam)',
    ...locks.flatMap((l) => [
      `  ${l.name}  ${l.path}`,
      `    holds  ${who(l.holder)}, ${l.kind}`,
      ...l.waiters.map((w) => `    waits  ${who(w)}${w.seen === 'inferred' ? ', inferred' : ''}`),
      `    ${l.freedBy}`,
    ]),
  ]);
}
