/** The journal keeps everything once, and never stands in the way of an abandon. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Journal, type JournalEntry } from '../../app/journal/journal.ts';
import { at0312 } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';

const entry = (text: string, changes: Partial<JournalEntry> = {}): JournalEntry => ({
  at: at0312,
  ticket: 'web-eu-4',
  name: 'Deploy web-eu / step 4',
  mutex: 'RunningScript',
  who: 'CONTOSO\\kim',
  via: 'window',
  kind: 'cancel',
  code: 'W201',
  text,
  source: null,
  data: { evidence: ['No output for 47 min.'] },
  ...changes,
});

function open(path = join(temporaryFolder(), 'journal.db')) {
  const problems: string[] = [];
  const journal = new Journal(path, (p) => problems.push(p));
  onTestFinished(() => journal.close());
  return { path, problems, journal, texts: () => journal.list({}).map((e) => e.text) };
}

describe('the journal', () => {
  test('lists what was written, newest first, with its evidence', () => {
    const { journal, texts } = open();
    for (const text of ['first', 'second', 'third']) journal.append(entry(text));
    expect(texts()).toEqual(['third', 'second', 'first']);
    expect(journal.list({})[2]).toEqual({ ...entry('first'), id: 1 });
  });

  test('lists newest first by the order of writing, whatever the clock did', () => {
    const { journal, texts } = open();
    journal.append(entry('first', { at: at0312 }));
    journal.append(entry('second', { at: at0312 - 3_600_000 }));
    expect(texts()).toEqual(['second', 'first']);
  });

  test('filters by time, by ticket in any case, and by number', () => {
    const { journal } = open();
    journal.append(entry('old', { at: Date.now() - 7_200_000 }));
    journal.append(entry('mine', { at: Date.now() }));
    journal.append(entry('other', { at: Date.now(), ticket: 'x' }));
    const texts = (filter: Parameters<Journal['list']>[0]) => journal.list(filter).map((e) => e.text);
    expect(texts({ sinceMs: 3_600_000 })).toEqual(['other', 'mine']);
    expect(texts({ ticket: 'WEB-EU-4' })).toEqual(['mine', 'old']);
    expect(texts({ limit: 1 })).toEqual(['other']);
  });

  test('keeps text as it was, also what SQL or JSON would trip over', () => {
    const { journal } = open();
    const odd = `'; DROP TABLE entry; -- " \\ \n\t é 🚀 ${'x'.repeat(100_000)}`;
    journal.append(entry(odd, { who: odd, data: [odd, null, { [odd]: 1 }] }));
    expect(journal.list({})[0]).toMatchObject({ text: odd, who: odd, data: [odd, null, { [odd]: 1 }] });
  });

  test('writes the same source once, also after a restart', () => {
    const { journal, path } = open();
    journal.append(entry('first', { source: 'run-1:0' }));
    journal.append(entry('again', { source: 'run-1:0' }));
    journal.append(entry('no source'));
    journal.append(entry('no source'));
    journal.close();
    const later = open(path);
    later.journal.append(entry('once more', { source: 'run-1:0' }));
    later.journal.append(entry('next', { source: 'run-1:88' }));
    expect(later.texts()).toEqual(['next', 'no source', 'no source', 'first']);
  });

  test('remembers the last 20 run times of a script, each once, newest first', () => {
    const { journal } = open();
    for (let i = 0; i < 25; i += 1) journal.recordSuccess('Deploy', at0312 + i, 1_000 + i);
    journal.recordSuccess('Deploy', at0312 + 24, 1_024);
    journal.recordSuccess('Other', at0312, 5);
    expect(journal.successes('Deploy')).toEqual(Array.from({ length: 20 }, (_, i) => 1_024 - i));
    expect(journal.successes('Unknown')).toEqual([]);
  });

  test('is only for its owner to read', { skip: process.platform === 'win32' }, () => {
    expect(statSync(open().path).mode & 0o777).toBe(0o600);
  });
});

describe('a journal that another process has locked', () => {
  test('keeps what it could not write, says so once, and writes it in order when it can', () => {
    const { journal, path, problems, texts } = open();
    journal.append(entry('before'));
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    journal.append(entry('first'));
    journal.append(entry('second'));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('tried again');
    expect(texts()).toEqual(['before']);
    other.exec('COMMIT');
    other.close();
    journal.flush();
    expect(texts()).toEqual(['second', 'first', 'before']);
    journal.append(entry('third'));
    expect(texts()[0]).toBe('third');
  });

  test('writes what is left when it is closed', () => {
    const { journal, path } = open();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    journal.append(entry('kept'));
    other.exec('COMMIT');
    other.close();
    journal.close();
    expect(open(path).texts()).toEqual(['kept']);
  });
});

describe('a journal whose transaction fails at its end', () => {
  test('keeps everything that was in it, in order, and writes it when it can', () => {
    const { journal, path, problems, texts } = open();
    journal.append(entry('before'));
    const other = new DatabaseSync(path);
    // A constraint that is looked at only at COMMIT.
    other.exec(`CREATE TABLE parent (id INTEGER PRIMARY KEY);
      CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER fails AFTER INSERT ON entry BEGIN INSERT INTO child VALUES (7); END`);
    journal.together(() => {
      journal.append(entry('first', { source: 'run:1' }));
      journal.append(entry('second', { kind: 'abandoned' }));
    });
    expect(problems[0]).toContain('tried again');
    expect(texts()).toEqual(['before']);
    other.exec('DROP TRIGGER fails');
    other.close();
    journal.flush();
    expect(texts()).toEqual(['second', 'first', 'before']);
    journal.append(entry('third'));
    expect(texts()[0]).toBe('third');
  });
});

describe('a journal of another version', () => {
  test('that is newer is said, shown as far as both know it, and written on', () => {
    const first = open();
    first.journal.append(entry('old'));
    first.journal.close();
    const newer = new DatabaseSync(first.path);
    newer.exec(`ALTER TABLE entry ADD COLUMN severity TEXT NOT NULL DEFAULT 'none'; PRAGMA user_version = 7`);
    newer.exec(
      `INSERT INTO entry (at, who, via, kind, text, data) VALUES (${at0312}, 'kim', 'pager', 'paged', 'new', '{')`,
    );
    newer.close();
    const { journal, problems } = open(first.path);
    expect(problems).toEqual([expect.stringContaining('schema 7; this one knows 1')]);
    journal.append(entry('written on'));
    expect(journal.list({}).map(({ text, kind, data }) => [text, kind, data])).toEqual([
      ['written on', 'cancel', { evidence: ['No output for 47 min.'] }],
      ['new', 'paged', null],
      ['old', 'cancel', { evidence: ['No output for 47 min.'] }],
    ]);
    expect(Object.keys(journal.list({})[0] ?? {})).not.toContain('severity');
  });

  test('with rows that are no entries leaves those out and says so once', () => {
    const { journal, path, problems, texts } = open();
    journal.append(entry('whole'));
    const other = new DatabaseSync(path);
    other.exec(
      `INSERT INTO entry (at, who, via, kind, text, data) VALUES ('yesterday', 'kim', 'cli', 'cancel', x'ff', '{}')`,
    );
    other.close();
    expect([texts(), texts()]).toEqual([['whole'], ['whole']]);
    expect(problems).toEqual(['Some entries of the journal cannot be read; they are left out.']);
  });
});

describe('a damaged journal', () => {
  test.each([
    [
      'is no database',
      (path: string) => writeFileSync(path, 'this is not a database, not even a little one'.repeat(100)),
    ],
    ['lost its pages', (path: string) => truncateSync(path, 5_000)],
  ])('that %s is kept aside under a name that is told, and a new one is begun', (_what, damage) => {
    const first = open();
    for (let i = 0; i < 200; i += 1) first.journal.append(entry(`old ${i} ${'x'.repeat(200)}`));
    first.journal.close();
    damage(first.path);
    const { journal, problems, texts } = open(first.path);
    journal.append(entry('new'));
    journal.flush();
    expect(texts()[0]).toBe('new');
    expect(problems[0]).toContain('The journal was damaged');
    const aside = readdirSync(join(first.path, '..')).filter((f) => f.includes('.damaged-'));
    expect(aside.length).toBeGreaterThan(0);
    expect(problems[0]).toContain(aside[0]);
  });

  test.skipIf(process.getuid?.() !== 0)('or one that alone may not be written is kept aside as well', () => {
    const first = open();
    first.journal.append(entry('old'));
    first.journal.close();
    chmodSync(first.path, 0o444);
    // Root writes whatever the rights say: somebody else looks.
    const nobody = 65_534;
    for (const path of [dirname(first.path), first.path]) chownSync(path, nobody, nobody);
    const program = `
      const { Journal } = await import(${JSON.stringify(new URL('../../app/journal/journal.ts', import.meta.url).href)});
      const problems = [];
      const journal = new Journal(${JSON.stringify(first.path)}, (p) => problems.push(p));
      journal.append(${JSON.stringify(entry('new'))});
      const texts = journal.list({}).map((e) => e.text);
      journal.close();
      console.log(JSON.stringify({ problems, texts }));`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      uid: nobody,
      gid: nobody,
      encoding: 'utf8',
      cwd: dirname(first.path),
    });
    const { problems, texts } = JSON.parse(ran.stdout || ran.stderr) as { problems: string[]; texts: string[] };
    expect(texts).toEqual(['new']);
    expect(problems[0]).toMatch(
      /The journal could not be written \(.*\)\. It was kept as .*\.damaged-\d+, and a new one/,
    );
    expect(readdirSync(dirname(first.path)).filter((f) => /\.damaged-\d+$/.test(f))).toHaveLength(1);
  });

  test('or one that could not be opened at first is written as soon as it can be', () => {
    const path = join(temporaryFolder(), 'journal.db');
    mkdirSync(path);
    const { journal, texts } = open(path);
    journal.append(entry('kept'));
    rmdirSync(path);
    journal.flush();
    expect(texts()).toEqual(['kept']);
  });

  test('or one that cannot be opened does not stop anybody', () => {
    const path = join(temporaryFolder(), 'journal.db');
    mkdirSync(path);
    const { journal, problems } = open(path);
    journal.append(entry('kept'));
    journal.recordSuccess('Deploy', at0312, 1);
    expect(journal.list({})).toEqual([]);
    expect(journal.successes('Deploy')).toEqual([]);
    expect(problems[0]).toContain('continues without it');
  });
});
