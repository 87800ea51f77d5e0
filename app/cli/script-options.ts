/** The options that `run` and `start` share, and isolation from the environment for wrappers. */
import type { Command } from 'commander';
import { UnjamError } from '../contract/errors.ts';
import type { Input } from '../contract/methods.ts';
import { parseDuration } from '../domain/durations.ts';
import { limits } from '../domain/limits.ts';
import { mutexNameProblem, ticketProblem } from '../domain/names.ts';
import { type CancelSignal, cancelSignals, type IsolationLevel } from '../domain/script.ts';

export interface ScriptOptions {
  name?: string;
  mutex?: string;
  isolation?: string;
  mutexTimeout?: string;
  inheritHold?: boolean;
  timeout?: string;
  noOutputTimeout?: string;
  cancelSignal?: string;
  grace?: string;
  ticket?: string;
  cwd?: string;
  env?: string[];
  notify?: string;
  json?: boolean;
}

const collect = (value: string, all: string[] | undefined): string[] => [...(all ?? []), value];

export function addScriptOptions(command: Command): Command {
  return command
    .argument('[command...]', 'the command and its arguments, after "--"')
    .option('--name <name>', 'what people call it, for instance "Deploy web / step 4"')
    .option('--mutex <mutex>', 'isolation mutex: letters, digits, space, . _ - @ #')
    .option('--isolation <level>', 'full = exclusive (default with --mutex), none = shared')
    .option('--mutex-timeout <time>', 'how long to wait for the mutex: 10ms to 1d (default: for ever)')
    .option('--inherit-hold', 'run under the hold of the script that this is started from (else: a deadlock)')
    .option('--timeout <time>', 'overall time limit: 10ms to 1d')
    .option('--no-output-timeout <time>', 'ends the script after this long without output')
    .option('--cancel-signal <signal>', `what Cancel sends: ${cancelSignals.join(', ')}`)
    .option('--grace <time>', 'time to exit after Cancel before it is forced (default 10s)')
    .option('--ticket <ticket>', 'your own id; the same ticket never runs twice')
    .option('--cwd <folder>', 'working folder (default: this one)')
    .option('--env <name=value>', 'adds a variable to the script’s environment; may be repeated', collect)
    .option('--notify <command>', 'run once when the script is final; or http://127.0.0.1:PORT/… to post to')
    .passThroughOptions();
}

