/** The lifecycle table under random orders of events: what holds whatever happens, and that no cell lies about where it leads. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Life, newLife, recall, type StageKind } from '../../app/domain/life.ts';
import { type Effect, type LifeEvent, lifeEventTypes } from '../../app/domain/life-events.ts';
import { decide, lifeTable, type ProcessStage } from '../../app/domain/life-table.ts';
import { identity, kim, survivor } from '../support/fake-domain.ts';

const root = identity(7312);
const members = [root, identity(7313), identity(7314)];
const seen = (n: number, proven = n === 0) => ({ members: members.slice(0, n), of: 3, proven });
const left = fc.nat({ max: 3 }).map((n) => seen(n));
const id = fc.constantFrom('r1', 'r2', 'r3');

const cancelRequest = fc.record({
  verb: fc.constant('cancel' as const),
  id,
  at: fc.constant(0),
  actor: fc.constant(kim),
  reason: fc.constant(null),
  signal: fc.constant(null),
  graceMs: fc.constant(null),
  escalate: fc.boolean(),
  evidence: fc.constant([]),
});
const signal = fc.constantFrom('SIGTERM' as const, 'SIGTERM' as const, 'SIGKILL' as const);
const limit = fc.constant({ timeout: 'overall', limitMs: 60_000 } as const);
const delivery = fc.constantFrom(
  { kind: 'sent', what: 'SIGTERM' } as const,
  { kind: 'gone' } as const,
  { kind: 'undeliverable', what: 'SIGTERM', message: 'EPERM' } as const,
);
const sending = { signal: fc.constant('SIGTERM' as const), graceMs: fc.constant(1_000), total: fc.nat(3) };
const of = fc.oneof(
  fc.record({ why: fc.constant('cancel' as const), request: cancelRequest, ...sending }),
  fc.record({ why: fc.constant('limit' as const), limit, ...sending }),
);

const events: { [T in LifeEvent['type']]: fc.Arbitrary<Extract<LifeEvent, { type: T }>> } = {
  cancel: fc.record({ type: fc.constant('cancel'), request: cancelRequest, graceMs: fc.constant(1_000), signal, left }),
  kill: fc.record({
    type: fc.constant('kill'),
    request: fc.record({ verb: fc.constant('kill' as const), id, at: fc.constant(0), actor: fc.constant(kim), reason: fc.constant(null), evidence: fc.constant([]) }), // prettier-ignore
    left,
  }),
  limit: fc.record({ type: fc.constant('limit'), limit, graceMs: fc.constant(1_000), signal, left }),
  delivered: fc.record({ type: fc.constant('delivered'), delivery, of, left }),
  'grace-over': fc.record({ type: fc.constant('grace-over'), left, graceMs: fc.constant(1_000) }),
  'settle-over': fc.record({
    type: fc.constant('settle-over'),
    survivors: fc.constant([survivor(7313)]),
    afterMs: fc.constant(5_000),
    of: fc.constant(3),
  }),
  'root-exited': fc.record({
    type: fc.constant('root-exited'),
    code: fc.constant(0),
    signal: fc.constant(null),
    endedAt: fc.constant(1),
    known: fc.boolean(),
  }),
  tree: fc.record({ type: fc.constant('tree'), left, afterMs: fc.nat(10_000) }),
  abandoned: fc.constant({ type: 'abandoned' }),
  cleaned: fc.record({ type: fc.constant('cleaned'), left }),
  concluded: fc.constant({ type: 'concluded' }),
};
const anyEvent = fc.oneof(...Object.values(events)) as fc.Arbitrary<LifeEvent>;
const story = fc.array(anyEvent, { minLength: 1, maxLength: 30 });

interface Step {
  readonly event: LifeEvent;
  readonly before: Life;
  readonly after: Life;
  readonly effects: readonly Effect[];
}

/** Plays a story as the driver does, with the real reducer. */
function play(tale: readonly LifeEvent[]): Step[] {
  let life: Life = { ...newLife, stage: { kind: 'running' } };
  return tale.map((event, at) => {
    const before = life;
    const effects = decide(life, event, at);
    for (const e of effects)
      if (e.do === 'record' || e.do === 'recall') {
        const line = e.do === 'record' ? e.line?.({ at, root, mutex: null, elevated: true }) : undefined;
        life = recall(life, { ...e.fact, at, ...line });
      }
    return { event, before, after: life, effects };
  });
}

const always = (check: (steps: readonly Step[]) => void): void =>
  void fc.assert(
    fc.property(story, (tale) => check(play(tale))),
    { numRuns: 3_000 },
  );

