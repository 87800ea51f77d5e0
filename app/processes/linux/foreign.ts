/** Processes of others, from /proc (proc(5)) and by signals to single pids: a process group may hold an agent. */
import { statSync } from 'node:fs';
import { type ProcessIdentity, sameProcess } from '../../domain/identity.ts';
import type { ProcessControl } from '../control.ts';
import type { FileLock, ForeignProcesses } from '../foreign.ts';
import { link, list, read, readStatus, userName } from './proc.ts';

export function openForeign(control: ProcessControl): ForeignProcesses {
  const users = new Map<number, string>();
  const isSame = (of: ProcessIdentity): boolean => {
    const found = control.identify(of.pid);
    return found !== null && sameProcess(found, of);
  };

  function send(of: ProcessIdentity, signal: NodeJS.Signals): NodeJS.ErrnoException | 'gone' | null {
    if (of.pid <= 1 || of.pid === process.pid || !isSame(of)) return 'gone';
    try {
      process.kill(of.pid, signal);
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : (error as NodeJS.ErrnoException);
    }
  }

  return {
    words(of) {
      const text = read(`/proc/${of.pid}/cmdline`, 'utf8');
      return text === null ? null : text.replace(/\0+$/, '').replaceAll('\0', '\n');
    },
    variables(of, names) {
      const text = read(`/proc/${of.pid}/environ`, 'utf8');
      if (text === null) return null;
      const wanted = new Set(names);
      const found: Record<string, string> = {};
      for (const entry of text.split('\0')) {
        const at = entry.indexOf('=');
        if (at > 0 && wanted.has(entry.slice(0, at))) found[entry.slice(0, at)] = entry.slice(at + 1);
      }
      return found;
    },
    unit(of) {
      const text = read(`/proc/${of.pid}/cgroup`);
      return text === null ? null : (/\/([^/\n]+\.service)(?:\/|$)/m.exec(text)?.[1] ?? null);
    },
    user(of) {
      const uid = readStatus(of.pid)?.uid;
      if (uid === undefined) return null;
      const known = users.get(uid) ?? userName(uid);
      users.set(uid, known);
      return known;
    },
    services: () => new Set(),
    freeze: (of) => send(of, 'SIGSTOP') === null,
    thaw: (of) => void send(of, 'SIGCONT'),
    async interrupt(targets) {
      const results = targets.map((of) => send(of, 'SIGTERM'));
      // A stopped process acts on nothing before it is continued.
      for (const of of targets) send(of, 'SIGCONT');
      const sent = results.filter((r) => r === null).length;
      const failed = results.find((r) => r !== null && r !== 'gone');
      const what = `SIGTERM to ${sent === 1 ? '1 process' : `${sent} processes`}`;
      if (sent > 0) return { kind: 'sent', what };
      if (typeof failed !== 'object' || failed === null) return { kind: 'gone' };
      return { kind: 'undeliverable', what, errorCode: failed.code ?? 'unknown', message: failed.message };
    },
    outputs: (of) =>
      [
        ...new Set(
          [1, 2].flatMap((fd) => [link(`/proc/${of.pid}/fd/${fd}`)]).filter((t) => t?.startsWith('pipe:') === true),
        ),
      ] as string[],
    writers(outputs) {
      const wanted = new Set(outputs);
      return pids().flatMap((pid) => {
        if (pid === process.pid) return [];
        return hasOpen(pid, wanted, (mode) => mode !== readOnly) ? (control.identify(pid) ?? []) : [];
      });
    },
    reads: ({ pid }, outputs) => hasOpen(pid, new Set(outputs), (mode) => mode !== writeOnly),
    locksOn(paths) {
      const byFile = new Map<string, string>();
      for (const path of paths) {
        const key = fileKey(path);
        if (key !== null) byFile.set(key, path);
      }
      if (byFile.size === 0) return { locks: [], hidden: false };
      const text = read('/proc/locks');
      return { locks: text === null ? [] : parseLocks(text, byFile), hidden: text === null };
    },
  };
}

/** Of O_ACCMODE, open(2). */
const [readOnly, writeOnly] = [0, 1];

function hasOpen(pid: number, wanted: ReadonlySet<string>, fits: (mode: number) => boolean): boolean {
  return list(`/proc/${pid}/fd`).some((fd) => {
    const target = link(`/proc/${pid}/fd/${fd}`);
    if (target === null || !wanted.has(target)) return false;
    const flags = /^flags:\s+([0-7]+)/m.exec(read(`/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1];
    return fits(parseInt(flags ?? '0', 8) & 3);
  });
}

/** Device and inode as /proc/locks writes them: `08:01:1234`. */
function fileKey(path: string): string | null {
  try {
    const { dev, ino } = statSync(path);
    // The numbers of glibc's gnu_dev_major and gnu_dev_minor.
    const major = Math.floor(dev / 256) & 0xfff;
    const minor = (dev & 0xff) | (Math.floor(dev / 0x1000) & 0xfff00);
    return `${hex(major)}:${hex(minor)}:${ino}`;
  } catch {
    return null;
  }
}

const hex = (n: number): string => n.toString(16).padStart(2, '0');

/**
 * `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; a waiter has the number of its lock and `->` before its kind. A lock
 * of an open file description has pid -1.
 */
export function parseLocks(text: string, byFile: ReadonlyMap<string, string>): FileLock[] {
  const found = new Map<string, { lock: Omit<FileLock, 'waiting'>; waiting: number[] }[]>();
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const waits = fields[1] === '->';
    const [number, kind, , access, pid, file] = waits ? [fields[0], ...fields.slice(2)] : fields;
    const path = file === undefined ? undefined : byFile.get(file);
    if (number === undefined || path === undefined || (kind !== 'FLOCK' && kind !== 'POSIX' && kind !== 'OFDLCK'))
      continue;
    const same = found.get(number) ?? [];
    found.set(number, same);
    if (waits) same.at(-1)?.waiting.push(Number(pid));
    else
      same.push({
        lock: {
          pid: Number(pid),
          path,
          kind: kind === 'FLOCK' ? 'flock' : 'fcntl',
          access: access === 'READ' ? 'read' : 'write',
        },
        waiting: [],
      });
  }
  return [...found.values()].flat().map(({ lock, waiting }) => ({ ...lock, waiting }));
}

const pids = (): number[] =>
  list('/proc')
    .filter((e) => /^\d+$/.test(e))
    .map(Number);
