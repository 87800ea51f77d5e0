/** Finds the host of the state directory, or starts one in the background, and connects to it. */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { clientOf } from '../access/client.ts';
import { refuseLesserHost } from '../access/lesser-host.ts';
import { machineHost, mayHost } from '../access/machine-host.ts';
import { whichStateDirectory } from '../access/state-directory.ts';
import type { HttpClient } from '../api/http-client.ts';
import { UnjamError } from '../contract/errors.ts';
import type { HostInfo } from '../contract/methods.ts';
import { hostFileProblem, openStateDirectory, readHostFile } from '../host/host-files.ts';
import { hostEnvironment } from '../domain/host-environment.ts';
import { ownPeer } from '../processes/index.ts';
import type { Elsewhere, HostClient } from './command.ts';
import { say } from './output.ts';
import { version } from '../version.ts';
import { person } from './person.ts';

const answerMs = 15_000;
const startMs = 20_000;

/** Connects, acts and closes. @throws UnjamError as `connectTo`, and what `act` throws */
export async function withHost<T>(act: (client: HostClient) => Promise<T>, where: Elsewhere = {}): Promise<T> {
  const client = await connectTo(where);
  try {
    return await act(client);
  } finally {
    client.close();
  }
}

/** @throws UnjamError as `connect`; `bad-input` */
export async function connectTo({ host, as }: Elsewhere): Promise<HostClient> {
  if (host !== undefined) return (await import('./elsewhere.ts')).connectElsewhere(host, as);
  if (as === undefined) return connect();
  throw new UnjamError('bad-input', '--as is for another host, and none is named.', 'Add --host HOST.', '--as');
}

/** @throws UnjamError `state-directory`, `host-unreachable`, `host-timeout`, `version-mismatch` */
export async function connect(what: 'any' | 'start' = 'any'): Promise<HttpClient> {
  const directory = await whichStateDirectory();
  const client = await reach(directory, what);
  if (client) return client;
  const machine = await machineHost();
  if (machine?.stateDirectory === directory && !(await mayHost(machine)))
    throw new UnjamError(
      'host-unreachable',
      'The host of this machine is not running.',
      'Ask an administrator to start it: "unjam service status" shows its state.',
    );
  await openStateDirectory(directory, say);
  await refuseForeignHost(directory);
  const failed = await startBackgroundHost(directory);
  const deadline = performance.now() + startMs;
  for (let wait = 5; performance.now() < deadline; wait = Math.min(wait * 1.5, 100)) {
    await delay(wait);
    const started = await reach(directory, what);
    if (started) return started;
    if (failed())
      throw (
        hostFileProblem(directory) ??
        new UnjamError(
          'host-unreachable',
          'The background host could not start.',
          `The reason is at the end of ${join(directory, 'host.log')}; "unjam serve" shows it too.`,
        )
      );
  }
  throw new UnjamError(
    'host-unreachable',
    `The background host did not start within ${startMs / 1000} s.`,
    `Look at ${join(directory, 'host.log')}, or start it with "unjam serve".`,
  );
}

/**
 * A host that does not answer, and of which nobody here can say whether it lives, keeps its place: two would act.
 * @throws UnjamError `host-unreachable`
 */
async function refuseForeignHost(directory: string): Promise<void> {
  const host = readHostFile(directory)?.host;
  if (!host) return;
  const { openProcessControl } = await import('../processes/index.ts');
  const control = await openProcessControl();
  control.attend?.(directory);
  if (control.liveness(host) === 'unknown')
    throw new UnjamError(
      'host-unreachable',
      `"${directory}" belongs to a host in another container or on another machine (PID ${host.pid} on ${host.machine}), which does not answer.`,
      'Use another state directory (UNJAM_HOME); or, when that container or machine is gone for good, run "unjam serve --take-over".',
    );
}

/** Of a host that goes on from another version than this command. Fields that an older one does not send are missing. */
function differences(host: Partial<HostInfo>): string[] {
  const next = 'Let a host of this version take its place with "unjam serve --take-over"; scripts keep running.';
  if (typeof host.outdated === 'string')
    return [`The program of the host (PID ${host.pid}) is not the one that it started from: ${host.outdated}. ${next}`];
  if (host.version !== undefined && host.version !== version)
    return [`The host (PID ${host.pid}) is Unjam ${host.version}, this command is ${version}. ${next}`];
  return [];
}

/** Null when no host listens. */
async function reach(directory: string, what: 'any' | 'start'): Promise<HttpClient | null> {
  const reached = await clientOf(directory, { user: person(), via: 'cli' }, answerMs);
  if (!reached) return null;
  const { client, found, server } = reached;
  try {
    const info: Partial<HostInfo> = await client.call('host.info', {});
    if (what === 'start') refuseLesserHost(await ownPeer(), server());
    for (const sentence of differences(info)) say(sentence);
    return client;
  } catch (error) {
    client.close();
    if (error instanceof UnjamError && error.code === 'host-unreachable') return null;
    // A new host has just replaced the file that was read.
    if (
      error instanceof UnjamError &&
      error.code === 'unauthorized' &&
      found.token !== null &&
      readHostFile(directory)?.token !== found.token
    )
      return reach(directory, what);
    throw error;
  }
}

async function startBackgroundHost(directory: string): Promise<() => boolean> {
  const [, program] = process.argv;
  if (program === undefined) throw new Error('the path of this program is unknown');
  const { startInBackground } = await import('../processes/background.ts');
  return startInBackground({
    file: process.execPath,
    args: [resolve(program), 'serve', '--background'],
    // Not a part of the script that this command may run in: its Force Kill must not reach the host.
    environment: { ...hostEnvironment(process.env), UNJAM_RUN: 'none', UNJAM_HOME: directory },
    log: join(directory, 'host.log'),
  });
}
