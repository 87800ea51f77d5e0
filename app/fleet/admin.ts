/** What is done to a fleet as a whole: made, joined, looked at, and a host that is gone taken out of it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { UnjamError } from '../contract/errors.ts';
import * as rules from '../domain/mutex.ts';
import { inFleet } from '../domain/names.ts';
import type { Actor } from '../domain/script.ts';
import {
  type FleetConfig,
  notJoined,
  readFleetConfig,
  removeFleetConfig,
  writeFleetConfig,
  writeFleetLogin,
} from './config.ts';
import { FleetStore, type Row } from './fleet-store.ts';
import { beatOf } from './hosts.ts';
import { Engine, type EngineAddress } from './postgres.ts';
import { migrationFrom, schema, schemaVersion } from './schema.ts';
import { forgetSeen, Seen } from './seen.ts';

export { hostsOf } from './hosts.ts';

/** The oldest PostgreSQL whose functions the schema uses. */
const oldestEngine = 130_000;

export type FleetRole = 'host' | 'operator' | 'viewer';

export async function withEngine<T>(address: EngineAddress, act: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = new Engine(address, 'unjam fleet');
  try {
    return await act(engine);
  } catch (error) {
    if (error instanceof UnjamError) throw error;
    throw new UnjamError(
      'engine-unreachable',
      `${(error as Error).message}.`,
      `Look at the engine at ${address.host}:${address.port}, and at what stands between.`,
    );
  } finally {
    await engine.close();
  }
}

/** The version of the schema; null when there is none. */
async function versionOf(engine: Engine): Promise<number | null> {
  const [there] = await engine.query<{ there: boolean }>(`select to_regclass('unjam.meta') is not null as there`);
  if (there?.there !== true) return null;
  const [row] = await engine.query<{ schema_version: number }>('select schema_version from unjam.meta');
  return row?.schema_version ?? null;
}

/** @throws UnjamError `not-possible` when there is a fleet already, or the engine cannot keep one */
export async function initFleet(engine: Engine): Promise<void> {
  const [server] = await engine.query<{ number: number; replica: boolean; text: string }>(
    `select current_setting('server_version_num')::int as number, pg_is_in_recovery() as replica,
       current_setting('server_version') as text`,
  );
  if (server === undefined || server.number < oldestEngine || server.replica)
    throw new UnjamError(
      'not-possible',
      server?.replica === true ? 'That engine is a standby.' : `PostgreSQL ${server?.text} is too old.`,
      'Use the primary of a PostgreSQL 13 or newer.',
    );
  const version = await versionOf(engine);
  if (version !== null)
    throw new UnjamError(
      'not-possible',
      `That database has a fleet already (schema ${version}).`,
      'Invite hosts with "unjam fleet invite"; nothing was changed.',
    );
  await engine.query(schema);
}

/**
 * Brings the schema up to this version of Unjam. Answers the version that it had.
 * @throws UnjamError `not-possible` when there is no fleet, or one of a newer Unjam
 */
export async function migrateFleet(engine: Engine): Promise<number> {
  const version = knownVersion(await versionOf(engine));
  if (version < schemaVersion) await engine.query(migrationFrom(version));
  return version;
}

/** @throws UnjamError `not-possible` */
function knownVersion(version: number | null): number {
  if (version !== null && version <= schemaVersion) return version;
  throw new UnjamError(
    'not-possible',
    version === null
      ? 'That database has no fleet.'
      : `That fleet has schema ${version}, this Unjam knows ${schemaVersion}.`,
    version === null ? 'Make one with "unjam fleet init".' : 'Update Unjam on this host.',
  );
}

/**
 * Makes a login of that name, or gives the one that is there a new password. Answers the password.
 * @throws UnjamError `not-possible` when that login is somebody else's
 */
export async function inviteTo(engine: Engine, name: string, role: FleetRole): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const [known] = await engine.query<{ member: boolean; others: boolean }>(
    `select pg_has_role(oid, $2, 'member') as member, rolsuper or rolcreaterole or rolcreatedb as others
       from pg_roles where rolname = $1`,
    [name, `unjam_${role}`],
  );
  if (known && (!known.member || known.others))
    throw new UnjamError(
      'not-possible',
      `The engine has a login "${name}" that is no ${role} of this fleet.`,
      'Give another name; nothing was changed.',
    );
  // Names and passwords cannot be parameters there: format() quotes them on the engine.
  const [made] = await engine.query<{ text: string }>(
    known
      ? `select format('alter role %I login password %L', $1::text, $2::text) as text`
      : `select format('create role %I login password %L in role %I', $1::text, $2::text, $3::text) as text`,
    known ? [name, password] : [name, password, `unjam_${role}`],
  );
  await engine.query(made?.text ?? '');
  return password;
}

