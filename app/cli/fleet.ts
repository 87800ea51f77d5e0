/** `unjam fleet`: makes a fleet, joins and leaves it, shows its hosts and mutexes, and frees what a dead host holds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { whichStateDirectory } from '../access/state-directory.ts';
import { UnjamError } from '../contract/errors.ts';
import { longDuration } from '../domain/durations.ts';
import * as fleet from '../fleet/admin.ts';
import { engineAddress, type Invitation, readInvitation, removeFleetLogin } from '../fleet/config.ts';
import type { EngineAddress } from '../fleet/postgres.ts';
import { schemaVersion } from '../fleet/schema.ts';
import { version } from '../version.ts';
import { openStateDirectory } from '../host/host-files.ts';
import { personAddress } from './elsewhere.ts';
import { block, exitStatuses, print, printJson, say, table } from './output.ts';
import { person } from './person.ts';

interface Json {
  json?: boolean;
}

interface EngineOptions {
  engine: string;
  ca?: string;
}

interface AsOptions extends Json {
  as?: string;
}

export async function init(options: EngineOptions): Promise<void> {
  await fleet.withEngine(ownerAddress(options), fleet.initFleet);
  print('The fleet is made. Invite its hosts with "unjam fleet invite".');
}

export async function migrate(options: EngineOptions): Promise<void> {
  const before = await fleet.withEngine(ownerAddress(options), fleet.migrateFleet);
  print(
    before === schemaVersion
      ? `The fleet has schema ${schemaVersion} already.`
      : `The fleet has schema ${schemaVersion} now, it had ${before}.${before === 1 ? ' Update every host before you use --host: hosts of the version before take no calls.' : ''}`,
  );
}

export async function invite(
  name: string,
  options: EngineOptions & { out: string; operator?: boolean; viewer?: boolean },
): Promise<void> {
  const role = options.operator ? 'operator' : options.viewer ? 'viewer' : 'host';
  const address = ownerAddress(options);
  const password = await fleet.withEngine(address, (engine) => fleet.inviteTo(engine, name, role));
  const url = new URL(options.engine);
  url.username = encodeURIComponent(name);
  url.password = encodeURIComponent(password);
  const invitation: Invitation = {
    unjam: 'fleet invitation',
    engine: url.href,
    ...(options.ca === undefined ? {} : { ca: readFileSync(options.ca, 'utf8') }),
  };
  try {
    writeFileSync(options.out, `${JSON.stringify(invitation, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new UnjamError(
      'bad-input',
      `"${options.out}" could not be written: ${(error as Error).message}.`,
      'Name a file that does not exist yet, and invite again: an earlier invitation ends then.',
      'out',
    );
  }
  const next = role === 'host' ? `on that host run "unjam fleet join FILE"` : `"${name}" uses it with --as FILE`;
  print(`${options.out} lets in the ${role} "${name}". It holds a password: bring it there safely; ${next}.`);
}

export async function join(file: string): Promise<void> {
  const stateDirectory = await whichStateDirectory();
  await openStateDirectory(stateDirectory, say);
  const { engine } = await fleet.joinFleet(stateDirectory, readInvitation(file), version);
  print(
    `This host has joined the fleet as "${engine.user}". A mutex of the fleet: unjam run --scope fleet --mutex web -- COMMAND`,
  );
}

export async function leave(): Promise<void> {
  const { engine } = await fleet.leaveFleet(await whichStateDirectory());
  print(`This host has left the fleet in which it was "${engine.user}".`);
}

export async function login(file: string): Promise<void> {
  const stateDirectory = await whichStateDirectory();
  await openStateDirectory(stateDirectory, say);
  const address = readInvitation(file);
  const role = await fleet.logIn(stateDirectory, address);
  print(
    `Console and API of this host show your account the scripts of the other hosts of the fleet now, as its ${role} "${address.user}" sees them. "${stateDirectory}" keeps the invitation until "unjam fleet logout".`,
  );
}

export async function logout(): Promise<void> {
  const stateDirectory = await whichStateDirectory();
  await openStateDirectory(stateDirectory, say);
  print(
    removeFleetLogin(stateDirectory)
      ? 'The invitation was removed: this host shows its own scripts alone again.'
      : 'Nobody was logged in to a fleet here.',
  );
}

export async function restored({ reason }: { reason: string }): Promise<void> {
  const { engine } = await fleet.takeRestored(await whichStateDirectory(), `${reason} (${person()})`);
  print(`What the engine knows now counts for "${engine.user}"; this host changes mutexes of the fleet again.`);
}

export async function doctor(options: AsOptions): Promise<void> {
  const here = options.as === undefined ? await whichStateDirectory() : null;
  const address = here === null ? readInvitation(options.as ?? '') : fleet.joinedConfig(here).engine;
  const examined = await fleet.withEngine(address, (engine) => fleet.examineEngine(engine, address.user));
  const findings = here === null ? examined : [...examined, fleet.examineSeen(here)];
  if (options.json) printJson<'fleet doctor'>({ findings: [...findings] });
  else print(block(findings.map(({ check, ok, text }) => `${ok ? 'ok  ' : 'BAD '} ${check}: ${text}`)));
  if (findings.some(({ ok }) => !ok)) process.exitCode = exitStatuses.failure;
}

export async function hosts(options: AsOptions): Promise<void> {
  const found = await fleet.withEngine(personAddress(options.as), fleet.hostsOf);
  const all = found.map((h) => ({ ...h, holds: h.holds.reduce((sum, { scripts }) => sum + scripts, 0) }));
  if (options.json) return printJson<'fleet hosts'>({ hosts: all });
  if (all.length === 0) return print('No host has joined the fleet.');
  const ago = (iso: string): string => longDuration(Math.max(0, Date.now() - Date.parse(iso)));
  const rows = all.map((h) => [
    h.id,
    h.state === 'reachable' ? h.state : `${h.state} for ${ago(h.since)}`,
    String(h.holds),
    String(h.waits),
    h.version,
    h.why ?? '-',
  ]);
  print(table(['HOST', 'STATE', 'HOLDS', 'WAITS', 'VERSION', 'WHY'], rows));
}

export async function locks(options: AsOptions): Promise<void> {
  const all = (await fleet.withEngine(personAddress(options.as), fleet.mutexesOf)).map(({ state }) => state);
  const busy = all.filter((s) => s.holders.length + s.queue.length + s.abandoned.length > 0 || s.paused);
  const entry = (e: { ticket: string; host?: string; name: string }) => ({ ticket: e.ticket, host: e.host ?? '', name: e.name }); // prettier-ignore
  if (options.json)
    return printJson<'fleet locks'>({
      mutexes: busy.map((s) => ({ name: s.name, paused: s.paused !== null, holders: s.holders.map(entry), waiters: s.queue.map(entry), orphans: s.abandoned.map(entry) })), // prettier-ignore
    });
  if (busy.length === 0) return print('No mutex of the fleet is in use.');
  const line = (what: string, e: { ticket: string; host?: string; name: string }): string =>
    `  ${what} ${e.ticket}@${e.host ?? '?'} "${e.name}"`;
  print(
    block(
      busy.flatMap((s) => [
        `${s.name}${s.paused ? ', paused' : ''}`,
        ...s.holders.map((h) => line('held by', h)),
        ...s.queue.map((w, i) => line(`${i + 1}.`, w)),
        ...s.abandoned.map((a) => line('abandoned, may still run:', a)),
      ]),
    ),
  );
}

export async function abandon(mutex: string, who: string, options: AsOptions & { reason: string }): Promise<void> {
  const [, ticket, host] = /^(.+)@(.+)$/.exec(who) ?? [];
  if (ticket === undefined || host === undefined)
    throw new UnjamError('bad-input', `"${who}" names no script of a host.`, 'Write it as TICKET@HOST.', 'ticket');
  const did = await fleet.withEngine(personAddress(options.as), (engine) =>
    fleet.abandonInFleet(engine, mutex, { ticket, host }, actor(options.reason)),
  );
  print(
    did === 'held'
      ? `The mutex was taken from ${who}. NOTHING WAS ENDED: its processes may still run on "${host}".`
      : `${who} was taken out of the queue.`,
  );
}

export async function retire(host: string, options: AsOptions & { reason: string }): Promise<void> {
  const taken = await fleet.withEngine(personAddress(options.as), (engine) =>
    fleet.retireHost(engine, host, actor(options.reason)),
  );
  print(
    `"${host}" is retired: it can hold and wait for no mutex of the fleet until it is admitted again. ${taken === 0 ? 'It had none' : `Taken from it: ${taken}`}. NOTHING WAS ENDED: its processes may still run.`,
  );
}

export async function admit(host: string, options: AsOptions & { reason: string }): Promise<void> {
  await fleet.withEngine(personAddress(options.as), (engine) => fleet.admitHost(engine, host, options.reason));
  print(`"${host}" is a host of the fleet again.`);
}

const actor = (reason: string) => ({ by: { user: person(), via: 'cli' as const }, reason });

const ownerAddress = ({ engine, ca }: EngineOptions): EngineAddress =>
  engineAddress({ engine, ...(ca === undefined ? {} : { ca }) }, process.cwd());
