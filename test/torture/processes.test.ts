/** Scripts of all kinds survive the random deaths of host and runners; a short run of processes-long.ts. */
import { expect, test } from 'vitest';
import { chaos } from './processes-chaos.ts';
import { judge } from './processes-oracle.ts';

test.runIf(process.platform === 'linux')(
  'no script, exit code or completion is lost, nothing foreign is signalled, nothing is left over',
  async () => {
    const report = await chaos({ kills: 16, parallel: 10, killEveryMs: 300 });
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({
      lostScripts: [],
      wrongExitCodes: [],
      ranTwice: [],
      missingCompletions: [],
      duplicateCompletions: [],
      busyMutexes: 0,
      foreignSignals: [],
      leaks: { processes: 0, descriptors: 0, temporaryFiles: [], mounts: 0, cgroups: 0 },
    });
    expect(report.scripts).toBeGreaterThan(10);
  },
);

test('the oracle finds a lost script, a wrong code, a second run, and missing or doubled completions', () => {
  const truth = { started: new Map([['a', 1]]), runnerKilled: new Set<string>(), asked: new Map<string, string[]>() };
  const view = { ticket: 'a', state: 'final', verdict: 'exited', exitCode: 1, signal: null } as never;
  const witness = { code: () => '1', ran: () => 1, completions: 'a id:exited\na id:exited\n' };
  const clean = judge(truth, [view], witness);
  expect(clean).toMatchObject({
    lostScripts: [],
    wrongExitCodes: [],
    ranTwice: [],
    missingCompletions: [],
    duplicateCompletions: [],
    repeatedIds: 1,
  });
  expect(judge(truth, [], witness).lostScripts).toHaveLength(1);
  expect(judge(truth, [view], { ...witness, code: () => '2' }).wrongExitCodes).toHaveLength(1);
  expect(judge(truth, [view], { ...witness, ran: () => 2 }).ranTwice).toHaveLength(1);
  expect(judge(truth, [view], { ...witness, completions: '' }).missingCompletions).toHaveLength(1);
  expect(
    judge(truth, [view], { ...witness, completions: 'a id:exited\na id:lost\n' }).duplicateCompletions,
  ).toHaveLength(2);
});
