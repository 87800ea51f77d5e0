/** Connects to the host of a state directory; looks who answers before anything is sent. */
import { HttpClient } from '../api/http-client.ts';
import type { Actor } from '../domain/script.ts';
import { openServerOwner, type Peer } from '../processes/index.ts';
import { version } from '../version.ts';
import { findHost, type FoundHost } from './find-host.ts';

export interface Reached {
  readonly client: HttpClient;
  readonly found: FoundHost;
  /** Who served the latest connection; null before the first call. */
  readonly server: () => Peer | null;
}

/** Null when no host ever ran there; nothing is sent yet. @throws UnjamError `state-directory` */
export async function clientOf(directory: string, actor: Actor, timeoutMs: number): Promise<Reached | null> {
  const found = await findHost(directory);
  if (found === null) return null;
  const ownerOf = await openServerOwner();
  let server: Peer | null = null;
  const client = new HttpClient({
    address: found.address,
    token: found.token,
    distrust: () => found.distrust((server = ownerOf(found.address))),
    version,
    actor,
    timeoutMs,
  });
  return { client, found, server: () => server };
}
