/**
 * What a command of Unjam was started in and hands on to its script beside environment, arguments and folder: umask,
 * niceness, resource limits and standard input. Linux only: on Windows a script's standard input is empty (docs/scripts.md).
 */
import { spawn } from 'node:child_process';
import { open as openFile, constants, fstatSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { getPriority } from 'node:os';
import { promisify } from 'node:util';
import { isatty } from 'node:tty';
import type { ResourceLimits } from '../domain/resource-limits.ts';
import { pipes } from './linux/pipes.ts';
import { ownLimits } from './linux/resource-limits.ts';

/** A file, or what /proc shows of an open one, and how much of it was read already. */
export interface StandardInput {
  readonly path: string;
  readonly offset: number;
}

export interface Surroundings {
  /** The permission bits that new files do not get. */
  readonly umask: number;
  /** -20 to 19; higher is nicer to others. */
  readonly niceness: number;
  /** Null: those of the host. */
  readonly limits: ResourceLimits | null;
  readonly stdin: StandardInput | null;
}

export interface OwnSurroundings extends Partial<Surroundings>, Disposable {
  /** A runner may have the input open: what carries it stays when this is disposed. */
  keep(): void;
}

/** Of the calling process. Dispose it when a runner has the input open, or nothing was started. */
export async function ownSurroundings(): Promise<OwnSurroundings> {
  if (process.platform !== 'linux') return { keep: () => undefined, [Symbol.dispose]: () => undefined };
  const input = await standardInput();
  let isKept = false;
  return {
    umask: process.umask(),
    niceness: getPriority(),
    limits: ownLimits(),
    stdin: input?.stdin ?? null,
    keep: () => (isKept = true),
    [Symbol.dispose]: () => input?.dispose?.(isKept),
  };
}

interface Input {
  readonly stdin: StandardInput;
  readonly dispose?: (isKept: boolean) => void;
}

/** Null for a terminal, which a script in the background must never read, and where there is none. */
async function standardInput(): Promise<Input | null> {
  if (isatty(0)) return null;
  const path = `/proc/${process.pid}/fd/0`;
  const what = linkOf(path);
  if (what === null || what === '/dev/null') return null;
  const stat = fstatSync(0);
  if (stat.isFile()) {
    const offset = Number(/^pos:\s*(\d+)$/m.exec(readFileSync('/proc/self/fdinfo/0', 'latin1'))?.[1] ?? 0);
    return { stdin: { path, offset } };
  }
  // An anonymous pipe is opened anew without waiting for a writer; a named one would wait (fifo(7)).
  return what.startsWith('pipe:') || stat.isCharacterDevice() ? { stdin: { path, offset: 0 } } : relayed();
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // closed, or there is no /proc
  }
}

/**
 * Descriptor 3 tells that a runner has the pipe open, or that none will have it. Until then this shell has it too; after
 * that cat ends at its next write when the script is gone (SIGPIPE).
 */
const relay = `${pipes([[6, 4]])}
echo ready
read -r line <&3
exec 3<&- 6<&- cat >&4`;

/** A socket, which Node gives its children, and a named FIFO cannot be opened a second time: cat carries them into a pipe. */
async function relayed(): Promise<Input> {
  const child = spawn('/bin/sh', ['-c', relay, 'unjam-input'], {
    stdio: [0, 'pipe', 'ignore', 'pipe'],
    detached: true, // it outlives this command as its script does, and ends with the input
  });
  child.unref();
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the input could not be carried on')));
  });
  child.stdout?.destroy();
  const signal = child.stdio[3] as Socket;
  signal.on('error', () => undefined);
  signal.unref();
  return {
    stdin: { path: `/proc/${child.pid}/fd/6`, offset: 0 },
    dispose: (isKept) => {
      if (!isKept) child.kill();
      signal.destroy();
    },
  };
}

/**
 * For a runner, before it says that it has the script: from then on neither host nor caller need to live. Never waits
 * in this thread. @throws when it cannot be opened, as the file of another user
 */
export async function openInput(input: StandardInput): Promise<number> {
  const descriptor = await promisify(openFile)(input.path, constants.O_RDONLY);
  const skipped = Buffer.alloc(65_536);
  for (let left = input.offset; left > 0;) {
    const read = readSync(descriptor, skipped, 0, Math.min(left, skipped.length), null);
    if (read === 0) break;
    left -= read;
  }
  return descriptor;
}
