/** Files of a run directory as other versions wrote them, and damaged ones. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { parseOrder } from '../../app/runner/order.ts';
import { ScriptRecord } from '../../app/scripts/record.ts';
import { identity, kim, verdict } from '../support/fake-domain.ts';

function directory(): RunDirectory {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const made = new RunDirectory(join(folder, 'a'));
  made.create();
  return made;
}

const spec = {
  schema: 1, ticket: 'a', runId: 'r', name: 'a', command: ['true'], file: '/bin/true', cwd: '/', isolation: null,
  timeouts: { overallMs: null, noOutputMs: null }, cancel: { signal: 'SIGTERM', graceMs: 1 }, environmentNames: [],
  notify: null, cleanup: null, ancestors: [], actor: kim, createdAt: 1,
}; // prettier-ignore

test('what version 0.1 wrote is read', () => {
  const d = directory();
  writeFileSync(join(d.path, 'spec.json'), JSON.stringify(spec));
  appendFileSync(
    d.eventsPath,
    [
      { type: 'started', pid: 7312, at: 1, by: 'runner' },
      { type: 'first-output', at: 2, by: 'runner' },
      { type: 'intent', verb: 'cancel', actor: kim, at: 3, by: 'runner' },
      { type: 'cancel', requestId: 'r1', actor: kim, signal: 'SIGTERM', until: 9, escalate: false, evidence: [], at: 4, by: 'runner', code: 'W201', text: 'Cancel requested' }, // prettier-ignore
      { type: 'cancel-ignored', left: [identity(7312)], of: 1, at: 9, by: 'runner' },
    ]
      .map((e) => `${JSON.stringify(e)}\n`)
      .join(''),
  );
  const record = ScriptRecord.load(d.path, () => false);
  record?.refresh();
  expect(record?.life).toMatchObject({
    stage: { kind: 'ignored', left: 1, of: 1 },
    cause: { kind: 'cancelled' },
    answered: ['r1'],
  });
});

test('unknown keys of a later version are kept; an event that only it knows leaves its line', () => {
  const d = directory();
  writeFileSync(join(d.path, 'spec.json'), JSON.stringify({ ...spec, later: 1, cancel: { ...spec.cancel, more: 2 } }));
  expect(d.readSpec()).toMatchObject({ later: 1, cancel: { more: 2 } });
  appendFileSync(
    d.eventsPath,
    `${JSON.stringify({ type: 'teleported', at: 1, by: 'runner', code: 'I999', text: 'Elsewhere.' })}\n`,
  );
  expect(d.readEvents(0).events.map(({ event }) => event)).toEqual([
    { type: 'note', at: 1, by: 'runner', code: 'I999', text: 'Elsewhere.' },
  ]);
});

test.each([
  ['a number', '7'],
  ['null', 'null'],
  ['another shape', '{"schema":1,"kind":"abandoned"}'],
  ['an unknown verdict', JSON.stringify({ ...verdict(), kind: 'vanished' })],
])('a verdict.json that holds %s counts as torn, and nothing is thrown', (_, text) => {
  const d = directory();
  writeFileSync(join(d.path, 'verdict.json'), text);
  expect(d.readVerdict()).toBeNull();
});

test('a damaged event is passed over, and so is one whose fields are missing', () => {
  const d = directory();
  appendFileSync(
    d.eventsPath,
    '"text"\nnull\n{"type":"kill","at":1,"by":"runner"}\n{"type":"queued","mutex":"web","at":1,"by":"runner"}\n',
  );
  expect(d.readEvents(0).events.map(({ event }) => event.type)).toEqual(['queued']);
});

test('a request that is not understood stays, for the host to take back', () => {
  const d = directory();
  writeFileSync(join(d.requestsPath, 'r1.json'), '{"verb":"dance","id":"r1"}');
  expect(d.takeRequests()).toEqual([]);
  expect(d.withdraw('r1')).toBe(true);
});

test('a runner refuses an order that it does not understand', () => {
  expect(() => parseOrder('{"runDirectory":1}')).toThrow();
  expect(parseOrder(JSON.stringify({ runDirectory: '/r', mutexRoot: '/m', environment: {}, surroundings: { umask: 18, niceness: 0, stdin: null }, killDisabled: false, later: 1 }))).toMatchObject({ runDirectory: '/r' }); // prettier-ignore
});

test('a started.json that appears between two looks is read whole: the runner is never taken for the script', () => {
  const d = directory();
  writeFileSync(join(d.path, 'spec.json'), JSON.stringify(spec));
  d.writeRunner({ schema: 1, protocol: 1, runner: identity(99), claimedAt: 1 });
  const record = ScriptRecord.load(d.path, () => false);
  const scope = { root: identity(7312), runId: 'r', group: 7312, job: null };
  const real = record?.directory.readStarted.bind(record.directory);
  let first = true;
  Object.assign(record?.directory ?? {}, {
    readStarted: () => {
      if (!first) return real?.() ?? null;
      first = false;
      d.writeStarted({ schema: 1, scope, fence: 3, startedAt: 1, waitedMs: 0 });
      return null; // it was not there yet
    },
  });
  record?.refresh();
  expect(record?.started?.scope.root.pid ?? 7312).toBe(7312);
  record?.refresh();
  expect(record?.started).toMatchObject({ fence: 3, scope: { root: { pid: 7312 } } });
});
