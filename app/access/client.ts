/** Connects to the host of a state directory; looks who answers before anything is sent. */
import { HttpClient } from '../api/http-client.ts';
import type { Actor } from '../domain/script.ts';
import { openServerOwner } from '../processes/index.ts';
import { findHost, type FoundHost } from './find-host.ts';

/** Null when no host ever ran there; nothing is sent yet. @throws UnjamError `state-directory` */
export async function clientOf(
  directory: string,
  actor: Actor,
  timeoutMs: number,
): Promise<{ readonly client: HttpClient; readonly found: FoundHost } | null> {
  const found = await findHost(directory);
  if (found === null) return null;
  const ownerOf = await openServerOwner();
  const client = new HttpClient({
    address: found.address,
    token: found.token,
    distrust: (socket) => found.distrust(ownerOf(socket, found.address)),
    actor,
    timeoutMs,
  });
  return { client, found };
}
