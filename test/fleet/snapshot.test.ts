/** What a host shows of its scripts, and what is believed of it. */
import { describe, expect, test } from 'vitest';
import type { ObservedView, ScriptView } from '../../app/contract/methods.ts';
import { condition } from '../../app/domain/condition.ts';
import type { ConditionFacts } from '../../app/domain/condition-facts.ts';
import { newsOf, readShown, shownText } from '../../app/fleet/snapshot.ts';
import { snapshotBytes } from '../../app/fleet/snapshot-schema.ts';
import { listView, script as detail } from '../support/browser-worlds.ts';
import { at0312, facts, minute } from '../support/fake-domain.ts';

const at = '2026-11-20T11:19:18.123Z';

const running = listView(
  detail({ ticket: 'a', createdAt: at, startedAt: at, lastOutputAt: '2026-11-20T11:19:00.000Z' }),
);
const script = (ticket: string, changes: Partial<ScriptView> = {}): ScriptView => ({ ...running, ticket, ...changes });

const observed = (id: string): ObservedView => {
  const { name, pid, process, startedAt, lastOutputAt, mutex, isolation, taken, stuck, condition } = script(id);
  const agent = { key: 'gitlab', name: 'GitLab Runner', pid: 7 };
  return { id, agent, name, pid, process, user: null, processes: 1, startedAt: startedAt ?? at, lastOutputAt, mutex, isolation, waiters: [], taken, ticket: null, stuck, leftBehind: false, condition }; // prettier-ignore
};
const many = (count: number, changes?: Partial<ScriptView>): ScriptView[] =>
  Array.from({ length: count }, (_, i) => script(`s-${i}`, changes));

describe('what a host shows', () => {
  test('is its living scripts and orphans, and what agents run; it comes back as it was', () => {
    const scripts = [script('a'), script('b', { state: 'final', verdict: 'exited' }), script('c', { state: 'final', verdict: 'abandoned', orphan: true })]; // prettier-ignore
    const shown = readShown(shownText({ scripts, observed: [observed('o-1-2')] }));
    expect(shown.scripts.map(({ ticket }) => ticket)).toEqual(['a', 'c']);
    expect(shown.scripts[0]).toEqual(scripts[0]);
    expect(shown.observed).toEqual([observed('o-1-2')]);
    expect(shown).toMatchObject({ leftOut: 0, problem: null });
  });

  test('is news when something of a script changes: output, ages in sentences, estimates and traces are none', () => {
    const news = (changes: Partial<ScriptView>): string => newsOf(shownText({ scripts: [script('a', changes)] }));
    const later = {
      lastOutputAt: '2026-11-20T11:29:59.000Z',
      traceparent: 'x',
      estimate: { from: at, to: at, runs: 9 },
    };
    expect(news(later)).toBe(news({}));
    expect(news({ version: 4 })).not.toBe(news({}));
    expect(news({ name: '"lastOutputAt":"2026-11-20T11:19:59.000Z"' })).toContain('11:19:59.000Z');
    expect(news({ name: 'Waits 12 s, "label":"12 s"' })).toContain(String.raw`12 s, \"label\":\"12 s`);
  });

  test.each<[string, Partial<ConditionFacts>]>([
    ['runs', { startedAt: at0312 - 10_000 }],
    ['is silent', { lastOutputAt: at0312 - 30 * minute }],
    ['waits', { state: 'queued', stage: { kind: 'queued' }, startedAt: null, lastOutputAt: null, waiting: { position: 2, of: 3, paused: false, estimate: null, holder: { name: 'web', heldMs: 50_000, stuck: false } } }], // prettier-ignore
  ])('is no news while a script only %s for longer', (_, how) => {
    const said = (more: Partial<ConditionFacts>) => condition(facts({ ...how, ...more }));
    const news = (more: Partial<ConditionFacts>): string =>
      newsOf(shownText({ scripts: [script('a', { condition: said(more) as ScriptView['condition'] })] }));
    const later = { now: at0312 + 90_000 };
    expect(said(later)).not.toEqual(said({}));
    expect(news(later)).toBe(news({}));
  });

  test('is at most 200 scripts and 256 KB; what is stuck stays, and how many were left out is said', () => {
    const shown = readShown(shownText({ scripts: [...many(300), script('last', { stuck: true })] }));
    expect(shown.scripts).toHaveLength(200);
    expect(shown.scripts[0]?.ticket).toBe('last');
    expect(shown.leftOut).toBe(101);
    const text = shownText({ scripts: many(200, { name: 'ü'.repeat(2_000) }), observed: [observed('o-1-2')] });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(snapshotBytes);
    const { scripts, observed: seen, leftOut } = readShown(text);
    expect(scripts.length + seen.length + leftOut).toBe(201);
    expect(scripts.length).toBeGreaterThan(40);
    expect(readShown(shownText({ scripts: [script('a', { name: 'x'.repeat(300_000) })] }))).toMatchObject({ scripts: [], leftOut: 1 }); // prettier-ignore
  });
});

describe('what another host shows', () => {
  test('with a ticket that a shell would read as a command is not shown', () => {
    const seen = (all: Parameters<typeof shownText>[0]) => readShown(shownText(all));
    expect(seen({ scripts: [script('a'), script('b;reboot')] })).toMatchObject({
      scripts: [],
      problem: expect.stringMatching(
        /^What it shows has a wrong ticket\. A ticket starts with a letter or digit/,
      ) as string,
    });
    expect(seen({ scripts: [], observed: [observed('$(reboot)')] })).toMatchObject({
      observed: [],
      problem: expect.stringContaining('"observed.0.id"') as string,
    });
  });

  test('may have more than this version knows: that is left away', () => {
    const { condition, ...rest } = script('a');
    const newer = { scripts: [{ ...rest, mood: 1, condition: { ...condition, colour: 'red' } }], observed: [], leftOut: 0, more: [] }; // prettier-ignore
    expect(readShown(JSON.stringify(newer))).toEqual({
      scripts: [script('a')],
      observed: [],
      leftOut: 0,
      problem: null,
    });
  });

  test('is not believed when it is not as the contract says', () => {
    const wrong = (changes: object): string | null =>
      readShown(JSON.stringify({ scripts: [{ ...script('a'), ...changes }], observed: [], leftOut: 0 })).problem;
    expect(wrong({ pid: 'all' })).toContain('"scripts.0.pid"');
    expect(wrong({ condition: null })).toContain('"scripts.0.condition"');
    for (const text of ['{', '[]', 'null', '{"scripts":1}', '{"__proto__":{"a":1},"scripts":[]}'])
      expect(readShown(text), text).toMatchObject({ scripts: [], observed: [], problem: expect.any(String) as string });
    expect(readShown(null)).toEqual({ scripts: [], observed: [], leftOut: 0, problem: null });
  });
});
