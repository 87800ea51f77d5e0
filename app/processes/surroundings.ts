/**
 * What a command of Unjam was started in and hands on to its script beside environment, arguments and folder: umask,
 * niceness, resource limits and standard input. Linux only: on Windows a script's standard input is empty (docs/scripts.md).
 */
import { spawn } from 'node:child_process';
import {
  open as openFile,
  constants,
  fstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
} from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isatty } from 'node:tty';
import type { ResourceLimits } from '../domain/resource-limits.ts';
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

/** A socket, which Node gives its children, cannot be opened a second time: cat carries it into a FIFO of its own. */
async function relayed(): Promise<Input> {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-input-'));
  const path = join(folder, 'stdin');
  const relay = spawn('/bin/sh', ['-c', 'mkfifo -m 600 "$1" && echo && exec cat > "$1"', 'unjam-input', path], {
    stdio: [0, 'pipe', 'ignore'],
    detached: true, // it outlives this command as its script does, and ends with the input
  });
  relay.unref();
  await new Promise<void>((resolve, reject) => {
    relay.stdout?.once('data', () => resolve());
    relay.once('error', reject);
    relay.once('exit', () => reject(new Error('the input could not be carried on')));
  });
  relay.stdout?.destroy();
  return {
    stdin: { path, offset: 0 },
    dispose: (isKept) => {
      if (!isKept) relay.kill();
      rmSync(folder, { recursive: true, force: true });
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