/** @throws UnjamError `fleet-refused` when the name is another installation's, `not-possible` when it has joined one */
export async function joinFleet(stateDirectory: string, address: EngineAddress, version: string): Promise<FleetConfig> {
  const before = readFleetConfig(stateDirectory);
  if (before && before.engine.user !== address.user)
    throw new UnjamError(
      'not-possible',
      `This host has joined a fleet as "${before.engine.user}".`,
      'Leave it first with "unjam fleet leave".',
    );
  const installation = before?.installation ?? randomUUID();
  return withEngine(address, async (engine) => {
    knownVersion(await versionOf(engine));
    const [row] = await engine.query<{ fleet: string }>('select unjam.join_fleet($1, $2) as fleet', [
      installation,
      version,
    ]);
    const config: FleetConfig = { schema: 1, fleet: row?.fleet ?? '', installation, engine: address };
    await writeFleetConfig(stateDirectory, config);
    return config;
  });
}

/** @throws UnjamError `fleet-not-joined`; `fleet-refused` while scripts of this host hold or wait for its mutexes */
export async function leaveFleet(stateDirectory: string): Promise<FleetConfig> {
  const config = joinedConfig(stateDirectory);
  await withEngine(config.engine, (engine) => engine.query('select unjam.leave_fleet()'));
  removeFleetConfig(stateDirectory);
  forgetSeen(stateDirectory);
  return config;
}

/**
 * Keeps a person's invitation for the console of that state directory. Answers what they may do in the fleet.
 * @throws UnjamError `bad-input` for a host's invitation
 */
export async function logIn(stateDirectory: string, address: EngineAddress): Promise<'operator' | 'viewer'> {
  const [row] = await withEngine(address, (engine) =>
    engine.query<{ fleet: string; operator: boolean; viewer: boolean }>(
      `select fleet, pg_has_role('unjam_operator', 'member') as operator, pg_has_role('unjam_viewer', 'member') as viewer
         from unjam.meta`,
    ),
  );
  if (row === undefined || (!row.operator && !row.viewer))
    throw new UnjamError(
      'bad-input',
      `"${address.user}" is no person of that fleet.`,
      'Use an invitation of your own: "unjam fleet invite NAME --operator" or "--viewer" makes one.',
      'file',
    );
  await writeFleetLogin(stateDirectory, { schema: 1, fleet: row.fleet, engine: address });
  return row.operator ? 'operator' : 'viewer';
}

/** Whether this host has noticed that the engine was restored. */
export function examineSeen(stateDirectory: string): Finding {
  const { problem } = new Seen(stateDirectory, joinedConfig(stateDirectory).fleet);
  const text = `${problem}. Compare the holders with the scripts that run, then run "unjam fleet restored"`;
  return { check: 'restore', ok: problem === null, text: problem === null ? 'none was noticed' : text };
}

/**
 * Takes what the engine knows now as what this host has seen. `why` is for the audit.
 * @throws UnjamError `fleet-not-joined`
 */
export async function takeRestored(stateDirectory: string, why: string): Promise<FleetConfig> {
  const config = joinedConfig(stateDirectory);
  const now = await withEngine(config.engine, async (engine) => {
    await engine.query('select unjam.restored($1)', [why]);
    return beatOf(engine);
  });
  await new Seen(stateDirectory, config.fleet).restored(now);
  return config;
}

/** @throws UnjamError `fleet-not-joined` */
export function joinedConfig(stateDirectory: string): FleetConfig {
  const config = readFleetConfig(stateDirectory);
  if (config) return config;
  throw notJoined();
}

const storeOf = (engine: Engine, name: string): FleetStore => new FleetStore(engine, name, Date.now);

/**
 * Takes the mutex from a script of any host, or its place in the queue. Ends nothing.
 * @throws UnjamError `unknown-mutex`, `unknown-ticket`
 */
export async function abandonInFleet(
  engine: Engine,
  mutex: string,
  { ticket, host }: { readonly ticket: string; readonly host: string },
  how: { readonly by: Actor; readonly reason: string },
): Promise<'held' | 'waited'> {
  const store = storeOf(engine, inFleet(mutex));
  const state = await store.refresh();
  const isIt = (e: rules.Waiter): boolean => e.ticket.toLowerCase() === ticket.toLowerCase() && e.host === host;
  const hold = state.holders.find(isIt);
  const waiter = state.queue.find(isIt);
  const entry = hold ?? waiter;
  if (!entry)
    throw new UnjamError(
      state.version === 0 ? 'unknown-mutex' : 'unknown-ticket',
      `No script of "${host}" with the ticket "${ticket}" holds or waits for "${inFleet(mutex)}".`,
      'See "unjam fleet locks".',
    );
  await store.change((s) => takeOut(s, entry.id, how));
  return hold ? 'held' : 'waited';
}

