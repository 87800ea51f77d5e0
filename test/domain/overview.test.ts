/** The verdict sentence over all scripts, the window title and the tray tooltip. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overview, type OverviewScript } from '../../app/domain/overview.ts';
import { at0312, minute } from '../support/fake-domain.ts';
import { bannedWords } from '../support/fake-words.ts';

const script = (changes: Partial<OverviewScript> = {}): OverviewScript => ({
  ticket: 't1',
  name: 'Deploy web-eu / step 4',
  pid: 7312,
  mutex: 'RunningScript',
  state: 'running',
  key: 'running',
  next: 'none',
  severity: 'info',
  stuck: false,
  orphan: false,
  blocks: 0,
  attempted: 0,
  startedAt: at0312 - 52 * minute,
  queuedAt: null,
  ...changes,
});
const stuck = script({
  ticket: 'stuck',
  key: 'stuck-silent',
  next: 'cancel',
  severity: 'critical',
  stuck: true,
  blocks: 3,
});
const waiting = (i: number): OverviewScript =>
  script({ ticket: `w${i}`, state: 'queued', key: 'waiting', pid: null, queuedAt: at0312 - i * minute });
const orphan = script({
  ticket: 'orphan',
  state: 'final',
  key: 'abandoned',
  severity: 'orphan',
  orphan: true,
  pid: 5120,
});
const see = (scripts: OverviewScript[], paused: string[] = []) => overview(scripts, paused, at0312);

describe('the overview', () => {
  test('names what is stuck, what it blocks, since when, what was tried and the next step', () => {
    expect(see([script({ ticket: 'x' }), stuck, waiting(12), waiting(46), waiting(31)])).toMatchObject({
      sentence: '1 stuck script blocks 3 scripts on "RunningScript"',
      detail:
        'Oldest wait 46 min. Nothing has been tried yet. Next step for "Deploy web-eu / step 4" (PID 7312): Cancel.',
      title: '1 stuck, blocks 3 - Unjam',
      tooltip: 'Unjam: 1 STUCK, blocks 3 on "RunningScript" for 46 min. Double-click to open',
      severity: 'critical',
      tray: 'stuck',
      ticket: 'stuck',
      next: 'cancel',
    });
  });

  test('of several stuck scripts points at the one that blocks most', () => {
    const worse = { ...stuck, ticket: 'worse', blocks: 7, mutex: 'Other', attempted: 2, next: 'abandon' as const };
    expect(see([stuck, worse])).toMatchObject({
      sentence: '2 stuck scripts block 10 scripts on 2 mutexes',
      detail: expect.stringContaining('2 steps tried.') as string,
      ticket: 'worse',
      next: 'abandon',
    });
  });

  test('what its agent has left behind comes first, and needs no mutex to be said', () => {
    const left = script({
      ticket: 'o-1-1',
      key: 'left-behind',
      next: 'kill',
      stuck: true,
      mutex: null,
      name: 'shop #5',
    });
    expect(see([left])).toMatchObject({
      sentence: '1 stuck script; nothing waits behind it',
      detail: 'Nothing has been tried yet. Next step for "shop #5" (PID 7312): Force Kill.',
      title: '1 stuck - Unjam',
      tooltip: 'Unjam: 1 STUCK. Double-click to open',
      tray: 'stuck',
      ticket: 'o-1-1',
    });
    expect(see([stuck, left])).toMatchObject({
      sentence: '2 stuck scripts block 3 scripts on "RunningScript"',
      ticket: 'o-1-1',
      next: 'kill',
    });
  });

  test('a script that needs attention but blocks nobody comes next', () => {
    const unkillable = script({ key: 'unkillable', state: 'unkillable', next: 'abandon', severity: 'critical' });
    expect(see([orphan, unkillable])).toMatchObject({
      sentence: 'Unkillable: "Deploy web-eu / step 4" (PID 7312). Nobody is waiting for it.',
      severity: 'warning',
      tray: 'running',
    });
  });

  test.each([
    [1, '1 script is waiting behind it.'],
    [2, '2 scripts are waiting behind it.'],
  ])('a script whose runner died and that blocks %i says so in good English', (blocks, text) => {
    expect(see([script({ key: 'orphaned', state: 'orphaned', next: 'cancel', blocks })]).sentence).toContain(text);
  });

  test('an end under way is told before a pause, a pause before an orphan, an orphan before a queue', () => {
    const cancelling = script({ key: 'cancelling', state: 'cancelling' });
    expect(see([cancelling, orphan, waiting(1)], ['m']).sentence).toMatch(/^Cancelling "Deploy web-eu/);
    expect(see([orphan, waiting(1)], ['RunningScript']).sentence).toBe(
      'Mutex "RunningScript" is paused. 1 script is waiting.',
    );
    expect(see([orphan, waiting(1)]).sentence).toBe('1 abandoned script is still running (PID 5120).');
    expect(see([orphan]).sentence).toContain('Nothing is blocked.');
    expect(see([script(), waiting(1), waiting(2)])).toMatchObject({
      sentence: '2 scripts are waiting; nothing is stuck.',
      detail: 'Longest wait 2 min. 1 running.',
      tray: 'waiting',
    });
  });

  test('with nothing wrong it says so', () => {
    expect(see([script()])).toMatchObject({ sentence: 'Nothing is blocked. 1 script is running.', tray: 'running' });
    expect(see([script(), script()])).toMatchObject({ sentence: 'Nothing is blocked. 2 scripts are running.' });
    expect(see([])).toMatchObject({ sentence: 'Nothing is running.', tray: 'idle', ticket: null });
    expect(see([script({ state: 'final', key: 'finished' })])).toMatchObject({ sentence: 'Nothing is running.' });
  });

  test('whatever runs: the tooltip fits 127 characters, and nothing reads like a hole or a guess', () => {
    const any = fc.array(
      fc.oneof(
        fc.constantFrom(orphan, waiting(1), waiting(900), script()),
        fc
          .record({
            blocks: fc.integer({ min: 0, max: 9_999 }),
            key: fc.constantFrom('unkillable', 'cancel-ignored', 'orphaned', 'cancelling', 'killing', 'silent'),
            stuck: fc.boolean(),
            mutex: fc.constantFrom('RunningScript', 'x'.repeat(128)),
            name: fc.constantFrom('Deploy', 'n'.repeat(200)),
            pid: fc.option(fc.integer({ min: 2, max: 4_194_304 })),
            attempted: fc.integer({ min: 0, max: 3 }),
          })
          .map((c) => script({ ...c, next: 'cancel' })),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(any, fc.array(fc.constantFrom('a', 'y'.repeat(128)), { maxLength: 2 }), (scripts, paused) => {
        const o = see(scripts, paused);
        expect(o.tooltip.length).toBeLessThanOrEqual(127);
        for (const text of [o.sentence, o.detail, o.title, o.tooltip]) {
          expect(text).not.toMatch(/\b(null|undefined|NaN)\b/);
          expect(text.toLowerCase()).not.toMatch(bannedWords);
          expect(text).not.toMatch(/\b1 (scripts|mutexes|steps)\b|\b([2-9]|\d\d+) (script|step)\b(?! \/)/);
        }
        expect(o.tray === 'stuck').toBe(scripts.some((s) => s.stuck));
      }),
    );
  });
});
