/** What a host leaves in its state directory for clients: its address and the token of its door. */
import { randomBytes } from 'node:crypto';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { UnjamError } from '../contract/errors.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import { closeFolderToOthers, folderOwner, hostAddress, ownerIds, wayProblem } from '../processes/index.ts';
import { diskProblem, makeFolder } from '../run-directory/disk.ts';
import { replaceFile } from '../run-directory/atomic-file.ts';
import { identity } from '../run-directory/schemas.ts';

export interface HostFile {
  readonly schema: 1;
  readonly address: string;
  readonly token: string;
  readonly version: string;
  readonly host: ProcessIdentity;
}

const HostFileSchema: v.GenericSchema<unknown, HostFile> = v.object({
  schema: v.literal(1),
  address: v.pipe(v.string(), v.minLength(1)),
  token: v.pipe(v.string(), v.minLength(1)),
  version: v.string(),
  host: identity,
});

/**
 * Makes the state directory, owner-only, and proves that it can be written. What lies in it is believed, so one that
 * somebody else could have filled is refused.
 * @throws UnjamError `state-directory`
 */
export async function openStateDirectory(directory: string, log: (line: string) => void): Promise<void> {
  const way = await wayProblem(directory);
  if (way !== null) throw await notClosed(directory, way);
  try {
    makeFolder(directory);
    const closed = await closeFolderToOthers(directory);
    if (closed.refused !== null) throw await notClosed(directory, closed.refused);
    if (closed.said !== null) log(`W391 ${closed.said}`);
    const probe = join(directory, `.probe-${process.pid}`);
    writeFileSync(probe, '', { mode: 0o600 });
    unlinkSync(probe);
  } catch (error) {
    if (error instanceof UnjamError) throw error;
    const { text, next } = diskProblem(error, directory);
    throw new UnjamError(
      'state-directory',
      `The state directory "${directory}" cannot be written: ${text}.`,
      `${next.replace(/\.$/, '')}; or name another one with UNJAM_HOME.`,
    );
  }
}

async function notClosed(directory: string, why: string): Promise<UnjamError> {
  const owner = await ownerAround(directory);
  const [own, root] = [(await ownerIds())[0], 'uid:0'];
  const next =
    owner === null || owner === own || owner === root
      ? 'Correct its owner and its rights, or name another one with UNJAM_HOME'
      : 'Run the command as the user to whom it belongs, or name another one with UNJAM_HOME';
  return new UnjamError(
    'state-directory',
    `The state directory "${directory}" is not used: ${why}.`,
    `${next}; nothing in it was read.`,
  );
}

/** Of the folder, or of the nearest one above it that exists. */
async function ownerAround(directory: string): Promise<string | null> {
  const owner = await folderOwner(directory);
  return owner !== null || dirname(directory) === directory ? owner : ownerAround(dirname(directory));
}

export async function writeHostFile(directory: string, version: string, host: ProcessIdentity): Promise<HostFile> {
  const file: HostFile = {
    schema: 1,
    address: hostAddress(directory),
    token: randomBytes(32).toString('base64url'),
    version,
    host,
  };
  await putHostFile(directory, file);
  return file;
}

/** The same once more, where somebody has removed it. */
export async function putHostFile(directory: string, file: HostFile): Promise<void> {
  await replaceFile(join(directory, 'host.json'), JSON.stringify(file));
  // The token alone, for callers that are no CLI: curl -H "Authorization: Bearer $(cat token)".
  await replaceFile(join(directory, 'token'), file.token);
}

/** Null when no host ever ran here, or what it left cannot be used: the next one that starts writes it anew. */
export function readHostFile(directory: string): HostFile | null {
  const found = lookAt(directory);
  return typeof found === 'string' ? null : found;
}

/** Why the file that a host left there cannot be used; null when it can, or when there is none. */
export function hostFileProblem(directory: string): UnjamError | null {
  const found = lookAt(directory);
  if (typeof found !== 'string') return null;
  return new UnjamError(
    'state-directory',
    `"${join(directory, 'host.json')}" cannot be used: ${found}.`,
    'Start a host with "unjam serve": it writes the file anew. If one is still running, end its process first; scripts keep running.',
  );
}

/** A string says what is wrong. */
function lookAt(directory: string): HostFile | string | null {
  try {
    const parsed = v.safeParse(HostFileSchema, JSON.parse(readFileSync(join(directory, 'host.json'), 'utf8')));
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    return `"${v.getDotPath(issue) ?? 'the whole'}": ${issue.message}`;
  } catch (error) {
    if (error instanceof SyntaxError) return 'it is not JSON';
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? null : message;
  }
}
