/** What the host makes of the files of its scripts: each event is told once, each end once, to all who wait for it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../app/domain/script.ts';
import { Journal } from '../../app/journal/journal.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { Completions } from '../../app/scripts/completions.ts';
import { ScriptRecord } from '../../app/scripts/record.ts';
import { Register } from '../../app/scripts/register.ts';
import { kim, specOf, verdict } from '../support/fake-domain.ts';
import { temporaryFolder } from '../support/fake-home.ts';

const line = { code: 'I103', text: 'Mutex "db" acquired.' } as const;

/** A register, and what it said, journaled and told. */
function world() {
  const home = temporaryFolder();
  mkdirSync(join(home, 'runs'));
  const said: string[] = [];
  const told: string[] = [];
  const log = (text: string): void => void said.push(text);
  const journal = new Journal(join(home, 'journal.sqlite'), log);
  onTestFinished(() => journal.close());
  const open = (): Register =>
    new Register(
      journal,
      log,
      new Completions(log, String, async (_notify, _cwd, { completionId }) => {
        told.push(completionId);
        return null;
      }),
    );
  const register = open();
  onTestFinished(() => register.close());
  /** A script that has been accepted, and nothing more. */
  const script = async (ticket: string, into = register): Promise<ScriptRecord> => {
    const path = join(home, 'runs', ticket.toLowerCase());
    const directory = new RunDirectory(path);
    directory.create();
    const spec = specOf(ticket, { name: 'Deploy', cwd: home, notify: ['tell'] });
    await directory.writeSpec(spec);
    const record = new ScriptRecord(path, spec);
    into.add(record);
    return record;
  };
  const finish = (record: ScriptRecord, changes: Partial<Outcome> & { durationMs?: number } = {}): void => {
    const written = verdict(changes);
    record.directory.append('runner', { type: 'final', verdict: written });
    record.directory.writeVerdict(written);
  };
  const texts = (): string[] => journal.list({}).map((entry) => entry.text);
  return { register, open, script, finish, journal, said, told, texts };
}

test('an event is journaled and said once, however often its script is looked at', async () => {
  const { register, script, said, texts } = world();
  const record = await script('a');
  record.directory.append('runner', { type: 'note' }, line);
  for (let i = 0; i < 3; i += 1) register.refresh(record);
  expect(texts()).toEqual([line.text]);
  expect(said).toEqual([`I103 Deploy [a]: ${line.text}`]);
});

test('what the host before has told is journaled, and not said again', async () => {
  const { register, script, said, texts } = world();
  const record = await script('a');
  record.directory.append('runner', { type: 'note' }, line);
  register.refresh(record, true);
  expect([texts(), said]).toEqual([[line.text], []]);
});

test('an end reaches all who wait for it, and its notify command once', async () => {
  const { register, script, finish, told } = world();
  const record = await script('a');
  const waiters = [register.untilFinal(record, 60_000), register.untilFinal(record, 60_000)];
  finish(record);
  for (let i = 0; i < 3; i += 1) register.refresh(record);
  await Promise.all(waiters);
  await register.untilFinal(record, 60_000);
  await expect.poll(() => record.directory.readDelivered()).toMatchObject({ completionId: 'run-a:exited' });
  register.refresh(record);
  expect(told).toEqual(['run-a:exited']);
});

test('who waits for an end that does not come is let go when the time is up', async () => {
  const { register, script } = world();
  const record = await script('a');
  await register.untilFinal(record, 1);
  expect(record.isFinal).toBe(false);
});

test('an end that the host before did not tell is told by the next one; a told one is not', async () => {
  const { open, script, finish, told } = world();
  const [first, second] = [open(), open()];
  const record = await script('a', first);
  finish(record);
  first.refresh(record, true);
  await expect.poll(() => record.directory.readDelivered()).not.toBeNull();
  const again = ScriptRecord.load(record.directory.path, () => false)!;
  second.add(again);
  second.refresh(again, true);
  expect(told).toEqual(['run-a:exited']);
});

test('the usual run time is that of successes alone, and the next one counts at once', async () => {
  const { register, script, finish } = world();
  expect(register.usual('Deploy')).toBeNull();
  for (const [ticket, changes] of [
    ['a', { durationMs: 1_000 }],
    ['b', { durationMs: 3_000 }],
    ['c', { durationMs: 9_000_000, exitCode: 1 }],
    ['d', { durationMs: 9_000_000, kind: 'cancelled', actor: kim }],
  ] as const) {
    const record = await script(ticket);
    finish(record, changes);
    register.refresh(record);
  }
  expect(register.usual('Deploy')).toEqual({ medianMs: 3_000, maxMs: 3_000, lowMs: 1_000, highMs: 3_000, runs: 2 });
  const record = await script('e');
  finish(record, { durationMs: 5_000 });
  register.refresh(record);
  expect(register.usual('Deploy')).toEqual({ medianMs: 3_000, maxMs: 5_000, lowMs: 1_000, highMs: 5_000, runs: 3 });
});

test('a ticket is found in any spelling; one that is not there is an error with the next step', async () => {
  const { register, script } = world();
  const record = await script('Web-EU-4');
  expect(register.find('web-eu-4')).toBe(record);
  register.forget(record);
  expect(() => register.find('Web-EU-4')).toThrow('There is no script with the ticket "Web-EU-4"');
});

test('a listener that ends itself, or another, keeps no one from hearing of a change', () => {
  const { register } = world();
  const heard: string[] = [];
  const stops = ['a', 'b', 'c'].map((name) =>
    register.onChange(() => {
      heard.push(name);
      if (name === 'a') for (const stop of stops) stop();
    }),
  );
  register.changed();
  register.changed();
  expect(heard).toEqual(['a', 'b', 'c']);
  expect(register.isObserved).toBe(false);
});

test('a line that the disk refuses is said in the host’s log instead', async () => {
  const { register, script, said } = world();
  const record = await script('a');
  record.directory.append = () => {
    throw new Error('ENOSPC: no space left on device');
  };
  register.append(record, { type: 'note' }, line);
  expect(said).toEqual([`W397 A line could not be written into the log of a: ENOSPC: no space left on device. ${line.text}`]); // prettier-ignore
});
