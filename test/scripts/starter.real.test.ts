/** Whether a script was started is decided by one file: a host never says "not started" of a script that runs. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { methods } from '../../app/contract/methods.ts';
import { Journal } from '../../app/journal/journal.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { Supervisor } from '../../app/scripts/supervisor.ts';
import { untilNobodyRuns } from '../support/fake-home.ts';

const kim = { user: 'kim', via: 'api' } as const;
const runner = join(import.meta.dirname, '../../dist/runner.cjs');

/** A supervisor whose runners are started by `script`, a shell script that knows the order as $ORDER. */
async function supervised(script: string): Promise<{ supervisor: Supervisor; home: string }> {
  const home = mkdtempSync(join(tmpdir(), 'unjam-starter-'));
  const control = await openProcessControl();
  const journal = new Journal(join(home, 'journal.sqlite'), () => undefined);
  const file = join(home, 'slow-runner');
  writeFileSync(
    file,
    `#!/bin/bash\nread -r ORDER || exit 0\n${script.replaceAll('RUNNER', `${process.execPath} ${runner}`)}\n`,
  );
  chmodSync(file, 0o755);
  const supervisor = new Supervisor({
    stateDirectory: home,
    control,
    mutexes: new Mutexes(join(home, 'mutexes'), control),
    journal,
    runner: { file, args: [] },
    killDisabled: false,
    log: () => undefined,
  });
  await supervisor.open();
  onTestFinished(async () => {
    supervisor.close();
    journal.close();
    await untilNobodyRuns(home);
    const runner = new RunDirectory(join(home, 'runs', 't')).readRunner()?.runner; // ends after its last word
    if (runner) await expect.poll(() => control.liveness(runner), { timeout: 50_000 }).not.toBe('alive');
    control.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }, 60_000);
  return { supervisor, home };
}

const input = (home: string) =>
  methods['scripts.start'].input.parse({ ticket: 't', command: ['bash', '-c', `echo ran > ${home}/ran`], cwd: home });

test.skipIf(process.platform === 'win32')(
  'a runner that comes after the host has given it up does not run the script',
  async () => {
    // Says nothing and hands the order on to a runner that begins only when the host has concluded.
    const { supervisor, home } = await supervised(
      '( until [ -e runs/t/verdict.json ]; do sleep 0.02; done; echo "$ORDER" | RUNNER; echo over > late ) >/dev/null 2>&1 &'
        .replaceAll('runs/', '$(dirname $0)/runs/')
        .replace('> late', '> $(dirname $0)/late'),
    );
    await expect(supervisor.start(input(home), kim)).rejects.toThrow(/did not take the script over/);
    await expect.poll(() => existsSync(join(home, 'late')), { timeout: 50_000 }).toBe(true);
    expect(existsSync(join(home, 'ran'))).toBe(false);
    expect(supervisor.get('t').verdict).toBe('failed-to-start');
  },
);

test.skipIf(process.platform === 'win32')(
  'a runner that has claimed the script without a word has it: the start is acknowledged',
  async () => {
    const { supervisor, home } = await supervised(
      'echo "$ORDER" | RUNNER >/dev/null 2>&1 & until [ -e $(dirname $0)/runs/t/runner.json ]; do sleep 0.02; done',
    );
    await supervisor.start(input(home), kim);
    await expect.poll(() => supervisor.get('t').verdict, { timeout: 50_000 }).toBe('exited');
    expect(existsSync(join(home, 'ran'))).toBe(true);
  },
);
