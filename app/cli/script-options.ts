/** What the options of `run` and `start` ask for; isolation also from the environment, for wrappers. */
import { resolve } from 'node:path';
import { jobName } from '../agents/from-environment.ts';
import { UnjamError } from '../contract/errors.ts';
import type { Input } from '../contract/methods.ts';
import { parseDuration } from '../domain/durations.ts';
import { limits } from '../domain/limits.ts';
import { inFleet, mutexNameProblem, ticketProblem } from '../domain/names.ts';
import { type CancelSignal, cancelSignals, cleanupTimes, type IsolationLevel } from '../domain/script.ts';

export interface ScriptOptions {
  name?: string;
  mutex?: string;
  scope?: string;
  isolation?: string;
  mutexTimeout?: string;
  inheritHold?: boolean;
  timeout?: string;
  firstOutputTimeout?: string;
  noOutputTimeout?: string;
  cancelSignal?: string;
  grace?: string;
  ticket?: string;
  cwd?: string;
  env?: string[];
  maskEnv?: string[];
  notify?: string;
  cleanup?: string;
  cleanupWhen?: string;
  cleanupTimeout?: string;
  json?: boolean;
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
  const timeout = option(o.timeout, '--timeout', asked.timeout, environment);
  const timeoutMs = timeout === null ? null : duration(timeout.text, timeout.from);
  const name = o.name ?? jobName(environment);
  const firstOutputTimeoutMs = duration(o.firstOutputTimeout, '--first-output-timeout');
  const noOutputTimeoutMs = duration(o.noOutputTimeout, '--no-output-timeout');
  const graceMs = duration(o.grace, '--grace', limits.graceMinMs, limits.graceMaxMs);
  const cleanup = cleanupInput(o);
  const signal = o.cancelSignal === undefined ? undefined : cancelSignal(o.cancelSignal);
  return {
    command,
    cwd: resolve(here(), o.cwd ?? '.'),
    environment: { ...inherited(environment), ...variables(o.env ?? []) },
    ...(o.maskEnv === undefined ? {} : { maskEnv: o.maskEnv }),
    ...(o.ticket === undefined ? {} : { ticket: o.ticket }),
    ...(name === null ? {} : { name }),
    ...(isolation === null ? {} : { isolation }),
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(firstOutputTimeoutMs === null ? {} : { firstOutputTimeoutMs }),
    ...(noOutputTimeoutMs === null ? {} : { noOutputTimeoutMs }),
    ...(graceMs === null ? {} : { graceMs }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(o.notify === undefined ? {} : { notify: words(o.notify, '--notify') }),
    ...(cleanup === null ? {} : { cleanup }),
  };
}

function cleanupInput(o: ScriptOptions): Input<'scripts.start'>['cleanup'] | null {
  const timeoutMs = duration(o.cleanupTimeout, '--cleanup-timeout');
  const when = cleanupTimes.find((time) => time === o.cleanupWhen?.trim().toLowerCase());
  if (o.cleanupWhen !== undefined && when === undefined)
    throw new UnjamError(
      'bad-input',
      `--cleanup-when: "${o.cleanupWhen}" is not one of ${cleanupTimes.join(', ')}.`,
      `Use one of ${cleanupTimes.join(', ')}; nothing was started.`,
      '--cleanup-when',
    );
  if (o.cleanup !== undefined)
    return {
      command: words(o.cleanup, '--cleanup'),
      timeoutMs: timeoutMs ?? limits.cleanupMs,
      ...(when === undefined ? {} : { when }),
    };
  if (timeoutMs !== null || when !== undefined)
    throw new UnjamError(
      'bad-input',
      `${when === undefined ? '--cleanup-timeout' : '--cleanup-when'} is given without --cleanup.`,
      'Give the command too: --cleanup COMMAND; nothing was started.',
      '--cleanup',
    );
  return null;
}

/**
 * What a start may be asked for by its environment, for wrappers: Unjam's own names first, then those that Calamari's
 * requirement has (one of them is misspelled there).
 */
const asked = {
  level: ['UNJAM_ISOLATION_LEVEL', 'CalamariScriptIsolationLevel'],
  mutex: ['UNJAM_MUTEX_NAME', 'CalamariScriptIsolationMutexName'],
  scope: ['UNJAM_MUTEX_SCOPE'],
  mutexTimeout: ['UNJAM_MUTEX_TIMEOUT', 'CalamariScriptIsolationMutexTimeout', 'CalamariScritpIsolationMutexTimeout'],
  timeout: ['UNJAM_TIMEOUT'],
} as const;
const allAsked = new Set(Object.values(asked).flatMap((names) => names.map((name) => name.toLowerCase())));

interface Given {
  readonly text: string;
  /** The option or the variable that it comes from. */
  readonly from: string;
}

function option(
  value: string | undefined,
  name: string,
  variables: readonly string[],
  environment: NodeJS.ProcessEnv,
): Given | null {
  if (value !== undefined) return { text: value, from: name };
  const from = variables.find((variable) => environment[variable] !== undefined);
  return from === undefined ? null : { text: environment[from] ?? '', from };
}

/** Octopus writes "no limit" as a TimeSpan of zero. */
const isForever = ({ text, from }: Given): boolean =>
  /^(none|never|infinite|)$/i.test(text.trim()) || (from.startsWith('Calamari') && parseDuration(text) === 0);

/** Options win over the environment; anything incomplete or invalid is an error: nothing runs unisolated by mistake. */
export function isolationInput(
  o: Pick<ScriptOptions, 'mutex' | 'scope' | 'isolation' | 'mutexTimeout' | 'inheritHold'>,
  environment: NodeJS.ProcessEnv,
): Input<'scripts.start'>['isolation'] | null {
  const given = {
    level: option(o.isolation, '--isolation', asked.level, environment),
    mutex: option(o.mutex, '--mutex', asked.mutex, environment),
    scope: option(o.scope, '--scope', asked.scope, environment),
    timeout: option(o.mutexTimeout, '--mutex-timeout', asked.mutexTimeout, environment),
  };
  const level = given.level?.text;
  const mutex = given.mutex?.text;
  const scope = given.scope?.text;
  const timeout = given.timeout?.text;
  const inherit = o.inheritHold === true;
  if ([level, mutex, scope, timeout].every((one) => one === undefined) && !inherit) return null;
  if (mutex === undefined || mutex === '')
    throw new UnjamError(
      'isolation-incomplete',
      `Isolation was asked for (${level !== undefined ? `level "${level}"` : timeout !== undefined ? 'a mutex timeout is given' : scope !== undefined ? `scope "${scope}"` : '--inherit-hold'}) without the name of a mutex.`,
      'Give the name with --mutex or UNJAM_MUTEX_NAME; nothing was started.',
      'mutex',
    );
  refuse('bad-mutex-name', mutexNameProblem(mutex), given.mutex?.from ?? '--mutex');
  if (scope !== undefined && scope !== 'host' && scope !== 'fleet')
    throw new UnjamError(
      'bad-input',
      `"${scope}" is no scope of a mutex.`,
      'Use host (this machine alone) or fleet (every host that has joined it); nothing was started.',
      'scope',
    );
  const timeoutMs = given.timeout === null || isForever(given.timeout) ? null : duration(timeout, given.timeout.from);
  return {
    level: level === undefined ? 'full' : isolationLevel(level),
    mutex: scope === 'fleet' ? inFleet(mutex) : mutex,
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

export function cancelSignal(text: string, option = '--cancel-signal'): CancelSignal {
  const wanted = text.toLowerCase() === 'kill' ? 'sigkill' : text.toLowerCase();
  const found = cancelSignals.find((s) => s.toLowerCase() === wanted || s.toLowerCase() === `sig${wanted}`);
  if (!found)
    throw new UnjamError(
      'bad-input',
      `"${text}" is not a cancel signal.`,
      `Use one of ${cancelSignals.join(', ')}, or kill.`,
      option,
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

/** @throws UnjamError when the folder that the command was started in has been removed */
export function here(): string {
  try {
    return process.cwd();
  } catch {
    throw new UnjamError(
      'folder-not-found',
      'The folder that this command was started in no longer exists.',
      'Change to another folder first; nothing was started.',
      '--cwd',
    );
  }
}

/**
 * A command as one option: words as a shell splits them at blanks, with quotes, or a JSON array of strings. A backslash
 * stands for itself unless a quote or a blank follows: Windows paths need no other spelling.
 */
export function words(text: string, option: string): string[] {
  if (text.trimStart().startsWith('[')) {
    const array = parseJson(text);
    if (Array.isArray(array) && array.length > 0 && array.every((word) => typeof word === 'string')) return array;
    throw badWords(option, `"${text}" starts like a JSON array but is not an array of strings.`);
  }
  const found: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charAt(i);
    const next = text.charAt(i + 1);
    if (c === '\\' && quote !== "'" && (next === '"' || (quote === null && (next === "'" || next === ' ')))) {
      word = (word ?? '') + next;
      i += 1;
    } else if (c === quote) quote = null;
    else if (quote === null && (c === '"' || c === "'")) {
      quote = c;
      word ??= '';
    } else if (quote === null && /\s/.test(c)) {
      if (word !== null) found.push(word);
      word = null;
    } else word = (word ?? '') + c;
  }
  if (quote !== null) throw badWords(option, `"${text}" has a quote that is not closed.`);
  if (word !== null) found.push(word);
  if (found.length === 0) throw badWords(option, 'There is no command in it.');
  return found;
}

const badWords = (option: string, problem: string): UnjamError =>
  new UnjamError(
    'bad-input',
    `${option}: ${problem}`,
    'Write a command with its arguments, in quotes where they contain spaces; nothing was started.',
    option,
  );

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The caller's, without what asked for this very start. */
export function inherited(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (e): e is [string, string] => e[1] !== undefined && !allAsked.has(e[0].toLowerCase()),
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
