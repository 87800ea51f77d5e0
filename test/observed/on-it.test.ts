/** "I am on it" of an observed script: said of one process, kept in the journal, and over after an hour. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { limits } from '../../app/domain/limits.ts';
import { observedId } from '../../app/domain/observed-id.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { Journal } from '../../app/journal/journal.ts';
import { OnIt } from '../../app/observed/on-it.ts';
import { temporaryFolder } from '../support/fake-home.ts';

const at = Date.UTC(2026, 0, 15, 3, 0);
const root: ProcessIdentity = {
  machine: 'web-01',
  machineId: '0a7dbb6a7a1c4c6ab6f1a0a1d3a8f1c2',
  bootId: '8b1a9953-c461-4b5e-8f0d-6a0f4f0f4f0f',
  pidNamespace: 'pid:[4026531836]',
  pid: 4242,
  startTime: '133773',
  startedAt: at - 60_000,
  name: 'Runner.Worker',
};

/** What the next host reads when this is what the last one has written, oldest first. */
function afterRestart(...said: readonly { readonly process: ProcessIdentity; readonly until: number | null }[]): OnIt {
  const journal = new Journal(join(temporaryFolder(), 'journal.db'), (problem) => expect.fail(problem));
  onTestFinished(() => journal.close());
  const entry = { name: null, mutex: null, who: 'kim', via: 'cli', code: null, text: '', source: null } as const;
  // Of a script of Unjam: the same kind, and other data.
  journal.append({ ...entry, at, ticket: 'deploy', kind: 'taken', data: { evidence: [], process: null } });
  for (const data of said) journal.append({ ...entry, at, ticket: observedId(data.process), kind: 'taken', data });
  journal.append({ ...entry, at, ticket: observedId(root), kind: 'observed-kill', data: {} });
  return new OnIt(journal.list({ kind: 'taken' }));
}

const until = at + limits.takenMs;

test('who is on it is known after a restart of the host, until it runs out', () => {
  const onIt = afterRestart({ process: root, until });
  expect(onIt.of(root, until - 1)).toEqual({ by: 'kim', since: at, until });
  expect(onIt.of(root, until)).toBeNull();
});

test('what was said last counts, and who has given it back is on it no more', () => {
  expect(afterRestart({ process: root, until }, { process: root, until: null }).of(root, at)).toBeNull();
  const onIt = afterRestart({ process: root, until: null }, { process: root, until });
  expect(onIt.of(root, at)).not.toBeNull();
  onIt.say(root, null);
  expect(onIt.of(root, at)).toBeNull();
});

test('it is never said of another process with the same pid, nor with the same id after another boot', () => {
  const onIt = afterRestart({ process: root, until });
  expect(onIt.of({ ...root, startTime: '133774' }, at)).toBeNull();
  expect(onIt.of({ ...root, bootId: '00000000-0000-4000-8000-000000000000' }, at)).toBeNull();
});
