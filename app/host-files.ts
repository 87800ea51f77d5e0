/** What a host leaves in its state directory for clients: its address and the token of its door. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnjamError } from './contract/errors.ts';
import type { ProcessIdentity } from './domain/identity.ts';
import { hostAddress } from './processes/index.ts';

export interface HostFile {
  readonly schema: 1;
  readonly address: string;
  readonly token: string;
  readonly version: string;
  readonly host: ProcessIdentity;
}

/**
 * Makes the state directory, owner-only, and proves that it can be written.
 * @throws UnjamError `state-directory`
 */
export function openStateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const probe = join(directory, `.probe-${process.pid}`);
    writeFileSync(probe, '', { mode: 0o600 });
    renameSync(probe, join(directory, '.writable'));
  } catch (error) {
    throw new UnjamError(
      'state-directory',
      `The state directory "${directory}" cannot be written: ${(error as Error).message}.`,
      'Correct its rights, free space, or name another one with UNJAM_HOME.',
    );
  }
}

export function writeHostFile(directory: string, version: string, host: ProcessIdentity): HostFile {
  const file: HostFile = {
    schema: 1,
    address: hostAddress(directory),
    token: randomBytes(32).toString('base64url'),
    version,
    host,
  };
  const temporary = join(directory, `host.${process.pid}.tmp`);
  writeFileSync(temporary, JSON.stringify(file), { mode: 0o600 });
  renameSync(temporary, join(directory, 'host.json'));
  // The token alone, for callers that are no CLI: curl -H "Authorization: Bearer $(cat token)".
  const token = join(directory, 'token');
  writeFileSync(token, file.token, { mode: 0o600 });
  chmodSync(token, 0o600);
  return file;
}

/** Null when no host ever ran here. */
export function readHostFile(directory: string): HostFile | null {
  try {
    return JSON.parse(readFileSync(join(directory, 'host.json'), 'utf8')) as HostFile;
  } catch {
    return null;
  }
}
