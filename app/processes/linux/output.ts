/**
 * A script's output goes through two pipes, each drained into its log by cat(1), in a session of their own: that outlives
 * runner and host, and a script may open its output again (`echo … > /dev/stderr`) as often as it likes. With the log
 * itself as standard output, such an open truncated the log, and another user was refused. Designs and figures:
 * docs/architecture.md, "How a script's output is recorded".
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readlinkSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity } from '../../domain/identity.ts';
import type { ProcessSnapshot } from '../control.ts';
import { pipes } from './pipes.ts';
import { identityOf, type Place, read, readTable } from './proc.ts';
import { send } from './signals.ts';
import { systemCallName } from './system-calls.ts';

export interface OutputFiles {
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

/**
 * Descriptor 3 tells, as `escaped`, the logs and the FIFO by which others know that somebody of this place lives; when it
 * ends without that, nothing was started. Two shells keep the reading ends, so that a drain that is killed can be started
 * again and no writer gets SIGPIPE meanwhile. cat fails when the disk refuses what it has read: that part is lost, which is
 * told on stdout; it goes on with what comes. The end of a drain is the end of the last writer; the first shell then closes
 * its descriptor 6.
 */
const program = `trap '' HUP INT QUIT TERM PIPE
${pipes([
  [6, 4],
  [7, 5],
])}
chmod 622 /proc/self/fd/6 /proc/self/fd/7 2>/dev/null # also for a part of the script that runs as another user
echo ready
line() { IFS= read -r line <&3 && line=$(printf '%b.' "$line") && line=\${line%.}; }
line && out=$line && line && err=$line && line || exit 0
[ -p "$line" ] && exec 8<>"$line"
exec 3<&- 4<&- 5<&-
drain() { until cat >>"$1" 2>/dev/null; do [ $? -gt 128 ] || echo lost; sleep .1; done; }
drain "$err" <&7 & drain "$out" <&6
exec 6<&-
wait`;

/** One line that printf(1) turns back with %b; it would take a line break at the end away, hence the dot behind it. */
const escaped = (path: string): string => `${path.replaceAll('\\', '\\0134').replaceAll('\n', '\\0012')}\n`;

/** The pipe takes 64 KiB (pipe(7)), and cat's buffer 128 KiB: what was in them is written when so much more has come. */
const inFlightBytes = 196_608;
/** How long an end waits for a disk that does not take the output, ms. */
const drainedWithinMs = 2_000;
const pollMs = [2, 5, 10] as const;

export class Output {
  readonly #kit: ChildProcess;
  readonly #ready: Promise<void>;
  readonly ended: Promise<void>;
  /** Called when the disk has refused a part of the output. */
  onLost: () => void = () => undefined;
  /** True once it is known that the pipes could not be made. */
  hasFailed = false;

  constructor() {
    const path = process.env['PATH'] ?? '/usr/bin:/bin';
    this.#kit = spawn('/bin/sh', ['-c', program, 'unjam-output'], {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      // "none": it is no part of the script, and no verb ends it.
      env: { PATH: path, UNJAM_RUN: 'none' },
    });
    this.ended = new Promise((resolve) => {
      this.#kit.once('exit', () => resolve());
      this.#kit.once('error', () => resolve());
    });
    this.#ready = new Promise((resolve, reject) => {
      const said = this.#kit.stdout?.setEncoding('latin1');
      said?.on('error', () => undefined);
      said?.on('data', (text: string) => {
        if (text.includes('ready')) resolve();
        if (text.includes('lost')) this.onLost();
      });
      this.#kit.once('error', reject);
      this.#kit.once('exit', (code) =>
        reject(new Error(`The pipes for the script’s output could not be made (exit status ${code} of /bin/sh).`)),
      );
    });
    this.#ready.catch(() => (this.hasFailed = true)); // told by `opened`
    this.#signal.on('error', () => undefined);
    this.#kit.unref();
  }

  /**
   * Calls `start` with the writing ends, which the script inherits, and lets the drains into `files` begin. `presence` is
   * the FIFO that tells others of this place, where there is one.
   * @throws when the pipes could not be made
   */
  async opened<T>(
    { stdoutPath, stderrPath }: OutputFiles,
    presence: string | null,
    start: (stdout: number, stderr: number) => Promise<T>,
  ): Promise<T> {
    await this.#ready;
    const ends: number[] = [];
    try {
      for (const fd of [4, 5]) ends.push(openSync(`/proc/${this.#kit.pid}/fd/${fd}`, 'w'));
      return await start(ends[0] ?? -1, ends[1] ?? -1);
    } finally {
      this.#signal.end([stdoutPath, stderrPath, presence ?? ''].map(escaped).join(''));
      for (const end of ends) closeSync(end);
      (this.#kit.stdout as Socket | null)?.unref();
    }
  }

  identity(place: Place): ProcessIdentity | null {
    return this.#kit.pid === undefined ? null : identityOf(place, this.#kit.pid);
  }

  /** Nothing is started: its shell ends by that. */
  giveUp(): void {
    this.#signal.destroy();
  }

  get #signal(): Socket {
    return this.#kit.stdio[3] as Socket;
  }
}

