/** What is known of an observed script beside its processes. Pure. */
import type { ObservedDetail } from '../contract.ts';
import { bytes } from '../words/counts.ts';
import { fullTime } from '../words/times.ts';

export type Fact = readonly [term: string, value: string];

export function observedFacts(o: ObservedDetail): readonly Fact[] {
  const { agent, log, mutex } = o;
  const carriers = o.carriers.map(({ pid, name }) => `${name} (PID ${pid})`).join(', ');
  return [
    ['Agent', `${agent.name}${agent.pid === null ? '' : `, PID ${agent.pid}`}`],
    ['Job', o.name],
    ...(o.user === null ? [] : [['User', o.user] as const]),
    ['Started', fullTime(o.startedAt)],
    ['Last output', o.lastOutputAt === null ? 'not known' : fullTime(o.lastOutputAt)],
    ['Mutex', mutex === null ? 'none' : `${mutex}${o.isolation === null ? '' : ` (${o.isolation})`}, of the agent`],
    ...(o.waiters.length === 0 ? [] : [['Waiting', o.waiters.join(', ')] as const]),
    ['Spared', carriers === '' ? 'the agent' : `${carriers} and the agent`],
    [
      'Log',
      log === null ? 'none that Unjam can find' : `${log.path}${log.bytes === null ? '' : `, ${bytes(log.bytes)}`}`,
    ],
    ...(o.missing === null ? [] : [['Not seen', o.missing] as const]),
    ['ID', o.id],
  ];
}
