/** Reads /proc (proc(5)). Every reader answers null when the process is gone or not readable; nothing throws. */
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Place as MachinePlace, ProcessIdentity } from '../../domain/identity.ts';
import type { ProcessSnapshot, ProcessState, Warning } from '../control.ts';

/** USER_HZ: 100 on every Linux architecture that Node runs on (getconf CLK_TCK). */
const ticksPerSecond = 100;

export interface Place extends MachinePlace {
  /** Boot time, wall-clock ms. */
  readonly bootedAt: number;
}

export function readPlace(): Place {
  // Not btime of /proc/stat: it is rounded to a second, and a script must not seem to start before it was asked for.
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]);
  const pidNamespace = readlinkSync('/proc/self/ns/pid');
  return {
    machine: hostname(),
    machineId: machineIdFrom(pidNamespace, read('/etc/machine-id')),
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
    pidNamespace,
    bootedAt: Date.now() - uptime * 1000,
  };
}

/** PROC_PID_INIT_INO: of every process that is in no container. */
const machinesOwnNamespace = 'pid:[4026531836]';

/**
 * machine-id(5), which is there for every user and stays when the name changes. Not in a container: there it is the
 * image's, and the same on every machine that runs the image; the container's name has to do. Pure.
 */
export function machineIdFrom(pidNamespace: string, file: string | null): string | undefined {
  const id = file?.trim() ?? '';
  return pidNamespace === machinesOwnNamespace && /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}

/** Of a container the name is the identity; elsewhere a missing id is worth a word. Pure. */
export function machineWarnings({ machine, machineId, pidNamespace }: MachinePlace): Warning[] {
  if (machineId !== undefined || pidNamespace !== machinesOwnNamespace) return [];
  return [
    {
      text: `This machine is known by its name "${machine}" alone: it has no /etc/machine-id. After a change of the name its earlier holds count as another machine's.`,
      next: 'Run "systemd-machine-id-setup" as root.',
    },
  ];
}

/** starttime, the last one of a table that is used of the 52 fields of /proc/<pid>/stat. */
const lastField = 22;
const [flagsField, envStartField] = [9, 50];

/** Also answers for zombies; look at `state`. */
export function readStat(place: Place, pid: number | string): ProcessSnapshot | null {
  const text = readWhole(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(place, text);
}

function parseStat(place: Place, text: string): ProcessSnapshot | null {
  // The name may hold blanks and parentheses: cut at the last one (locks.md 5).
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < 0) return null;
  const fields = text.slice(close + 2).split(' ', lastField - 2);
  const field = (n: number): number => Number(fields[n - 3]);
  const startTime = fields[lastField - 3] ?? '';
  return {
    identity: {
      machine: place.machine,
      machineId: place.machineId,
      bootId: place.bootId,
      pidNamespace: place.pidNamespace,
      pid: Number(text.slice(0, open)),
      startTime,
      startedAt: Math.round(place.bootedAt + (Number(startTime) * 1000) / ticksPerSecond),
      name: text.slice(open + 1, close),
    },
    parentPid: field(4),
    group: field(5),
    session: field(6),
    terminal: field(7) !== 0,
    cpuMs: ((field(14) + field(15)) * 1000) / ticksPerSecond,
    childrenCpuMs: ((field(16) + field(17)) * 1000) / ticksPerSecond,
    state: stateOf(fields[0] ?? ''),
  };
}

function stateOf(letter: string): ProcessState {
  switch (letter) {
    case 'R':
      return 'running';
    case 'S':
    case 'I':
      return 'sleeping';
    case 'D':
      return 'kernel';
    case 'T':
    case 't':
      return 'stopped';
    case 'Z':
    case 'X':
    case 'x':
      return 'zombie';
    default:
      return 'unknown';
  }
}

/** The line of each process when it was read last, and what it said; by its entry in /proc. */
export type KnownLines = Map<string, { readonly text: string; readonly process: ProcessSnapshot }>;

/**
 * Most processes of a machine sleep, and their lines are what they were: with `known` these give the same objects again.
 * Of 2,000 processes new ones would be most of what a table costs, in garbage.
 */
export function readTable(place: Place, known: KnownLines = new Map()): ProcessSnapshot[] {
  const table: ProcessSnapshot[] = [];
  for (const entry of readdirSync('/proc')) {
    if (entry.charCodeAt(0) > 57 || entry.charCodeAt(0) < 48) continue;
    const text = readWhole(`/proc/${entry}/stat`);
    if (text === null) continue;
    const before = known.get(entry);
    const process = before?.text === text ? before.process : parseStat(place, text);
    if (process === null) continue;
    if (process !== before?.process) known.set(entry, { text, process });
    table.push(process);
  }
  if (known.size > 2 * table.length) {
    const living = new Set(table.map((process) => String(process.identity.pid)));
    for (const entry of known.keys()) if (!living.has(entry)) known.delete(entry);
  }
  return table;
}

