/**
 * What a state directory knows of a fleet, for its owner alone: `fleet.json` of the host that has joined it,
 * `fleet-login.json` of the person whose console shows it.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { UnjamError } from '../contract/errors.ts';
import { isLoopback } from '../domain/names.ts';
import { replaceFile, tryUnlink } from '../run-directory/atomic-file.ts';
import type { EngineAddress } from './postgres.ts';

const AddressSchema = v.object({
  host: v.string(),
  port: v.number(),
  database: v.string(),
  user: v.string(),
  password: v.exactOptional(v.string()),
  ssl: v.exactOptional(
    v.object({
      ca: v.exactOptional(v.string()),
      cert: v.exactOptional(v.string()),
      key: v.exactOptional(v.string()),
    }),
  ),
});

const ConfigSchema = v.object({
  schema: v.literal(1),
  /** The fleet's own id, as its engine has it. */
  fleet: v.string(),
  /** Of this state directory: a copy of it on another machine is another host under the same name. */
  installation: v.string(),
  engine: AddressSchema,
});

const LoginSchema = v.object({ schema: v.literal(1), fleet: v.string(), engine: AddressSchema });

export interface FleetConfig {
  readonly schema: 1;
  readonly fleet: string;
  readonly installation: string;
  readonly engine: EngineAddress;
}

/** By whose name the console of this state directory looks at a fleet. */
export interface FleetLogin {
  readonly schema: 1;
  readonly fleet: string;
  readonly engine: EngineAddress;
}

export const fleetFile = (stateDirectory: string): string => join(stateDirectory, 'fleet.json');
export const loginFile = (stateDirectory: string): string => join(stateDirectory, 'fleet-login.json');

/** Null when this host has joined none. @throws UnjamError `state-directory` when the file is not one */
export const readFleetConfig = (stateDirectory: string): FleetConfig | null =>
  read(fleetFile(stateDirectory), ConfigSchema, 'Join the fleet again with "unjam fleet join".');

/** Null when nobody is logged in. @throws UnjamError `state-directory` when the file is not one */
export const readFleetLogin = (stateDirectory: string): FleetLogin | null =>
  read(loginFile(stateDirectory), LoginSchema, 'Log in again with "unjam fleet login".');

function read<T>(path: string, schema: v.GenericSchema<unknown, T>, next: string): T | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (error) {
    throw new UnjamError('state-directory', `"${path}" cannot be used: ${(error as Error).message}.`, next);
  }
}

export const notJoined = (): UnjamError =>
  new UnjamError('fleet-not-joined', 'This host has joined no fleet.', 'Join one with "unjam fleet join FILE".');

export async function writeFleetConfig(stateDirectory: string, config: FleetConfig): Promise<void> {
  await replaceFile(fleetFile(stateDirectory), JSON.stringify(config), true);
}

export const removeFleetConfig = (stateDirectory: string): boolean => tryUnlink(fleetFile(stateDirectory));

export async function writeFleetLogin(stateDirectory: string, login: FleetLogin): Promise<void> {
  await replaceFile(loginFile(stateDirectory), JSON.stringify(login), true);
}

/** False when nobody was logged in. @throws the file system's error */
export function removeFleetLogin(stateDirectory: string): boolean {
  const path = loginFile(stateDirectory);
  const wasThere = existsSync(path);
  rmSync(path, { force: true });
  return wasThere;
}

const InvitationSchema = v.object({
  unjam: v.literal('fleet invitation'),
  engine: v.string(),
  ca: v.exactOptional(v.string()),
  cert: v.exactOptional(v.string()),
  key: v.exactOptional(v.string()),
});

/** What `unjam fleet invite` prints and `unjam fleet join` reads. */
export type Invitation = v.InferOutput<typeof InvitationSchema>;

/** @throws UnjamError `bad-input` */
export function readInvitation(path: string): EngineAddress {
  try {
    return engineAddress(v.parse(InvitationSchema, JSON.parse(readFileSync(path, 'utf8'))), dirname(resolve(path)));
  } catch (error) {
    if (error instanceof UnjamError) throw error;
    throw new UnjamError(
      'bad-input',
      `"${path}" is no invitation to a fleet: ${(error as Error).message}.`,
      'Ask who runs the fleet for the file that "unjam fleet invite" made for this host.',
      'file',
    );
  }
}

/**
 * From an address as libpq writes it, `postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE`. Certificates are PEM texts or
 * paths of files, relative to `folder`. TLS is always used but on this very machine.
 * @throws UnjamError `bad-input`
 */
export function engineAddress({ engine, ca, cert, key }: Omit<Invitation, 'unjam'>, folder: string): EngineAddress {
  const url = URL.parse(engine);
  if (
    !url ||
    !/^postgres(ql)?:$/.test(url.protocol) ||
    url.hostname === '' ||
    url.username === '' ||
    url.pathname.length < 2
  )
    throw new UnjamError(
      'bad-input',
      `"${engine.replace(/:[^:@/]*@/, ':…@')}" is not the address of an engine.`,
      'Write it as postgresql://USER@HOST:5432/DATABASE.',
      'engine',
    );
  const pem = (text: string): string =>
    text.includes('-----BEGIN') ? text : readFileSync(resolve(folder, text), 'utf8');
  const isHere = isLoopback(`http://${url.hostname}`);
  const ssl = {
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
  };
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(isHere && ca === undefined ? {} : { ssl }),
  };
}
