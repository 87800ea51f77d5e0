/**
 * Who serves a Unix socket, by the socket's file: the kernel gives it to who made it (unix(7)), and it was looked up in a
 * folder where nobody but its owner and root can put another one. SO_PEERCRED says the same of the process, and would
 * need koffi, which takes a fifth of the time of a command.
 */
import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Peer } from '../peer.ts';
import { checkFolder } from './closed-folder.ts';
import { userName } from './proc.ts';

/** Never null: who cannot be told has no id, and is believed by nobody. */
export function serverOwner(address: string): Peer {
  const status = lstatSync(address, { throwIfNoEntry: false });
  if (status === undefined) return unknown('somebody whose socket is not there any more');
  const { uid } = status;
  const folder = checkFolder(dirname(address), [uid, 0]);
  if (typeof folder === 'string') return unknown(`somebody who cannot be told, because of its folder: ${folder}`);
  return { user: userName(uid), ids: [`uid:${uid}`], pid: null };
}

const unknown = (user: string): Peer => ({ user, ids: [], pid: null });
