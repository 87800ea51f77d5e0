/** Finds the host of the state directory, or starts one in the background, and connects to it. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import { openStateDirectory, readHostFile } from '../host-files.ts';
import { stateDirectory } from '../processes/places.ts';
import { person } from './person.ts';

const answerMs = 15_000;
const startMs = 20_000;

/** @throws UnjamError `state-directory`, `host-unreachable`, `host-timeout`, `version-mismatch` */
export async function connect(): Promise<HttpClient> {
  const directory = stateDirectory();
  const client = await reach(directory);
  if (client) return client;
  await openStateDirectory(directory, (line) => process.stderr.write(`unjam: ${line}\n`));
  const failed = await startBackgroundHost(directory);
  const deadline = performance.now() + startMs;
  for (let wait = 5; performance.now() < deadline; wait = Math.min(wait * 1.5, 100)) {
    await delay(wait);
    const started = await reach(directory);
    if (started) return started;
    if (failed())
      throw new UnjamError(
        'host-unreachable',
        'The background host could not start.',
        `Its last words stand in ${join(directory, 'host.log')}; "unjam serve" shows them too.`,
      );
  }
  throw new UnjamError(
    'host-unreachable',
    `The background host did not come up within ${startMs / 1000} s.`,
    `Look at ${join(directory, 'host.log')}, or start it with "unjam serve".`,
  );
}

/** Null when no host listens. */
async function reach(directory: string): Promise<HttpClient | null> {
  const file = readHostFile(directory);
  if (!file) return null;
  const client = new HttpClient({
    address: file.address,
    token: file.token,
    actor: { user: person(), via: 'cli' },
    timeoutMs: answerMs,
  });
  try {
    await client.call('host.info', {});
    return client;
  } catch (error) {
    client.close();
    if (error instanceof UnjamError && error.code === 'host-unreachable') return null;
    // A new host has just replaced the file that was read.
    if (error instanceof UnjamError && error.code === 'unauthorized' && readHostFile(directory)?.token !== file.token)
      return reach(directory);
    throw error;
  }
}

async function startBackgroundHost(directory: string): Promise<() => boolean> {
  const [, program] = process.argv;
  if (program === undefined) throw new Error('the path of this program is unknown');
  // Not a part of the script that this command may run in: its Force Kill must not reach the host.
  const own = /^UNJAM_(RUN|TICKET|MUTEX|FENCE|ISOLATION_LEVEL|MUTEX_NAME|MUTEX_TIMEOUT)$/;
  const environment = Object.entries(process.env).filter(
    (e): e is [string, string] => e[1] !== undefined && !own.test(e[0]),
  );
  const { startInBackground } = await import('../processes/background.ts');
  return startInBackground({
    file: process.execPath,
    args: [program, 'serve', '--background'],
    cwd: directory,
    environment: { ...Object.fromEntries(environment), UNJAM_RUN: 'none', UNJAM_HOME: directory },
    log: join(directory, 'host.log'),
  });
}
