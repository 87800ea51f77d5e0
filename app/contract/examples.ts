/** One good input for every method: the API's reference and its OpenAPI document show it, and a test parses it. */
import type { Input, Method } from './methods.ts';

const ticket = '20261120-111918-3f9a2c';
const id = 'o-4242-133773';

export const examples: { readonly [M in Method]: Input<M> } = {
  'host.info': {},
  'host.retire': {},
  'overview.get': {},
  'scripts.list': { all: true },
  'scripts.get': { ticket },
  'scripts.why': { ticket },
  'scripts.evidence': { ticket },
  'evidence.read': { ticket, file: 'W205.json' },
  'scripts.start': {
    ticket,
    name: 'Deploy web / step 4',
    command: ['bash', 'deploy.sh'],
    cwd: '/srv/web',
    isolation: { level: 'full', mutex: 'web', timeoutMs: 1_800_000 },
    timeoutMs: 3_600_000,
  },
  'scripts.cancel': { ticket, graceMs: 60_000, reason: 'INC-4711' },
  'scripts.kill': { ticket, reason: 'INC-4711' },
  'scripts.abandon': { ticket, reason: 'INC-4711' },
  'scripts.complete': { ticket },
  'logs.read': { ticket, from: 0, waitMs: 20_000 },
  'logs.lines': { ticket, count: 100 },
  'logs.search': { ticket, text: 'error', ignoreCase: true, count: 20 },
  'logs.line': { ticket, line: 17 },
  'locks.list': {},
  'locks.abandon': { ticket: 'hold-3f9a2c', reason: 'INC-4711' },
  'locks.resume': { name: 'web' },
  'history.list': { sinceMs: 86_400_000, limit: 100 },
  'metrics.get': {},
  'settings.get': {},
  'settings.set': { values: { silentAfterMinutes: 30 } },
  'agents.list': {},
  'observed.list': {},
  'observed.get': { id },
  'observed.why': { id },
  'observed.log': { id },
  'observed.cancel': { id },
  'observed.kill': { id },
  'foreignLocks.list': {},
  'drill.start': { minutes: 5 },
};
