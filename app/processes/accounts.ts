/** Accounts and groups of the system by their names. */
import type { Peer } from './peer.ts';
import { userName } from './user-name.ts';

/** The id of `kim`, `group:deploy`, `CORP\oncall` …, as it stands in the `ids` of a peer; null when there is none. */
export async function accountId(name: string): Promise<string | null> {
  return process.platform === 'win32'
    ? (await import('./windows/accounts.ts')).accountId(name)
    : (await import('./linux/accounts.ts')).accountId(name);
}

/** Of those who administer the machine: root; SYSTEM and the group of administrators, where it is in force. */
export const administratorIds: readonly string[] =
  process.platform === 'win32' ? ['S-1-5-18', 'S-1-5-32-544'] : ['uid:0'];

/** This process, as the system would tell it at the other end of a connection; null when it does not. */
export async function ownPeer(): Promise<Peer | null> {
  if (process.platform === 'win32') return (await import('./windows/token.ts')).peerOf(process.pid);
  return { user: userName(), ids: [`uid:${process.getuid?.() ?? 0}`], pid: process.pid };
}

/** Of the account of this process, then of administrators: they are owners whatever is granted. */
export async function ownerIds(): Promise<readonly string[]> {
  if (process.platform !== 'win32') return [`uid:${process.getuid?.() ?? 0}`, ...administratorIds];
  const { userSid } = await import('./windows/token.ts');
  return [userSid(process.pid), ...administratorIds].filter((sid) => sid !== null);
}
