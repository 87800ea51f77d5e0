/** What one look and the one before it say together. */
import { expect, test } from 'vitest';
import { conclude, nothingSeen, without } from '../../app/agents/looks.ts';
import { onLinux } from './fixtures/linux.ts';
import { look } from './forest-of.ts';

const observation = look(onLinux['tentacle']!);
const none = { ...observation, agents: [], scripts: [] };
const at = Date.UTC(2026, 0, 15, 3, 0);
const first = { at, seenAt: 0, observation };
const later = (ms: number, more: Partial<typeof first> = {}) => ({ ...first, at: at + ms, seenAt: ms, ...more });

test('an agent is new once, also when it was not there for a while', () => {
  const one = conclude(nothingSeen, first);
  expect(one.newAgents.map((a) => a.key)).toEqual(['tentacle', 'systemd']);
  const two = conclude(one.seen, later(10_000, { observation: none }));
  expect(conclude(two.seen, later(20_000)).newAgents).toEqual([]);
});

test('the list has changed when a script comes or goes, and not because time passes', () => {
  const one = conclude(nothingSeen, first);
  expect(one.changed).toBe(true);
  const two = conclude(one.seen, later(10_000));
  expect(two.changed).toBe(false);
  expect(conclude(two.seen, later(20_000, { observation: none })).changed).toBe(true);
});

test('nobody was silent while the machine slept', () => {
  const one = conclude(nothingSeen, first);
  const slept = conclude(one.seen, { ...later(10_000), at: at + 3_600_000 });
  const [watched] = slept.seen.memory.values();
  expect(watched!.recent?.windowMs).toBe(10_000);
});

test('a script of an agent that is not looked at any more is not in the list, and has not ended', () => {
  const one = conclude(nothingSeen, first);
  const { seen, changed } = conclude(without(one.seen, ['tentacle']), later(10_000, { observation: none }));
  expect(seen.memory.size).toBe(0);
  expect(changed).toBe(false);
});
