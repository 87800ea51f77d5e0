/**
 * The runner program: one small detached process per script. It gets one line on stdin (which script), answers one
 * line on stdout (claimed, or why not) and needs nothing from the host after that. Started early it waits for the
 * line: a warm runner.
 */
import { dirname } from 'node:path';
import { Mutexes } from '../locks/index.ts';
import { openInput, openProcessControl, type ProcessControl } from '../processes/index.ts';
import { isFleetMutex } from '../domain/names.ts';
import { maskValues } from '../domain/redact.ts';
import { RunDirectory } from '../run-directory/run-directory.ts';
import { parseOrder, type RunnerOrder } from './order.ts';
import { rehearseSoon } from './rehearse.ts';
import { startHeartbeat } from './heartbeat.ts';
import { witnessOf } from '../ladder/witness.ts';
import { Session } from './session.ts';

void main();

async function main(): Promise<void> {
  const control = await openProcessControl();
  control.prepareRunner();
  const callOffRehearsal = rehearseSoon(control);
  const order = await readOrder();
  callOffRehearsal();
  if (order) await obey(order, control);
  control.close();
  process.exit(0);
}

async function obey(order: RunnerOrder, control: ProcessControl): Promise<void> {
  const { runDirectory, mutexRoot, environment, surroundings, killDisabled } = order;
  control.attend?.(dirname(mutexRoot));
  const directory = new RunDirectory(runDirectory);
  const spec = directory.readSpec();
  if (spec === null) {
    answer(`failed there is no spec.json in ${runDirectory}`);
    return;
  }
  if (spec.maskEnv) maskValues(spec.runId, spec.maskEnv, environment);
  let stdin: number | null = null;
  try {
    stdin = surroundings.stdin && (await openInput(surroundings.stdin));
  } catch (error) {
    answer(`failed its standard input could not be opened: ${(error as Error).message}`);
    return;
  }
  process.title = `unjam-runner ${spec.ticket}`;
  const stateDirectory = dirname(mutexRoot);
  // Loaded by who needs it alone: it costs more than all else of a runner's start.
  await using fleet =
    spec.isolation && isFleetMutex(spec.isolation.mutex)
      ? (await import('../fleet/index.ts')).joinedFleet(stateDirectory, control, `runner of ${spec.ticket}`)
      : null;
  const session = new Session({
    directory,
    spec,
    environment,
    umask: surroundings.umask,
    niceness: surroundings.niceness,
    limits: surroundings.limits,
    stdin,
    control,
    mutexes: new Mutexes(mutexRoot, control, witnessOf(stateDirectory, control), () => fleet),
    killDisabled,
    onClaimed: () => answer('claimed'),
  });
  const stopHeartbeat = startHeartbeat(directory, () => void session.keep());
  // Whatever fails in here, the wait for the script goes on.
  process.on('uncaughtException', (error) =>
    session.log.append(
      { type: 'note' },
      { code: 'W298', text: `The runner ran into an error: ${error.message}. It keeps running.` },
    ),
  );
  try {
    await session.run();
  } catch (error) {
    answer(`failed ${(error as Error).message}`);
    session.log.append({ type: 'note' }, { code: 'W297', text: `The runner failed: ${(error as Error).message}.` });
  } finally {
    stopHeartbeat();
  }
}

/** Null when the host went away without an order. */
async function readOrder(): Promise<RunnerOrder | null> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk as string;
    if (text.includes('\n')) break;
  }
  process.stdin.destroy();
  return text.includes('\n') ? parseOrder(text) : null;
}

function answer(line: string): void {
  process.stdout.on('error', () => undefined); // the host went away; the order stands
  process.stdout.write(`${line}\n`);
}