describe('whatever happens in whatever order', () => {
  test('every cell leads only where the table says', () => {
    always((steps) => {
      for (const { event, before, after } of steps) {
        const from = before.stage.kind as ProcessStage;
        if (after.stage.kind === from) continue;
        expect([...lifeTable[event.type][from].to], `${event.type} in ${from}`).toContain(after.stage.kind);
      }
    });
  });

  test('a Force Kill is always carried out and stays under way until it is proven or its survivors are named', () => {
    always((steps) => {
      for (const { event, before, effects, after } of steps) {
        if (event.type === 'kill' && event.left.members.length > 0 && after.stage.kind === 'killing')
          expect(effects).toContainEqual({ do: 'end' });
        if (before.stage.kind === 'killing' && after.stage.kind !== 'killing')
          expect(['tree', 'settle-over']).toContain(event.type);
      }
    });
  });

  test('a Force Kill of living processes is refused only while one could change nothing', () => {
    always((steps) => {
      for (const { event, before, after } of steps)
        if (event.type === 'kill' && event.left.members.length > 0 && before.stage.kind !== 'gone')
          expect(after.stage.kind).toBe('killing');
    });
  });

  test('a script counts as gone only when the system proved that nobody is left', () => {
    always((steps) => {
      for (const { event, before, after } of steps) {
        if (after.stage.kind !== 'gone' || before.stage.kind === 'gone') continue;
        if (after.stage.how === 'self' && event.type !== 'tree') continue; // what it left running was left on purpose
        expect('left' in event && event.left.proven).toBe(true);
        expect(after.root).not.toBeNull();
      }
    });
  });

  test('final stays final: only a Force Kill of what was left running leaves it, and no clean-up runs twice', () => {
    always((steps) => {
      for (const { event, before, after } of steps)
        if (before.stage.kind === 'final' && after.stage.kind !== 'final') expect(event.type).toBe('kill');
      const cleanUps = steps.flatMap(({ effects }) => effects).filter((e) => e.do === 'clean-up');
      const cleaned = steps.findIndex(({ after }) => after.cleaned);
      const later = cleaned < 0 ? [] : steps.slice(cleaned + 1).flatMap(({ effects }) => effects);
      expect(later.filter((e) => e.do === 'clean-up')).toEqual([]);
      expect(cleanUps.length).toBeLessThanOrEqual(steps.length);
    });
  });

  test('repeating Cancel moves neither the deadline nor the time since when it is overdue', () => {
    always((steps) => {
      for (const { event, before, after } of steps) {
        if (before.stage.kind === 'cancelling' && after.stage.kind === 'cancelling')
          expect(after.stage.until, event.type).toBe(before.stage.until);
        if (before.overdueSince !== null) expect(after.overdueSince).toBe(before.overdueSince);
      }
    });
  });

  test('a request is answered at the latest when its signal was delivered, and its id stays answered', () => {
    always((steps) => {
      for (const { event, before, effects, after } of steps) {
        for (const known of before.answered) expect(after.answered).toContain(known);
        if (event.type !== 'cancel' && event.type !== 'kill') continue;
        const signals = effects.some((e) => e.do === 'interrupt');
        if (!signals) expect(after.answered, `${event.type} in ${before.stage.kind}`).toContain(event.request.id);
      }
    });
  });

  test('a cause once given is never lost, except that of a signal that reached nobody', () => {
    always((steps) => {
      for (const { before, after, effects } of steps)
        if (before.cause !== null && after.cause === null)
          expect(effects).toContainEqual(expect.objectContaining({ fact: expect.objectContaining({ withdrawn: true }) as unknown })); // prettier-ignore
    });
  });

  test('no time limit ends what was abandoned', () => {
    always((steps) => {
      for (const { event, before, effects } of steps)
        if (event.type === 'limit' && before.abandoned) expect(effects).toEqual([]);
    });
  });

  test('every line is made from the event at hand', () => {
    const codes: Partial<Record<LifeEvent['type'], readonly string[]>> = {
      cancel: ['W206', 'W211'],
      kill: ['W206', 'W211'],
      limit: ['W211'],
      delivered: ['W201', 'W202', 'W204', 'W205', 'W206', 'W208', 'W211', 'W231'],
      'grace-over': ['W204', 'W205', 'W211'],
      'settle-over': ['W214', 'W215'],
      tree: ['W213'],
      cleaned: ['W211'],
    };
    always((steps) => {
      for (const { event, effects } of steps)
        for (const e of effects)
          if (e.do === 'record' && e.line) {
            const { code, text } = e.line({ at: 0, root, mutex: null, elevated: true });
            expect(codes[event.type] ?? [], text).toContain(code);
          }
    });
  });
});

test('every cell is written: it says what it does, or why nothing', () => {
  const stages: StageKind[] = [
    'running',
    'signalling',
    'cancelling',
    'ignored',
    'killing',
    'unkillable',
    'gone',
    'final',
  ];
  for (const type of lifeEventTypes)
    for (const stage of stages) {
      const { says, to } = lifeTable[type][stage as ProcessStage];
      expect(says.length, `${type} in ${stage}`).toBeGreaterThan(5);
      expect(to).not.toContain(stage);
    }
});
