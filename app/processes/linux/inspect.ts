/** What a bundle of evidence holds of one process beyond a diagnosis (proc(5)): kernel stacks, open files, sockets, locks. */
import type { Inspection } from '../control.ts';
import { addressText, readSystemCall } from './examine.ts';
import { link, list, read } from './proc.ts';

const threadsMax = 16;
const filesMax = 200;
const modes = ['reads', 'writes', 'reads and writes', '?'] as const;

export function inspect(pid: number): Inspection {
  const ids = list(`/proc/${pid}/task`);
  const descriptors = list(`/proc/${pid}/fd`);
  const sockets = new Map<string, string>();
  const opened = descriptors.slice(0, filesMax).flatMap((descriptor) => {
    const target = link(`/proc/${pid}/fd/${descriptor}`);
    if (target === null) return [];
    if (target.startsWith('socket:') && sockets.size === 0) readSockets(pid, sockets);
    const info = read(`/proc/${pid}/fdinfo/${descriptor}`) ?? '';
    const mode = modes[parseInt(/^flags:\s+([0-7]+)/m.exec(info)?.[1] ?? '3', 8) & 3] ?? '?'; // O_ACCMODE
    const position = /^pos:\s+(\d+)/m.exec(info)?.[1] ?? '0';
    const locks = [...info.matchAll(/^lock:\s+(.*)$/gm)].map(([, lock = '']) => ` · lock ${lock}`);
    const name = target.startsWith('socket:') ? `${target} ${sockets.get(target.slice(8, -1)) ?? ''}`.trim() : target;
    return [`${descriptor} ${name} (${mode}, at byte ${position})${locks.join('')}`];
  });
  const more = descriptors.length - filesMax;
  return {
    threads: ids.slice(0, threadsMax).map((id) => ({
      id: Number(id),
      name: read(`/proc/${pid}/task/${id}/comm`)?.trim() ?? '?',
      waitsIn: read(`/proc/${pid}/task/${id}/wchan`)?.replace(/^0$/, '') || null,
      call: readSystemCall(`${pid}/task/${id}`)?.name ?? null,
      // Only root reads it (CONFIG_STACKTRACE, CAP_SYS_ADMIN); empty for a thread that runs.
      kernelStack: read(`/proc/${pid}/task/${id}/stack`)?.trim() ?? null,
    })),
    threadCount: ids.length,
    folder: link(`/proc/${pid}/cwd`),
    program: link(`/proc/${pid}/exe`),
    files: more > 0 ? [...opened, `and ${more} more`] : opened,
  };
}

const tcpStates = [
  '?',
  'established',
  'SYN sent',
  'SYN received',
  'FIN wait 1',
  'FIN wait 2',
  'time wait',
  'closed',
  'close wait',
  'last ACK',
  'listens',
  'closing',
];

/** By inode, of the network that this process sees. */
function readSockets(pid: number, into: Map<string, string>): void {
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6'])
    for (const line of (read(`/proc/${pid}/net/${table}`) ?? '').split('\n').slice(1)) {
      const [, local = '', remote = '', state = '', , , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined) continue;
      const said = table.startsWith('tcp') ? ` ${tcpStates[parseInt(state, 16)] ?? '?'}` : '';
      into.set(inode, `${table} ${endText(local)} -> ${endText(remote)}${said}`);
    }
  for (const line of (read(`/proc/${pid}/net/unix`, 'utf8') ?? '').split('\n').slice(1)) {
    const [, , , , , , inode, path] = line.trim().split(/\s+/);
    if (inode !== undefined) into.set(inode, `unix ${path ?? 'without a name'}`);
  }
}

function endText(hex: string): string {
  const [address = '', port = '0'] = hex.split(':');
  return `${addressText(address)}:${parseInt(port, 16)}`;
}

const place = /[0-9a-f]+:[0-9a-f]+:\d+/;

/**
 * The rows of /proc/locks that are about these processes, and who holds what they wait for. A lock of flock(2) stands
 * there with the process that took it, which may have gone: so the files that they have open count as well.
 */
export function fileLocks(pids: ReadonlySet<number>): readonly string[] {
  const rows = (read('/proc/locks') ?? '').split('\n').filter((row) => row !== '');
  const places = new Set([...pids].flatMap(lockedPlaces));
  const isOurs = (row: string): boolean =>
    pids.has(Number(/ (\d+) [0-9a-f]+:/.exec(row)?.[1] ?? 0)) || places.has(place.exec(row)?.[0] ?? '');
  const numberOf = (row: string): string => row.split(':', 1)[0] ?? '';
  const ours = new Set(rows.filter(isOurs).map(numberOf)); // a waiter has the number of what it waits for
  return rows.filter((row) => ours.has(numberOf(row))).slice(0, filesMax);
}

const lockedPlaces = (pid: number): string[] =>
  list(`/proc/${pid}/fdinfo`)
    .slice(0, filesMax)
    .flatMap((descriptor) => (read(`/proc/${pid}/fdinfo/${descriptor}`) ?? '').match(/^lock:.*$/gm) ?? [])
    .flatMap((row) => place.exec(row)?.[0] ?? []);
