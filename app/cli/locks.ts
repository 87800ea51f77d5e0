/** `unjam locks`: mutexes, holders, queues; `unjam locks resume` after --hold-queue. */
import type { MutexView } from '../contract/methods.ts';
import { shortDuration } from '../domain/durations.ts';
import type { Elsewhere } from './command.ts';
import { withHost } from './connect.ts';
import { describeForeign } from './observed.ts';
import { age, block, print, printJson } from './output.ts';

export async function locks(options: Elsewhere & { json?: boolean }): Promise<void> {
  const [mutexes, foreign] = await withHost(
    async (client) => Promise.all([client.call('locks.list', {}), client.call('foreignLocks.list', {})]),
    options,
  );
  if (options.json) printJson<'locks'>({ mutexes, foreign });
  else {
    const others = describeForeign(foreign);
    const own = mutexes.length === 0 ? ['No mutex is in use.'] : mutexes.map(describe);
    print([...own, ...(others === '' ? [] : [others])].join('\n\n'));
  }
}

export async function resume(name: string, options: Elsewhere & { json?: boolean }): Promise<void> {
  const mutex = await withHost((client) => client.call('locks.resume', { name }), options);
  if (options.json) printJson<'locks resume'>(mutex);
  else print(describe(mutex));
}

export function describe(m: MutexView): string {
  const now = Date.now();
  const level = (l: 'full' | 'none'): string => (l === 'full' ? 'full' : 'none (shared)');
  const unsupervised = (of: { unsupervised?: true | undefined }): string =>
    of.unsupervised ? ', by "unjam hold": not supervised' : '';
  return block([
    `${m.name}${m.paused ? `  PAUSED by ${m.pausedBy}; next: unjam locks resume "${m.name}"` : ''}${m.tainted ? '  not isolated from an orphan' : ''}`,
    ...(m.deadlocks ?? []).map((loop) => `  deadlock: ${loop}`),
    ...(m.holders.length === 0 ? ['  held by nobody'] : []),
    ...m.holders.map(
      (h) =>
        `  holds  "${h.name}" (${h.ticket}, ${h.pid === null ? 'not started yet' : `PID ${h.pid}`}) ${level(h.level)}, for ${age(h.since, now, shortDuration)}, fence ${h.fence}${h.under === undefined ? '' : `, under the hold of ${h.under}`}${unsupervised(h)}${h.unsupervised ? `; to take the mutex away: unjam abandon ${h.ticket}` : ''}`,
    ),
    ...m.waiters.map(
      (w) =>
        `  ${w.position}.     "${w.name}" (${w.ticket}) ${level(w.level)}, has been waiting ${age(w.since, now, shortDuration)}${unsupervised(w)}. ${w.why}`,
    ),
    ...m.orphans.map(
      (o) =>
        `  orphan "${o.name}" (${o.ticket}, PID ${o.pid ?? 'unknown'}) abandoned by ${o.by} ${age(o.since, now, shortDuration)} ago`,
    ),
  ]);
}