/**
 * Resolves when the logs hold what was written before this call, or the disk has not taken it for two seconds. `ended`
 * tells of the drains' end at once; who is not their parent looks.
 */
export async function drained(
  place: Place,
  drain: ProcessIdentity,
  files: OutputFiles,
  ended: Promise<void> | null,
): Promise<void> {
  const before = sizes(files);
  const until = performance.now() + drainedWithinMs;
  const over = ended?.then(() => true) ?? new Promise<boolean>(() => undefined);
  for (let look = 0; performance.now() < until; look += 1) {
    // Nearly always the last writer has gone with the script, and the drains end within a millisecond.
    if (ended !== null && (await Promise.race([over, delay(pollMs[look] ?? 20, false)]))) return;
    if (areDrained(place, drain, files, before)) return;
    if (ended === null) await delay(pollMs[look] ?? 20);
  }
}

/** Each cat is started again by its shell, and opens its log by name. */
export function restartDrains(place: Place, drain: ProcessIdentity): void {
  for (const { cat } of drainsOf(readTable(place), drain)) if (cat) send(cat.identity.pid, 'SIGKILL');
}

/** The shells that look after a stream that is not over, each with its cat; without one it is between two. */
function drainsOf(
  table: readonly ProcessSnapshot[],
  { pid }: ProcessIdentity,
): { readonly cat: ProcessSnapshot | undefined }[] {
  const children = (of: number) => table.filter((p) => p.parentPid === of && p.state !== 'zombie');
  const catOf = (of: number) => children(of).find((p) => p.identity.name === 'cat');
  const other = children(pid).filter((p) => p.identity.name === 'sh');
  const shells = [...(existsSync(`/proc/${pid}/fd/6`) ? [pid] : []), ...other.map((p) => p.identity.pid)];
  return shells.map((shell) => ({ cat: catOf(shell) }));
}

const sizes = ({ stdoutPath, stderrPath }: OutputFiles): Map<string, number> =>
  new Map([stdoutPath, stderrPath].map((path) => [path, statSync(path, { throwIfNoEntry: false })?.size ?? 0]));

/** Somebody keeps the output open: true when each cat waits for more, or has written more than was in flight. */
function areDrained(
  place: Place,
  drain: ProcessIdentity,
  files: OutputFiles,
  before: ReadonlyMap<string, number>,
): boolean {
  if (identityOf(place, drain.pid)?.startTime !== drain.startTime) return true;
  const now = sizes(files);
  return drainsOf(readTable(place), drain).every(({ cat }) => {
    if (cat === undefined) return false;
    if (cat.state === 'sleeping' && isReading(cat.identity.pid)) return true;
    const log = logOf(cat.identity.pid);
    return log !== null && (now.get(log) ?? 0) - (before.get(log) ?? 0) >= inFlightBytes;
  });
}

/** A sleeping cat that does not wait for a slow disk (FUSE). Where the system call cannot be asked, sleeping has to do. */
function isReading(pid: number): boolean {
  const call = read(`/proc/${pid}/syscall`)?.split(' ', 1)[0];
  return call === undefined || !/^\d+$/.test(call) || systemCallName(Number(call)) === 'read';
}

function logOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/fd/1`);
  } catch {
    return null;
  }
}
