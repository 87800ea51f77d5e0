/** Lets a new host, of a new version for instance, take the place of the one that runs. Scripts notice nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { clientOf } from '../access/client.ts';
import { UnjamError } from '../contract/errors.ts';
import { readHostFile } from '../host/host-files.ts';
import { openProcessControl } from '../processes/index.ts';
import { person } from './person.ts';

const retireMs = 10_000;

/** Resolves when no host lives; also when none did. @throws UnjamError `not-possible`, `host-timeout` */
export async function takeOver(directory: string): Promise<void> {
  const file = readHostFile(directory);
  const control = await openProcessControl();
  control.attend?.(directory);
  if (!file || control.liveness(file.host) === 'dead') return;
  const reached = await clientOf(directory, { user: person(), via: 'cli' }, retireMs);
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
        `The host (PID ${file.host.pid}) said that it retires, but lives on.`,
        'Look at its process; scripts do not depend on it.',
      );
    await delay(20);
  }
}
