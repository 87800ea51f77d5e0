/** What the history and the time line make of the journal: pure, and on screen. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { jsonText } from '../../app/cli/output.ts';
import { csv, historyColumns } from '../../app/domain/csv.ts';
import type { HistoryEntry, MutexView } from '../../app/contract/methods.ts';
import { toCsv, toJson } from '../../renderer/history/export.ts';
import { breachOf } from '../../renderer/history/isolation.ts';
import { lanesOf } from '../../renderer/mutexes/timeline.ts';
import { consoleSpecs, detailOf } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';

const open = consoleSpecs();
const base = Date.parse('2026-11-20T02:00:00.000Z');
const at = (minutes: number): string => new Date(base + minutes * 60_000).toISOString();

let nextId = 1;
function entry(minutes: number, kind: string, ticket: string, more: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    id: nextId++,
    at: at(minutes),
    ticket,
    name: `Script ${ticket}`,
    mutex: 'M',
    who: 'kim',
    via: 'window',
    kind,
    code: null,
    text: '',
    data: null,
    ...more,
  };
}

const night = [
  entry(0, 'started', 'a'),
  entry(1, 'waiting', 'b'),
  entry(2, 'waiting', 'c'),
  entry(50, 'abandoned', 'a'),
  entry(50, 'final', 'a'),
  entry(50, 'started', 'b'),
  entry(55, 'final', 'b'),
  entry(55, 'started', 'other', { mutex: 'Another' }),
  entry(56, 'started', 'c'),
  entry(60, 'orphan-ended', 'a'),
  entry(61, 'final', 'c'),
  entry(62, 'started', 'd'),
];

describe('isolation', () => {
  it('was broken from the abandon to the orphan’s end, for everybody who got the mutex in between', () => {
    expect(breachOf(night[3]!, [...night].reverse())).toEqual({
      mutex: 'M',
      from: at(50),
      to: at(60),
      beside: ['Script b', 'Script c'],
    });
  });

  it('is still broken while no end is recorded, and never by anything but an abandon', () => {
    expect(breachOf(night[3]!, night.slice(0, 7))?.to).toBeNull();
    expect(breachOf(night[0]!, night)).toBeNull();
    expect(breachOf(entry(1, 'abandoned', 'x', { mutex: null }), night)).toBeNull();
  });
});

describe('the time line', () => {
  const free: MutexView = {
    name: 'M',
    paused: false,
    pausedBy: null,
    tainted: false,
    holders: [],
    waiters: [],
    orphans: [],
  };
  const span = (kind: string, from: number, to: number | null) => ({
    kind,
    from: base + from * 60_000,
    to: to === null ? null : base + to * 60_000,
  });

  it('has a lane per script with what it did, in the order in which they came', () => {
    expect(lanesOf(free, [...night].reverse(), base).map((lane) => [lane.ticket, lane.spans])).toEqual([
      ['a', [span('holds', 0, 50), span('orphan', 50, 60)]],
      ['b', [span('waits', 1, 50), span('holds', 50, 55)]],
      ['c', [span('waits', 2, 56), span('holds', 56, 61)]],
    ]);
  });

  it('takes what is now from the snapshot, and invents no end', () => {
    const now: MutexView = {
      ...free,
      holders: [
        { ticket: 'd', name: 'Script d', pid: 4, level: 'full', since: at(62), fence: 9, stuck: false },
        { ticket: 'e', name: 'Script e', pid: 5, level: 'none', since: at(63), fence: 10, stuck: false },
      ],
      waiters: [{ ticket: 'f', name: 'Script f', level: 'full', since: at(64), position: 1, why: '' }],
    };
    expect(
      lanesOf(now, night, base + 61.5 * 60_000).map((lane) => [lane.ticket, lane.level, lane.spans.at(-1)]),
    ).toEqual([
      ['d', 'full', span('holds', 62, null)],
      ['e', 'none', span('holds', 63, null)],
      ['f', 'full', span('waits', 64, null)],
    ]);
  });

  it('is a table with T, and the same facts', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('m');
    await scene.page.getByText('Timeline, last 60 min').waitFor();
    expect(await scene.page.locator('.picture rect').count()).toBeGreaterThan(3);
    await scene.page.keyboard.press('Control+2');
    await scene.page.keyboard.press('t');
    const cells = await scene.page.locator('main table tbody tr').first().locator('td').allTextContents();
    expect(cells.slice(0, 2)).toEqual(['Deploy web-eu / step 4', 'holding']);
    expect(cells[3]).toBe('now');
  });
});

describe('an export', () => {
  const hostile = [entry(1, 'note', 't', { name: '=cmd|calc', text: 'two\nlines, "quoted"', who: '@kim', code: 'W1' })];

  it('is the same CSV as on the command line, and no spreadsheet takes it for formulas', () => {
    expect(toCsv(hostile)).toBe(csv(historyColumns, hostile));
    expect(toCsv(hostile)).toContain(`'=cmd|calc`);
    expect(toCsv(hostile)).toContain(`'@kim`);
  });

  it('is the same JSON as on the command line', () => {
    expect(toJson(hostile)).toBe(jsonText<'history'>({ entries: hostile }, 2));
    expect(JSON.parse(toJson(hostile))).toEqual({ schema: 1, entries: hostile });
  });

  it('is downloaded as what is shown', async () => {
    await using scene = await open(stuckWorld());
    await scene.page.keyboard.press('Control+3');
    await scene.page.getByLabel('Who', { exact: true }).selectOption('CONTOSO\\kim');
    await scene.page.getByLabel('What happened').selectOption('Force Kill');
    const [file] = await Promise.all([
      scene.page.waitForEvent('download'),
      scene.page.getByRole('button', { name: 'Export CSV' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^unjam-history-\d{4}-\d\d-\d\d\.csv$/);
    const text = await readFile(await file.path(), 'utf8');
    expect(text.split('\r\n')).toHaveLength(2);
    expect(text).toContain('Force Kill: 2 of 3 processes ended');
  });
});

it('the history says from when on isolation was broken', async () => {
  await using scene = await open(stuckWorld());
  await detailOf(scene.page, 'Deploy web-eu');
  await scene.page.keyboard.press('Control+3');
  await scene.page.getByRole('row', { name: /Abandon/i }).click();
  await scene.page.getByText(/Mutex "Backup" was not isolated from \d\d:\d\d:\d\d on; no end is recorded\./).waitFor();
});
