/** Which runner gets an order: the warm one, a new one, and never two. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RunnerPool } from '../../app/scripts/runner-pool.ts';
import type { RunnerOrder } from '../../app/runner/order.ts';
import { temporaryFolder, untilNobodyRuns } from '../support/fake-home.ts';
import { untilFile } from '../support/wreck.ts';

const onPosix = process.platform !== 'win32';

/**
 * A pool of stand-ins for a runner: each says with a file that it lives, reads its order, does `script`, and says with
 * another that it has ended.
 */
function pool(script: string) {
  const folder = temporaryFolder();
  const file = join(folder, 'runner');
  writeFileSync(
    file,
    `#!/bin/bash
cd ${folder}; trap 'touch ended.$$' EXIT; trap 'exit 0' TERM; env >env.$$; touch lives.$$
read -r ORDER || exit 0; echo "$ORDER" >order.$$; ${script}`,
  );
  chmodSync(file, 0o755);
  const made = new RunnerPool({ file, args: [] });
  onTestFinished(async () => {
    made.close();
    await untilNobodyRuns(folder);
  }, 60_000);
  const pids = (what: string): number[] =>
    readdirSync(folder).filter((name) => name.startsWith(`${what}.`)).map((name) => Number(name.split('.')[1])); // prettier-ignore
  const warm = async (): Promise<number> => {
    made.prepare();
    await expect.poll(() => pids('lives'), { timeout: 20_000 }).toHaveLength(1);
    return pids('lives')[0]!;
  };
  const runDirectory = join(folder, 'run');
  mkdirSync(runDirectory);
  const order: RunnerOrder = {
    runDirectory,
    mutexRoot: join(folder, 'mutexes'),
    environment: {},
    surroundings: { umask: 0o22, niceness: 0, limits: null, stdin: null },
    killDisabled: false,
  };
  return { pool: made, folder, pids, warm, order };
}

test.runIf(onPosix)('the warm runner gets the order, and another one is made warm after it', async () => {
  const { pool: p, pids, warm, order } = pool('echo claimed');
  const first = await warm();
  p.prepare(); // one is enough
  await p.take().start(order);
  expect(pids('order')).toEqual([first]);
  await expect.poll(() => pids('lives'), { timeout: 20_000 }).toHaveLength(2);
});

test.runIf(onPosix)('a warm runner that was killed while it waited is replaced by a new one', async () => {
  const { pool: p, pids, warm, order } = pool('echo claimed');
  const first = await warm();
  const taken = p.take();
  process.kill(first, 'SIGKILL');
  await taken.start(order);
  expect(pids('order')).toHaveLength(1);
  expect(pids('order')).not.toEqual([first]);
});

test.runIf(onPosix)('one that has claimed the script and dies is not replaced: the script may run', async () => {
  const runner = '{"schema":1,"protocol":1,"claimedAt":1,"runner":{"machine":"m","bootId":"b","pidNamespace":"n","pid":1,"startTime":"1","startedAt":1,"name":"n"}}'; // prettier-ignore
  const { pool: p, pids, warm, order } = pool(`echo '${runner}' >run/runner.json`);
  const first = await warm();
  await expect(p.take().start(order)).rejects.toThrow('The runner did not take the script over: it ended before');
  expect(pids('order')).toEqual([first]);
});

test.runIf(onPosix)('what a runner answers instead of a claim is the reason', async () => {
  const { pool: p, order } = pool('echo "failed No such folder."');
  await expect(p.take().start(order)).rejects.toMatchObject({
    code: 'start-failed',
    message: 'The runner did not take the script over: No such folder.',
  });
});

test.runIf(onPosix)('a runner for which nothing is to be done ends', async () => {
  const { pool: p, folder, pids, warm } = pool('echo claimed');
  const first = await warm();
  p.take().giveUp();
  await untilFile(join(folder, `ended.${first}`));
  expect(pids('order')).toEqual([]);
});

test.runIf(onPosix)('a closed pool ends its warm runner and makes no other', async () => {
  const { pool: p, folder, pids, warm } = pool('echo claimed');
  const first = await warm();
  p.close();
  await untilFile(join(folder, `ended.${first}`));
  p.prepare();
  expect(pids('lives')).toEqual([first]);
});

test.runIf(onPosix)(
  'a runner has of the host’s environment what it needs itself, and belongs to no script',
  async () => {
    process.env['UNJAM_TEST_SECRET'] = 'of the host';
    onTestFinished(() => void delete process.env['UNJAM_TEST_SECRET']);
    const { folder, warm } = pool('echo claimed');
    const environment = readFileSync(join(folder, `env.${await warm()}`), 'utf8');
    expect(environment).toContain('UNJAM_RUN=none\n');
    expect(environment).not.toContain('of the host');
  },
);