/** The environment with which a process began (proc(5), environ); null when it may not be read. */
export function readEnvironment(pid: number): Record<string, string> | null {
  const text = read(`/proc/${pid}/environ`);
  if (text === null) return null;
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/**
 * The run id of the script that a process belongs to: the last part of UNJAM_RUN in its environment. `isBeginning` while
 * execve(2) replaces the program: it shows no environment then, for up to 20 ms as measured on a busy machine.
 */
export function readRunCookie(pid: number): { readonly cookie: string | null; readonly isBeginning: boolean } {
  const text = read(`/proc/${pid}/environ`);
  const found = /(?:^|\0)UNJAM_RUN=([^\0]*)/.exec(text ?? '');
  return { cookie: found?.[1]?.split('/').at(-1) ?? null, isBeginning: text === '' && isInsideExec(pid) };
}

/** PF_KTHREAD of the flags in /proc/<pid>/stat: it never has an environment. */
const kernelThread = 0x0020_0000;

/** Of a process that shows no environment. Not one that was begun with none, where env_start is env_end and neither is 0. */
function isInsideExec(pid: number): boolean {
  const fields = readWhole(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  if (fields === undefined) return false;
  const [state, flags] = [stateOf(fields[0] ?? ''), Number(fields[flagsField - 3])];
  const [start, end] = fields.slice(envStartField - 3);
  return state !== 'zombie' && (flags & kernelThread) === 0 && (start !== end || end === '0');
}

export function readCommandLine(pid: number): string | null {
  const text = read(`/proc/${pid}/cmdline`, 'utf8');
  return text === null ? null : text.replace(/\0$/, '').replaceAll('\0', ' ');
}

/** Name of the kernel function that a process waits in; null when it does not wait or may not be asked. */
export function readWaitChannel(pid: number | string): string | null {
  const text = read(`/proc/${pid}/wchan`);
  return text === null || text === '' || text === '0' ? null : text;
}

/** Bytes that went through read and write calls, both directions, also those of children it has waited for. */
export function readIoBytes(pid: number): number | null {
  const text = read(`/proc/${pid}/io`);
  if (text === null) return null;
  const value = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return value('rchar') + value('wchar');
}

export interface Status {
  readonly uid: number;
  /** SIGKILL is pending for the thread or the whole process. */
  readonly killPending: boolean;
  readonly threads: number;
}

export function readStatus(pid: number): Status | null {
  const text = read(`/proc/${pid}/status`);
  if (text === null) return null;
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '0';
  // SIGKILL is bit 8 (0x100); SigPnd is the thread's, ShdPnd the process's (proc(5)).
  const pending = (name: string): boolean => (BigInt(`0x${field(name)}`) & 0x100n) !== 0n;
  return {
    uid: Number(field('Uid')),
    killPending: pending('SigPnd') || pending('ShdPnd'),
    threads: Number(field('Threads')),
  };
}

export function userName(uid: number): string {
  const line = read('/etc/passwd')
    ?.split('\n')
    .find((l) => l.split(':')[2] === String(uid));
  return line?.split(':', 1)[0] ?? `uid ${uid}`;
}

/** Files of /proc say no size: readFileSync takes 64 KB of new memory for each, which doubled an idle host's CPU. */
let buffer = Buffer.allocUnsafeSlow(16_384);

/** As `read`, of a file that the kernel gives in one piece, as it does a single line: nothing is asked twice. */
function readWhole(path: string): string | null {
  return readFrom(path, (file) => buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, null)));
}

/** Null when it cannot be read. */
export function read(path: string, encoding: 'latin1' | 'utf8' = 'latin1'): string | null {
  return readFrom(path, (file) => {
    for (let length = 0; ;) {
      const more = readSync(file, buffer, length, buffer.length - length, null);
      if (more === 0) return buffer.toString(encoding, 0, length);
      length += more;
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafeSlow(length)]);
    }
  });
}

function readFrom(path: string, take: (file: number) => string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return take(file);
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

export function identityOf(place: Place, pid: number): ProcessIdentity | null {
  const process = readStat(place, pid);
  return process && process.state !== 'zombie' ? process.identity : null;
}

/** Empty when it is gone or not readable. */
export function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Null when it is gone or not readable. */
export function link(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
