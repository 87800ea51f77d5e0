/**
 * Whether a folder is closed to other users: what lies in it is believed, so nobody else may be able to write there or to
 * put another folder in its place. Looked at from the root downwards. What has passed cannot be exchanged any more by
 * somebody else, so a folder that passed may be opened by its path.
 */
import { chmodSync, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { read, userName } from './proc.ts';

const root = 0;
const reachableByOthers = 0o011;
const sticky = 0o1000;
/** As many as the kernel follows (path_resolution(7)). */
const linksMax = 40;

export interface Closed {
  /** The user that the folder belongs to. */
  readonly owner: number;
  /** How the folder's mode was before it was closed, when it was open for reading; null when nothing was changed. */
  readonly tightenedFrom: number | null;
}

/** Why a folder is not to be believed, as the rest of a sentence. */
export type Open = string;

/**
 * Checks the way to a folder and the folder itself, which must exist, and closes it when others could only look in.
 * `owner` is the user that it must belong to.
 */
export function closeFolder(path: string, owner: number): Closed | Open {
  const status = walk(path, owner);
  if (typeof status === 'string') return status;
  const mode = status.mode & 0o7777;
  const inside = lookInside(path, owner, (mode & reachableByOthers) !== 0);
  if (inside !== null) return inside;
  if ((mode & 0o077) === 0) return { owner, tightenedFrom: null };
  chmodSync(path, 0o700);
  return { owner, tightenedFrom: mode };
}

/** As `closeFolder`, for somebody who only reads there: changes nothing. `owners` are the users that it may belong to. */
export function checkFolder(path: string, owners: readonly number[]): Closed | Open {
  const found = lstatSync(resolve(path), { throwIfNoEntry: false });
  if (found === undefined) return `it does not exist`;
  const owner = found.isSymbolicLink() ? (owners[0] ?? root) : found.uid;
  if (!owners.includes(owner)) return `it belongs to ${userName(owner)}`;
  const status = walk(path, owner);
  return typeof status === 'string' ? status : { owner, tightenedFrom: null };
}

/** Checks the way to a folder that may not exist yet, as far as it exists. */
export function checkWayTo(path: string, owner: number): Open | null {
  let existing = dirname(resolve(path));
  while (lstatSync(existing, { throwIfNoEntry: false }) === undefined) existing = dirname(existing);
  const status = walk(existing, owner, true);
  return typeof status === 'string' ? status : null;
}

/** The status of the folder at the end, or why somebody else decides what is found there. */
function walk(path: string, owner: number, isOnlyTheWay = false): Stats | Open {
  const open = resolve(path).split('/').filter(Boolean);
  let here = '/';
  let status = lstatSync('/');
  let links = 0;
  for (let problem = wayProblem(here, status, owner); ; problem = wayProblem(here, status, owner)) {
    const name = open.shift();
    if (name === undefined)
      return isOnlyTheWay && problem !== null ? problem : (targetProblem(status, owner, isOnlyTheWay) ?? status);
    if (problem !== null) return problem;
    const next = join(here, name);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return `"${next}" does not exist`;
    if (found.isSymbolicLink()) {
      if (found.uid !== owner && found.uid !== root) return `"${next}" is a link of ${userName(found.uid)}`;
      links += 1;
      if (links > linksMax) return `"${next}" leads through too many links`;
      open.unshift(...resolve(here, readlinkSync(next)).split('/').filter(Boolean));
      here = '/';
      status = lstatSync('/');
    } else {
      here = next;
      status = found;
    }
  }
}

/** Who can write a folder can exchange what lies in it; in a sticky one only what is their own. */
function wayProblem(path: string, status: Stats, owner: number): Open | null {
  if (!status.isDirectory()) return `"${path}" is no folder`;
  if (status.uid !== owner && status.uid !== root)
    return `"${path}" belongs to ${userName(status.uid)}, who can put another folder in its place`;
  if ((status.mode & sticky) !== 0 || !othersCanWrite(status, owner)) return null;
  return `others can write "${path}" (mode ${octal(status.mode)}) and put another folder in its place`;
}

function targetProblem(status: Stats, owner: number, isOnlyTheWay: boolean): Open | null {
  if (isOnlyTheWay) return null;
  if (!status.isDirectory()) return 'it is no folder';
  if (status.uid !== owner) return `it belongs to ${userName(status.uid)}`;
  return othersCanWrite(status, owner) ? `others can write it (mode ${octal(status.mode)})` : null;
}

/** Three levels: the state directory, `runs` and `mutexes`, and what each script or mutex has. */
const levels = 3;

/** What somebody else has put there while the folder was open would be believed. */
function lookInside(folder: string, owner: number, wasReachable: boolean, level = 1): Open | null {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) continue; // it has just been removed
    if (status.uid !== owner && status.uid !== root) return `"${path}" in it belongs to ${userName(status.uid)}`;
    if (wasReachable && !status.isSymbolicLink() && !status.isSocket() && othersCanWrite(status, owner))
      return `others can write "${path}" in it (mode ${octal(status.mode)})`;
    // Files below the first levels are looked at only where somebody else could have got at them.
    if (status.isDirectory() && level < (wasReachable ? levels : levels - 1)) {
      const below = lookInside(path, owner, wasReachable, level + 1);
      if (below !== null) return below;
    }
  }
  return null;
}

const othersCanWrite = ({ mode, gid }: Stats, owner: number): boolean =>
  (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isOwnGroup(gid, owner));

/** Systems that give each user a group of their own let it write what they make (umask 002). */
function isOwnGroup(gid: number, owner: number): boolean {
  if (owner === root) return gid === root;
  const of = (file: string, column: number, value: string): readonly string[] | null =>
    read(file, 'utf8')
      ?.split('\n')
      .map((line) => line.split(':'))
      .find((fields) => fields[column] === value) ?? null;
  const user = of('/etc/passwd', 2, String(owner));
  const group = of('/etc/group', 2, String(gid));
  if (user === null || group === null || user[3] !== String(gid)) return false;
  const members = (group[3] ?? '').split(',').filter(Boolean);
  return group[0] === user[0] && members.every((member) => member === user[0]);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // it has just been removed
    throw error;
  }
}

const octal = (mode: number): string => `0${(mode & 0o7777).toString(8)}`;
