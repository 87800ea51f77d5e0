/**
 * Ctrl-C and Ctrl-Break to the console of another process.
 *
 * A process has one console, and attaching to another resets its table of control handlers
 * (https://learn.microsoft.com/windows/console/attachconsole); Ctrl-Break cannot be ignored by its own sender. So a
 * short-lived helper sends it: a crash or hang of a console costs neither the runner nor the host.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { withLastError } from './kernel.ts';
import { bind } from './ffi.ts';

export type ConsoleEvent = 'Ctrl-C' | 'Ctrl-Break';

/** A plain Node for the helper, and a file beside which it finds koffi. */
export interface HelperRuntime {
  readonly node: string;
  readonly koffiBeside: string;
}

/**
 * This process's own Node. Null inside Electron: its program is no Node while the fuse RunAsNode is off, and would open
 * a second application instead; a plain Node could not load koffi out of its archive either.
 */
export const ownRuntime = (): HelperRuntime | null =>
  process.versions['electron'] === undefined
    ? { node: process.execPath, koffiBeside: fileURLToPath(import.meta.url) }
    : null;

export interface ConsoleReport {
  /** A process on each console that took the event. */
  readonly sent: readonly number[];
  readonly failures: readonly ConsoleFailure[];
}

export interface ConsoleFailure {
  readonly pid: number;
  readonly error: number | string;
  readonly message: string;
}

/** Tries one pid after the other until it reaches a console; then it answers whom that console serves, and ends. */
const helper = `
const [koffiPath, event, only, ...pids] = process.argv.slice(1);
const allowed = only === '' ? null : new Set([process.pid, ...only.split(',').map(Number)]);
const kernel32 = require(koffiPath).load('kernel32.dll');
const [free, attach, handler, generate, list, lastError] = [
  'int32 __stdcall FreeConsole(void)', 'int32 __stdcall AttachConsole(uint32)',
  'int32 __stdcall SetConsoleCtrlHandler(void *, int32)', 'int32 __stdcall GenerateConsoleCtrlEvent(uint32, uint32)',
  'uint32 __stdcall GetConsoleProcessList(_Out_ void *, uint32)', 'uint32 __stdcall GetLastError(void)',
].map((text) => kernel32.func(text));
const answer = (line) => require('fs').writeSync(1, JSON.stringify(line) + '\\n');
lastError();
free();
for (const pid of pids.map(Number)) {
  if (!attach(pid)) { answer({ step: 'attach', pid, error: lastError() }); continue; }
  handler(null, 1);
  const found = Buffer.alloc(4 * 1024);
  const count = Math.min(list(found, 1024), 1024);
  const covers = Array.from({ length: count }, (_, i) => found.readUInt32LE(4 * i));
  const others = allowed === null ? [] : covers.filter((c) => !allowed.has(c));
  if (others.length > 0 || (allowed !== null && count === 0)) {
    answer({ step: 'shared', pid, covers, others });
    free();
    continue;
  }
  answer({ step: 'sending', pid, covers });
  if (!generate(Number(event), 0)) answer({ step: 'generate', pid, error: lastError() });
  else answer({ step: 'sent', pid });
  // Leaving at once could take the console away before its host has passed the event on.
  setTimeout(() => {}, 100);
  break;
}`;

/** Node starts in 60 ms (Windows) to 600 ms (Wine); a console that does not answer within this never will. */
const patienceMs = 5_000;

/** A tree has one console, or a few when it used `start`; this bounds what a strange one can cost. */
const mostConsoles = 8;

/** Exit code of a process that Ctrl-C or Ctrl-Break ended: STATUS_CONTROL_C_EXIT. */
const controlCExit = 0xc000013a;

/**
 * Sends the event to every process of every console that one of `pids` is attached to. Under Wine it reaches only the
 * process group of the caller, so there a runner can signal its script but a stranger cannot.
 */
export async function sendConsoleEvent(
  runtime: HelperRuntime | null,
  pids: readonly number[],
  event: ConsoleEvent,
  /** Then nothing is sent to a console that serves any other process too. */
  only?: ReadonlySet<number>,
): Promise<ConsoleReport> {
  if (runtime === null)
    return { sent: [], failures: unanswered(pids, 'ENOENT', 'there is no Node that could reach its console').failures };
  const sent: number[] = [];
  const failures: ConsoleFailure[] = [];
  let open = [...pids];
  for (let round = 0; round < mostConsoles && open.length > 0; round++) {
    const answer = await runHelper(runtime, open, event, only);
    if (answer.sent !== null) sent.push(answer.sent);
    failures.push(...answer.failures);
    open = open.filter((pid) => !answer.handled.has(pid));
  }
  return { sent, failures };
}

