/** Lets a new host, of a new version for instance, take the place of the one that runs. Scripts notice nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { clientOf } from '../access/client.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Actor } from '../domain/script.ts';
import { openProcessControl, type ProcessControl } from '../processes/index.ts';
import { readHostFile } from './host-files.ts';

const retireMs = 10_000;

/** Resolves when no host lives; also when none did. @throws UnjamError `not-possible`, `host-timeout` */
export async function takeOver(directory: string, actor: Actor, known?: ProcessControl): Promise<void> {
  const file = readHostFile(directory);
  const control = known ?? (await openProcessControl());
  control.attend?.(directory);
  if (!file || control.liveness(file.host) === 'dead') return;
  const reached = await clientOf(directory, actor, retireMs);
  if (!reached) return;
  const { client } = reached;
  try {
    await client.call('host.retire', {});
  } catch (error) {
    if (!(error instanceof UnjamError) || error.code !== 'host-unreachable') throw error;
  } finally {
    client.close();
  }
  const deadline = performance.now() + retireMs;
  while (control.liveness(file.host) !== 'dead') {
    if (performance.now() > deadline)
      throw new UnjamError(
        'host-timeout',
        `The host (PID ${file.host.pid}) agreed to exit but is still running.`,
        'Look at its process; scripts do not depend on it.',
      );
    await delay(20);
  }
}

/**
 * Asks a host of an older version to make room; true when it has gone. Scripts notice nothing. False for one of this or a
 * newer version, and for one that does not retire or does not let the caller ask.
 */
export async function retireOlder(
  directory: string,
  actor: Actor,
  control: ProcessControl,
  own: string,
): Promise<boolean> {
  try {
    const reached = await clientOf(directory, actor, retireMs);
    if (!reached) return false;
    const { client } = reached;
    try {
      if (!isOlder((await client.call('host.info', {})).version, own)) return false;
    } finally {
      client.close();
    }
    await takeOver(directory, actor, control);
    return true;
  } catch {
    return false; // it stays the host, and this process its client
  }
}

/** By the three numbers; what has none is not older. Pure. */
function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number));
  if (a === undefined || b === undefined) return false;
  const at = a.findIndex((number, i) => number !== b[i]);
  return at !== -1 && (a[at] ?? 0) < (b[at] ?? 0);
}
