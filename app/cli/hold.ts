/** `unjam hold`: runs a command while it holds a mutex, without any host, in the manner of flock(1). */
import { UnjamError } from '../contract/errors.ts';
import { hold as holdMutex } from '../hold.ts';
import { whichStateDirectory } from '../access/state-directory.ts';
import { say } from './output.ts';
import { here, isolationInput, type ScriptOptions } from './script-options.ts';

export type HoldOptions = Pick<
  ScriptOptions,
  'mutex' | 'scope' | 'isolation' | 'mutexTimeout' | 'inheritHold' | 'name'
>;

export async function hold(command: string[], options: HoldOptions): Promise<void> {
  const [file, ...args] = command;
  if (file === undefined)
    throw new UnjamError(
      'missing-command',
      'There is no command to run.',
      'Give it after "--": unjam hold --mutex web -- bash deploy.sh',
      'command',
    );
  const isolation = isolationInput(options, process.env);
  if (!isolation)
    throw new UnjamError(
      'isolation-incomplete',
      'There is no mutex to hold.',
      'Give its name with --mutex or UNJAM_MUTEX_NAME; nothing was run.',
      'mutex',
    );
  process.exitCode = await holdMutex({
    stateDirectory: await whichStateDirectory(),
    isolation: {
      level: isolation.level,
      mutex: isolation.mutex,
      timeoutMs: isolation.timeoutMs ?? null,
      ...(isolation.inheritHold ? { inherit: true } : {}),
    },
    command: [file, ...args],
    cwd: here(),
    name: options.name,
    environment: ownEnvironment(process.env),
    tell: say,
  });
}

/** Without what asked for this very hold: a script that the command starts must not ask for it again. */
function ownEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (e): e is [string, string] =>
        e[1] !== undefined && !/^UNJAM_(ISOLATION_LEVEL|MUTEX_NAME|MUTEX_SCOPE|MUTEX_TIMEOUT)$/.test(e[0]),
    ),
  );
}