interface HelperAnswer {
  readonly sent: number | null;
  readonly failures: readonly ConsoleFailure[];
  /** These need no further try. */
  readonly handled: ReadonlySet<number>;
}

type HelperLine =
  | { readonly step: 'attach' | 'generate'; readonly pid: number; readonly error: number }
  | { readonly step: 'sending'; readonly pid: number; readonly covers: readonly number[] }
  | {
      readonly step: 'shared';
      readonly pid: number;
      readonly covers: readonly number[];
      readonly others: readonly number[];
    }
  | { readonly step: 'sent'; readonly pid: number };

function runHelper(
  runtime: HelperRuntime,
  pids: readonly number[],
  event: ConsoleEvent,
  only?: ReadonlySet<number>,
): Promise<HelperAnswer> {
  let koffiPath: string;
  try {
    koffiPath = createRequire(runtime.koffiBeside).resolve('koffi');
  } catch (error) {
    return Promise.resolve(unanswered(pids, 'ENOENT', `the helper has no koffi: ${(error as Error).message}`));
  }
  return new Promise((resolve) => {
    const child = spawn(
      runtime.node,
      ['-e', helper, koffiPath, event === 'Ctrl-C' ? '0' : '1', [...(only ?? [])].join(','), ...pids.map(String)],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        windowsHide: true,
        timeout: patienceMs,
        env: { ...process.env, NODE_OPTIONS: '', UNJAM_RUN: 'none' },
      },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(unanswered(pids, error.code ?? 'UNKNOWN', `the helper did not start: ${error.message}`)),
    );
    child.on('close', (code) => resolve(readAnswer(pids, said, code)));
  });
}

/** What a helper's lines and exit code say together. A helper that its own Ctrl-Break ended has sent it. */
export function readAnswer(pids: readonly number[], said: string, code: number | null): HelperAnswer {
  const lines = said
    .split('\n')
    .filter((line) => line.startsWith('{') && line.trimEnd().endsWith('}'))
    .map((line) => JSON.parse(line) as HelperLine);
  const last = lines.at(-1);
  if (!last) return unanswered(pids, 'UNKNOWN', `the helper ended with code ${code} before it reached the console`);
  const handled = new Set<number>();
  const failures: ConsoleFailure[] = [];
  for (const line of lines) {
    handled.add(line.pid);
    if (line.step === 'sending') for (const pid of line.covers) handled.add(pid);
    if (line.step === 'shared')
      failures.push({
        pid: line.pid,
        error: 'ESHARED',
        message: `its console also serves PID ${line.others.slice(0, 5).join(', ')}`,
      });
    if (line.step === 'attach')
      failures.push({
        pid: line.pid,
        error: line.error,
        message: attachFailures[line.error] ?? `Windows error ${line.error}`,
      });
    if (line.step === 'generate')
      failures.push({ pid: line.pid, error: line.error, message: 'its console did not take the event' });
  }
  const sent = last.step === 'sent' || (last.step === 'sending' && code !== null && code >>> 0 === controlCExit);
  if (last.step === 'sending' && !sent)
    failures.push({ pid: last.pid, error: 'ETIMEDOUT', message: 'its console did not answer' });
  return { sent: sent ? last.pid : null, failures, handled };
}

function unanswered(pids: readonly number[], error: string, message: string): HelperAnswer {
  return { sent: null, failures: [{ pid: pids[0] ?? 0, error, message }], handled: new Set(pids) };
}

const attachFailures: Readonly<Record<number, string>> = {
  5: 'its console belongs to another user or to an elevated process',
  6: 'it has no console',
  31: 'it has ended',
  87: 'it has ended',
};

const setConsoleCtrlHandler = bind<(handler: null, add: number) => number>(
  'kernel32',
  'int32',
  'SetConsoleCtrlHandler',
  'void *',
  'int32',
);

/**
 * Clears the "ignore Ctrl-C" flag, which a process in a new process group has (each one that Node starts `detached`) and
 * passes on to its children: without this, Ctrl-C to a script is silently lost
 * (https://learn.microsoft.com/windows/console/setconsolectrlhandler).
 */
export function listenToCtrlC(): void {
  withLastError(() => setConsoleCtrlHandler(null, 0));
}
