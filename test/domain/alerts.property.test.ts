/** Whatever comes and goes, each target hears of each fact once when it begins and once when it is over. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlertKind, decide, type Fact, type Known, overAfterMs, type Recipient } from '../../app/domain/alerts.ts';

const fact = (key: string, kind: AlertKind = 'stuck'): Fact => ({ key, kind, ticket: key, script: key, mutex: null, text: key }); // prettier-ignore
const keys = ['a', 'b', 'c'];
const names = ['mail', 'chat', 'pager'];

interface Step {
  readonly facts: readonly string[];
  readonly targets: readonly string[];
  readonly later: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  facts: fc.subarray(keys),
  targets: fc.subarray(names),
  later: fc.integer({ min: 0, max: 2 * overAfterMs }),
});

interface Said {
  readonly target: string;
  readonly key: string;
  readonly phase: 'begin' | 'end';
  readonly incident: string;
  readonly step: number;
}

function play(steps: readonly Step[]): { said: Said[]; known: readonly Known[][] } {
  let known: readonly Known[] = [];
  let now = 1_000_000;
  let incidents = 0;
  const said: Said[] = [];
  const all: Known[][] = [];
  for (const [i, { facts, targets, later }] of steps.entries()) {
    now += later;
    const decision = decide(known, facts.map((key) => fact(key)), targets.map((name): Recipient => ({ name })), now, () => `i${incidents++}`); // prettier-ignore
    for (const { target, known: one, phase } of decision.messages)
      said.push({ target, key: one.fact.key, phase, incident: one.incident, step: i });
    known = decision.known;
    all.push([...known]);
  }
  return { said, known: all };
}

test('in one incident a target hears at most one beginning and one end, the end last, and only who heard the beginning', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      // A target that is taken away and comes back is a new one: not here.
      const fixed = steps.map((one) => ({ ...one, targets: names }));
      const { said } = play(fixed);
      const heard = Map.groupBy(said, ({ target, incident }) => `${target} ${incident}`);
      for (const phases of heard.values())
        expect([['begin'], ['begin', 'end']]).toContainEqual(phases.map(({ phase }) => phase));
    }),
  );
});

test('an incident is one fact’s, and a fact has one at a time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { said, known } = play(steps);
      for (const all of Map.groupBy(said, ({ incident }) => incident).values())
        expect(new Set(all.map(({ key }) => key)).size).toBe(1);
      for (const now of known) expect(new Set(now.map((one) => one.fact.key)).size).toBe(now.length);
    }),
  );
});

test('every target that is there hears of every fact at the look that first shows both', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { known } = play(steps);
      for (const [i, { facts, targets }] of steps.entries())
        for (const key of facts) {
          const one = known[i]?.find((k) => k.fact.key === key);
          expect(one?.told.toSorted()).toEqual(targets.toSorted());
        }
    }),
  );
});

test('a fact that is away for a minute is over; one that is away for less stays the same incident', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 * overAfterMs }), { minLength: 1, maxLength: 20 }), (gaps) => {
      const steps = gaps.flatMap((later): Step[] => [
        { facts: ['a'], targets: names, later: 0 },
        { facts: [], targets: names, later },
      ]);
      const { said } = play(steps);
      const ends = said.filter(({ phase, target }) => phase === 'end' && target === 'mail').length;
      expect(ends).toBe(gaps.filter((gap) => gap >= overAfterMs).length);
    }),
  );
});

test('a target with kinds hears of these alone', () => {
  const targets: Recipient[] = [{ name: 'pager', kinds: ['unkillable'] }, { name: 'mail' }];
  const { messages } = decide([], [fact('a'), fact('b', 'unkillable')], targets, 0, () => 'i');
  expect(messages.map(({ target, known }) => `${target} ${known.fact.key}`)).toEqual(['mail a', 'pager b', 'mail b']);
});