/** The host may change nothing from now on; what it held is abandoned, what waited is taken out. */
export async function retireHost(
  engine: Engine,
  host: string,
  how: { readonly by: Actor; readonly reason: string },
): Promise<number> {
  await engine.query('select unjam.retire($1, $2)', [host, how.reason]);
  let taken = 0;
  for (const { name } of await mutexesOf(engine)) {
    const store = storeOf(engine, name);
    const isIts = (e: rules.Waiter): boolean => e.host === host;
    const state = await store.refresh();
    const ids = [...state.holders, ...state.queue].filter(isIts).map(({ id }) => id);
    if (ids.length === 0) continue;
    await store.change((s) => ids.reduce((now, id) => takeOut(now, id, how), s));
    taken += ids.length;
  }
  return taken;
}

export async function admitHost(engine: Engine, host: string, reason: string): Promise<void> {
  await engine.query('select unjam.admit($1, $2)', [host, reason]);
}

export const mutexesOf = (
  engine: Engine,
): Promise<(Row & { readonly state: rules.MutexState; readonly name: string })[]> =>
  engine.query(`select version, state, state->>'name' as name from unjam.mutex order by key`);

function takeOut(
  state: rules.MutexState,
  id: string,
  { by, reason }: { readonly by: Actor; readonly reason: string },
): rules.MutexState {
  const at = Date.now();
  return rules.leave(rules.abandon(state, id, { at, by, reason, holdQueue: false }), id, at);
}

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly text: string;
}

/** What must be true of the engine before scripts rely on it. */
export async function examineEngine(engine: Engine, user: string): Promise<readonly Finding[]> {
  const asked = Date.now();
  const [row] = await engine.query<{
    server: string;
    number: number;
    replica: boolean;
    fsync: string;
    commit: string;
    ssl: boolean;
    powerful: boolean; // prettier-ignore
    owner: boolean;
    now_ms: number;
    standbys: number;
    names: string; // prettier-ignore
  }>(
    `select current_setting('server_version') as server, current_setting('server_version_num')::int as number,
       pg_is_in_recovery() as replica, current_setting('fsync') as fsync,
       current_setting('synchronous_commit') as commit,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as ssl,
       (select rolsuper or rolcreaterole or rolbypassrls from pg_roles where rolname = session_user) as powerful,
       pg_has_role(session_user, (select relowner from pg_class where oid = to_regclass('unjam.mutex')), 'member') as owner,
       extract(epoch from clock_timestamp()) * 1000.0::double precision as now_ms,
       (select count(*)::int from pg_stat_replication) as standbys,
       current_setting('synchronous_standby_names') as names`,
  );
  if (row === undefined) return [];
  const rtt = Date.now() - asked;
  const offset = Math.round(row.now_ms - asked - rtt / 2);
  const version = await versionOf(engine);
  return [
    { check: 'engine', ok: row.number >= oldestEngine && !row.replica, text: `PostgreSQL ${row.server}${row.replica ? ', a standby: nothing can be changed there' : ''}, answers in ${rtt} ms` }, // prettier-ignore
    {
      check: 'schema',
      ok: version === schemaVersion,
      text: `${version ?? 'none'}; this Unjam knows ${schemaVersion}${version !== null && version < schemaVersion ? ': bring it up with "unjam fleet migrate"' : ''}`,
    },
    { check: 'durability', ok: row.fsync === 'on' && !['off', 'local'].includes(row.commit), text: `fsync ${row.fsync}, synchronous_commit ${row.commit}` }, // prettier-ignore
    { check: 'standbys', ok: row.standbys === 0 || row.names !== '', text: row.standbys === 0 ? 'none seen' : `${row.standbys}, ${row.names === '' ? 'asynchronous: the latest changes are lost when one takes over; set synchronous_standby_names' : 'synchronous'}` }, // prettier-ignore
    { check: 'role', ok: !row.powerful && !row.owner, text: `"${user}"${row.powerful || row.owner ? ' owns the schema or may make roles: the guard does not bind it' : ', bound by the guard'}` }, // prettier-ignore
    { check: 'TLS', ok: true, text: row.ssl ? 'used' : 'not used: the engine is on this machine' },
    { check: 'clock', ok: Math.abs(offset) <= 5_000, text: `${offset} ms beside the engine’s; times are corrected by it, and nothing is decided by them` }, // prettier-ignore
  ];
}
