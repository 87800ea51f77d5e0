/** Turns a start request into a spec, or into the error that says what is wrong; starts nothing. */
import { randomBytes, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { Parsed } from '../contract/methods.ts';
import type { ProcessIdentity } from '../domain/identity.ts';
import { limits } from '../domain/limits.ts';
import type { Platform } from '../domain/platform.ts';
import { maskedMin, maskValues } from '../domain/redact.ts';
import { isAddress, mutexNameProblem, notifyProblem, ticketAt, ticketProblem } from '../domain/names.ts';
import { type Actor, ancestorsOf, type CancelSignal, type ScriptSpec } from '../domain/script.ts';
import { traceparentField, traceparentOf } from '../domain/trace.ts';
import {
  findExecutable,
  launchProblem,
  scriptFileProblem,
  type Surroundings,
  wordProblem,
} from '../processes/index.ts';
import { nameOfCommand } from './without-commands.ts';

export interface Accepted {
  readonly spec: ScriptSpec;
  readonly environment: Readonly<Record<string, string>>;
  readonly surroundings: Surroundings;
}

export function acceptStart(
  input: Parsed<'scripts.start'>,
  actor: Actor,
  host: {
    readonly platform: Platform;
    readonly defaultSignal: CancelSignal;
    readonly environment: NodeJS.ProcessEnv;
    readonly cwd: string;
    readonly identify: (pid: number) => ProcessIdentity | null;
    /** Pid of the process that asks, where the system told it. */
    readonly asker?: number | undefined;
  },
): Accepted {
  const ticket = input.ticket ?? ticketAt(new Date(), randomBytes(3).toString('hex'));
  const problem = ticketProblem(ticket);
  if (problem !== null)
    throw new UnjamError('bad-ticket', problem, 'Give another ticket, or none: Unjam makes one.', 'ticket');
  if (input.isolation) {
    const wrong = mutexNameProblem(input.isolation.mutex);
    if (wrong !== null)
      throw new UnjamError(
        'bad-mutex-name',
        wrong,
        'Give the mutex another name; nothing was started.',
        'isolation.mutex',
      );
  }
  const [command] = input.command;
  if (command === undefined || command.trim() === '')
    throw new UnjamError(
      'missing-command',
      'There is no command to run.',
      'Give the command and its arguments after "--".',
      'command',
    );
  const [notify, ...more] = input.notify ?? [];
  if (notify !== undefined && isAddress(notify)) {
    const wrong = more.length > 0 ? 'An address to notify stands alone.' : notifyProblem(notify);
    if (wrong !== null)
      throw new UnjamError(
        'bad-input',
        wrong,
        'Give an address such as http://127.0.0.1:8080/done, or a command; nothing was started.',
        'notify',
      );
  }
  const environment = clean(input.environment ?? definedOnly(host.environment));
  const cwd = input.cwd ?? host.cwd;
  if (!isAbsolute(cwd))
    throw new UnjamError(
      'bad-input',
      `The working folder "${cwd}" is relative, and nobody knows to what.`,
      'Give its full path; nothing was started.',
      'cwd',
    );
  if (!isFolder(cwd))
    throw new UnjamError(
      'folder-not-found',
      `The working folder "${cwd}" does not exist.`,
      'Create it or give another with --cwd; nothing was started.',
      'cwd',
    );
  const file = findExecutable(command, cwd, environment);
  if (file === null)
    throw new UnjamError(
      'command-not-found',
      `The command "${command}" was not found, or is not executable.`,
      'Check its spelling and PATH, or give its full path; nothing was started.',
      'command.0',
    );
  const broken = scriptFileProblem(file, environment['PATH']);
  if (broken !== null) throw new UnjamError('command-not-found', broken.message, broken.next, 'command.0');
  const tooLong = wordProblem(input.command, environment);
  if (tooLong !== null) throw new UnjamError('too-large', tooLong.message, tooLong.next, 'command');
  const refused = launchProblem(host.platform, file, cwd);
  if (refused !== null) throw new UnjamError('bad-input', refused.message, refused.next, 'cwd');
  const runId = randomUUID();
  const startedBy = host.asker === undefined ? null : host.identify(host.asker);
  const maskEnv = (input.maskEnv ?? []).map((name) => maskedName(name, environment, host.platform));
  maskValues(runId, maskEnv, environment);
  return {
    environment,
    // The host's own are those of whoever happened to start it.
    surroundings: {
      umask: input.umask ?? 0o022,
      niceness: input.niceness ?? 0,
      limits: input.limits ?? null,
      stdin: stdinOf(input),
    },
    spec: {
      schema: 1,
      ticket,
      runId,
      name: input.name ?? nameOfCommand(input.command),
      command: input.command as [string, ...string[]],
      file,
      cwd,
      isolation: input.isolation
        ? {
            level: input.isolation.level,
            mutex: input.isolation.mutex,
            timeoutMs: input.isolation.timeoutMs ?? null,
            ...(input.isolation.inheritHold ? { inherit: true } : {}),
          }
        : null,
      timeouts: {
        overallMs: input.timeoutMs ?? null,
        ...(input.firstOutputTimeoutMs === undefined ? {} : { firstOutputMs: input.firstOutputTimeoutMs }),
        noOutputMs: input.noOutputTimeoutMs ?? null,
      },
      cancel: { signal: input.cancelSignal ?? host.defaultSignal, graceMs: input.graceMs ?? limits.graceMs },
      environmentNames: Object.keys(environment).sort(),
      ...(maskEnv.length === 0 ? {} : { maskEnv }),
      ...traceparentField(traceparentOf(environment)),
      notify: input.notify === undefined ? null : notified(input.notify, cwd, environment),
      cleanup: cleanupOf(input, cwd, environment),
      ancestors: ancestorsOf(input.environment?.['UNJAM_RUN']),
      ...(input.cancelWith ? { caller: callerOf(input.cancelWith, host.identify) } : {}),
      ...(startedBy === null ? {} : { startedBy }),
      actor,
      createdAt: Date.now(),
    },
  };
}

/** @throws UnjamError when the script would not get it: a name that is misspelt hides nothing */
function maskedName(name: string, environment: Readonly<Record<string, string>>, platform: Platform): string {
  const key = platform === 'linux' ? (n: string) => n : (n: string) => n.toUpperCase();
  const found = Object.keys(environment).find((n) => key(n) === key(name));
  const length = found === undefined ? 0 : (environment[found]?.length ?? 0);
  if (found !== undefined && (length === 0 || length >= maskedMin)) return found;
  throw new UnjamError(
    'bad-input',
    found === undefined
      ? `The value of ${name} was to be hidden, and the script gets no variable of that name.`
      : `The value of ${name} was to be hidden, and has fewer than ${maskedMin} characters: that would hide parts of every line.`,
    'Check the name and its value; nothing was started.',
    'maskEnv',
  );
}

const stdinOf = ({ stdin }: Parsed<'scripts.start'>): Surroundings['stdin'] =>
  stdin === undefined ? null : { path: stdin.path, offset: stdin.offset ?? 0 };

function callerOf(
  { pid, startTime }: NonNullable<Parsed<'scripts.start'>['cancelWith']>,
  identify: (pid: number) => ProcessIdentity | null,
): ProcessIdentity {
  const caller = identify(pid);
  if (caller?.startTime === startTime) return caller;
  throw new UnjamError(
    'bad-input',
    `The script was to be cancelled with PID ${pid}, which has gone, or which this host cannot see.`,
    'Start it from a process that lives beside the host, or without cancelling it with its caller; nothing was started.',
    'cancelWith',
  );
}

/** Looked for when it runs: the script may make it. A bare name is none of that. */
function cleanupOf(
  { cleanup }: Parsed<'scripts.start'>,
  cwd: string,
  environment: Readonly<Record<string, string>>,
): ScriptSpec['cleanup'] {
  if (!cleanup) return null;
  const [command = ''] = cleanup.command;
  if (!/[\\/]/.test(command) && findExecutable(command, cwd, environment) === null)
    throw notFound('clean-up', command, 'cleanup.command.0');
  return {
    command: cleanup.command as [string, ...string[]],
    timeoutMs: cleanup.timeoutMs,
    ...(cleanup.when === undefined ? {} : { when: cleanup.when }),
  };
}

const notFound = (what: string, command: string, field: string): UnjamError =>
  new UnjamError(
    'command-not-found',
    `The ${what} command "${command}" was not found, or is not executable.`,
    'Check its spelling and PATH, or give its full path; nothing was started.',
    field,
  );

/** Found as the script's own command is: the host's PATH is not the caller's. */
function notified(notify: readonly string[], cwd: string, environment: Readonly<Record<string, string>>): string[] {
  const [command = '', ...args] = notify;
  if (isAddress(command)) return [command];
  const file = findExecutable(command, cwd, environment);
  if (file === null) throw notFound('notify', command, 'notify.0');
  return [file, ...args];
}

/** Variables that would change what runs instead of what it sees, and those of an outer script. */
function clean(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) =>
        !/^(ELECTRON_RUN_AS_NODE|NODE_OPTIONS|LD_PRELOAD|LD_AUDIT|BASH_ENV|UNJAM_(RUN|TICKET|MUTEX|FENCE))$/.test(name),
    ),
  );
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter((e): e is [string, string] => e[1] !== undefined));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // none there, or no path at all (a NUL in it)
  }
}
