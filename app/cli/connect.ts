/** Finds the host of the state directory, or starts one in the background, and connects to it. */
import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import { openStateDirectory, readHostFile } from '../host-files.ts';
import { stateDirectory } from '../processes/places.ts';

const answerMs = 15_000;
const startMs = 20_000;

/** @throws UnjamError `state-directory`, `host-unreachable`, `host-timeout`, `version-mismatch` */
export async function connect(): Promise<HttpClient> {
  const directory = stateDirectory();
  const client = await reach(directory);
  if (client) return client;
  openStateDirectory(directory);
  startBackgroundHost(directory);
  const deadline = performance.now() + startMs;
  for (let wait = 5; performance.now() < deadline; wait = Math.min(wait * 1.5, 100)) {
    await delay(wait);
    const started = await reach(directory);
    if (started) return started;
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
    actor: { user: userInfo().username, via: 'cli' },
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

function startBackgroundHost(directory: string): void {
  const log = openSync(join(directory, 'host.log'), 'a', 0o600);
  try {
    // Not a part of the script that this command may run in: its Force Kill must not reach the host.
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^UNJAM_(RUN|TICKET|MUTEX|FENCE|ISOLATION_LEVEL|MUTEX_NAME|MUTEX_TIMEOUT)$/.test(name),
      ),
    );
    const program = process.argv[1];
    if (program === undefined) throw new Error('the path of this program is unknown');
    spawn(process.execPath, [program, 'serve', '--background'], {
      detached: true,
      stdio: ['ignore', log, log],
      windowsHide: true,
      env: { ...environment, UNJAM_RUN: 'none', UNJAM_HOME: directory },
      cwd: directory,
    }).unref();
  } finally {
    closeSync(log);
  }
}