export function startInput(
  command: string[],
  o: ScriptOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Input<'scripts.start'> {
  if (command.length === 0)
    throw new UnjamError(
      'missing-command',
      'There is no command to run.',
      'Give it after "--": unjam start -- bash deploy.sh',
      'command',
    );
  if (o.ticket !== undefined) refuse('bad-ticket', ticketProblem(o.ticket), '--ticket');
  const isolation = isolationInput(o, environment);
  const timeoutMs = duration(o.timeout, '--timeout');
  const noOutputTimeoutMs = duration(o.noOutputTimeout, '--no-output-timeout');
  const graceMs = duration(o.grace, '--grace', limits.graceMinMs, limits.graceMaxMs);
  const signal = o.cancelSignal === undefined ? undefined : cancelSignal(o.cancelSignal);
  return {
    command,
    cwd: o.cwd ?? process.cwd(),
    environment: { ...inherited(environment), ...variables(o.env ?? []) },
    ...(o.ticket === undefined ? {} : { ticket: o.ticket }),
    ...(o.name === undefined ? {} : { name: o.name }),
    ...(isolation === null ? {} : { isolation }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(noOutputTimeoutMs === null ? {} : { noOutputTimeoutMs }),
    ...(graceMs === null ? {} : { graceMs }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(o.notify === undefined ? {} : { notify: o.notify.split(' ').filter((w) => w !== '') }),
  };
}

/** Options win over the environment; anything incomplete or invalid is an error: nothing runs unisolated by mistake. */
export function isolationInput(
  o: Pick<ScriptOptions, 'mutex' | 'isolation' | 'mutexTimeout' | 'inheritHold'>,
  environment: NodeJS.ProcessEnv,
): Input<'scripts.start'>['isolation'] | null {
  const level = o.isolation ?? environment['UNJAM_ISOLATION_LEVEL'];
  const mutex = o.mutex ?? environment['UNJAM_MUTEX_NAME'];
  const timeout = o.mutexTimeout ?? environment['UNJAM_MUTEX_TIMEOUT'];
  const inherit = o.inheritHold === true;
  if (level === undefined && mutex === undefined && timeout === undefined && !inherit) return null;
  if (mutex === undefined || mutex === '')
    throw new UnjamError(
      'isolation-incomplete',
      `Isolation was asked for (${level !== undefined ? `level "${level}"` : timeout !== undefined ? 'a mutex timeout is given' : '--inherit-hold'}) without the name of a mutex.`,
      'Give the name with --mutex or UNJAM_MUTEX_NAME; nothing was started.',
      'mutex',
    );
  refuse('bad-mutex-name', mutexNameProblem(mutex), o.mutex === undefined ? 'UNJAM_MUTEX_NAME' : '--mutex');
  const timeoutMs =
    timeout === undefined || /^(none|never|infinite|)$/i.test(timeout.trim())
      ? null
      : duration(timeout, o.mutexTimeout === undefined ? 'UNJAM_MUTEX_TIMEOUT' : '--mutex-timeout');
  return {
    level: level === undefined ? 'full' : isolationLevel(level),
    mutex,
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(inherit ? { inheritHold: true } : {}),
  };
}

function isolationLevel(text: string): IsolationLevel {
  switch (text.trim().toLowerCase()) {
    case 'full':
    case 'fullisolation':
      return 'full';
    case 'none':
    case 'shared':
    case 'noisolation':
      return 'none';
    default:
      throw new UnjamError(
        'bad-input',
        `"${text}" is not an isolation level.`,
        'Use full (FullIsolation) or none (NoIsolation); nothing was started.',
        'isolation',
      );
  }
}

export function cancelSignal(text: string): CancelSignal {
  const wanted = text.toLowerCase() === 'kill' ? 'sigkill' : text.toLowerCase();
  const found = cancelSignals.find((s) => s.toLowerCase() === wanted || s.toLowerCase() === `sig${wanted}`);
  if (!found)
    throw new UnjamError(
      'bad-input',
      `"${text}" is not a cancel signal.`,
      `Use one of ${cancelSignals.join(', ')}, or kill.`,
      '--cancel-signal',
    );
  return found;
}

/** Milliseconds, or null when the option was not given. */
export function duration(
  text: string | undefined,
  option: string,
  min: number = limits.timeoutMinMs,
  max: number = limits.timeoutMaxMs,
): number | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  const range = `${min} ms to ${max === limits.timeoutMaxMs ? '1 day' : `${max / 60_000} min`}`;
  if (ms === null)
    throw new UnjamError(
      'bad-input',
      `${option}: "${text}" is not a time.`,
      'Write it as 500ms, 10s, 30m, 1h30m, 1d or 00:30:00.',
      option,
    );
  if (ms < min || ms > max)
    throw new UnjamError(
      'bad-input',
      `${option}: "${text}" is out of range (${range}).`,
      'Give a time within the range; nothing was started.',
      option,
    );
  return ms;
}

function refuse(code: 'bad-ticket' | 'bad-mutex-name', problem: string | null, field: string): void {
  if (problem !== null) throw new UnjamError(code, problem, `Correct ${field}; nothing was started.`, field);
}

function inherited(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (e): e is [string, string] =>
        e[1] !== undefined && !/^UNJAM_(ISOLATION_LEVEL|MUTEX_NAME|MUTEX_TIMEOUT|HOME)$/.test(e[0]),
    ),
  );
}

function variables(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((text) => {
      const at = text.indexOf('=');
      if (at < 1)
        throw new UnjamError(
          'bad-input',
          `--env: "${text}" is not NAME=VALUE.`,
          'Write it as --env NAME=VALUE.',
          '--env',
        );
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
