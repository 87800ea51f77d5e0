/**
 * Resource limits: what a process has, and how another one is given them. Node has no setrlimit(2); a shell has, and what
 * it may not raise stays as it was.
 */
import {
  type ResourceLimit,
  type ResourceLimits,
  type ResourceName,
  resourceNames,
} from '../../domain/resource-limits.ts';
import { read } from './proc.ts';

/** How proc(5) names them, the option of `ulimit` and its unit, bytes: those of a shell called as `sh` (POSIX mode). */
const known = {
  nofile: { shown: 'Max open files', option: 'n', unit: 1 },
  nproc: { shown: 'Max processes', option: 'u', unit: 1 },
  core: { shown: 'Max core file size', option: 'c', unit: 512 },
  fsize: { shown: 'Max file size', option: 'f', unit: 512 },
  data: { shown: 'Max data size', option: 'd', unit: 1024 },
  stack: { shown: 'Max stack size', option: 's', unit: 1024 },
  rss: { shown: 'Max resident set', option: 'm', unit: 1024 },
  memlock: { shown: 'Max locked memory', option: 'l', unit: 1024 },
  as: { shown: 'Max address space', option: 'v', unit: 1024 },
  cpu: { shown: 'Max cpu time', option: 't', unit: 1 },
} as const;

/** Null when it has gone, or there is no /proc. */
function limitsOf(pid: number | 'self'): ResourceLimits | null {
  const text = read(`/proc/${pid}/limits`);
  if (text === null) return null;
  const found = resourceNames.flatMap((name) => {
    const [, soft, hard] = new RegExp(`^${known[name].shown}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(text) ?? [];
    return soft === undefined || hard === undefined ? [] : [[name, { soft: amount(soft), hard: amount(hard) }]];
  });
  return Object.fromEntries(found) as ResourceLimits;
}

const amount = (text: string): number | null => (text === 'unlimited' ? null : Number(text));

/**
 * Of the calling process before Node began: Node raises its soft limit of open files to the hard one. What that was is
 * best known by who started it.
 */
export function ownLimits(): ResourceLimits | null {
  const own = limitsOf('self');
  const { nofile } = own ?? {};
  if (nofile === undefined || nofile.soft !== nofile.hard) return own;
  const starter = limitsOf(process.ppid)?.nofile;
  return { ...own, nofile: starter?.hard === nofile.hard ? starter : nofile };
}

/** Of `wanted` what the calling process does not have; Node's own limit of open files never counts as had. */
function differing(wanted: ResourceLimits): [ResourceName, ResourceLimit][] {
  const own = limitsOf('self') ?? {};
  return resourceNames.flatMap<[ResourceName, ResourceLimit]>((name) => {
    const limit = wanted[name];
    const had = own[name];
    return limit === undefined || (had?.soft === limit.soft && had?.hard === limit.hard) ? [] : [[name, limit]];
  });
}

/** Commands of a shell, in one line, after which it has `wanted`, as far as it may. */
export function ulimitCommands(wanted: ResourceLimits): string {
  const set = (name: keyof typeof known, kind: 'S' | 'H', value: number | null): string => {
    const { option, unit } = known[name];
    const size = value === null ? 'unlimited' : String(Math.floor(value / unit));
    const command = `ulimit -${kind} -${option} ${size}`;
    return option === 'u' ? `{ ${command} || ulimit -${kind} -p ${size}; }` : command; // dash and busybox call it -p
  };
  // Lowered: the soft one first. Raised, which takes root: the hard one first.
  const all = differing(wanted).flatMap(([name, { soft, hard }]) => [
    set(name, 'S', soft),
    set(name, 'H', hard),
    set(name, 'S', soft),
  ]);
  return all.length === 0 ? ':' : `{ ${all.join('; ')}; } 2>/dev/null`;
}

/** What a process that the system itself starts has (systemd-system.conf(5), DefaultLimitNOFILE); null without /proc. */
export function systemLimits(): ResourceLimits | null {
  const first = limitsOf(1);
  return first && { ...first, nofile: { soft: 1_024, hard: lower(first.nofile?.hard ?? null, 524_288) } };
}

/** Limits at which programs fail that are below the system's: they are of who started this process. */
export function lesserLimits(): string[] {
  const [own, system] = [limitsOf('self'), systemLimits()];
  return (['nofile', 'nproc', 'fsize', 'data', 'as', 'cpu'] as const)
    .filter((name) => (own?.[name]?.hard ?? Infinity) < (system?.[name]?.hard ?? Infinity))
    .map((name) => known[name].shown.replace('Max ', ''));
}

const lower = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));

/** Options of prlimit(1) for the same, without a hard limit that is above the caller's: it would do nothing at all then. */
export function prlimitOptions(wanted: ResourceLimits): string[] {
  const own = limitsOf('self') ?? {};
  const lower = (a: number | null, b: number | null): number | null =>
    a === null ? b : b === null ? a : Math.min(a, b);
  return differing(wanted).map(([name, limit]) => {
    const hard = lower(limit.hard, own[name]?.hard ?? null);
    const text = (value: number | null): string => (value === null ? 'unlimited' : String(value));
    return `--${name}=${text(lower(limit.soft, hard))}:${text(hard)}`;
  });
}
