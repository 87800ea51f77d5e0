/** Values of environment variables can be secrets, and every command line can be read by everybody (proc(5)). Linux. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostEnvironment } from '../../app/domain/host-environment.ts';
import { World } from '../support/world.ts';

const secret = 'hunter2-in-the-environment';

/** Command lines of every process that can be seen. */
const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(join('/proc', pid, 'cmdline'), 'utf8')];
      } catch {
        return []; // it has ended
      }
    });

test.each([
  ['a name that a shell can set', { DB_PASSWORD: secret }, 'DB_PASSWORD'],
  ['a dot', { 'db.password': secret }, 'db.password'],
  ['an exported function of bash', { 'BASH_FUNC_f%%': `() { echo ${secret}; }` }, 'BASH_FUNC_f%%'],
])(
  'a variable whose name has %s reaches the script, and no command line on the way',
  async (_what, variables, name) => {
    await using world = await World.open();
    // The script is held back behind a mutex first, so that its runner waits with the environment.
    const { ticket: holder } = await world.start('sleep 3600', { isolation: { level: 'full', mutex: 'M' } });
    const { ticket } = await world.start(
      `tr '\\0' '\\n' < /proc/$$/environ | grep -c '${secret}'; grep SigIgn /proc/self/status; sleep 3600`,
      { environment: { PATH: process.env['PATH'] ?? '', ...variables }, isolation: { level: 'full', mutex: 'M' } },
    );
    const seen: string[] = [];
    const look = (): number =>
      seen.push(...commandLines().filter((line) => line.includes(secret) && !line.includes('grep')));
    look();
    await world.client.call('scripts.kill', { ticket: holder });
    const logged = world.untilLogged(ticket, 'SigIgn').then(() => true);
    const pause = (): Promise<false> => new Promise((resolve) => setImmediate(resolve, false));
    while (!(await Promise.race([logged, pause()]))) look();
    look();
    expect(seen).toEqual([]);
    const log = await world.log(ticket);
    expect(log, name).toMatch(/^1$/m);
    expect(log).toMatch(/SigIgn:\s+0000000000000000/); // as for any other script
  },
);

test('a host that is started in the background has nothing of its first caller but what programs need', async () => {
  await using world = await World.empty();
  const started = await world.cliWith(
    { DB_PASSWORD: secret, UNJAM_RUN: '', OCTOPUS_API_KEY: secret, 'a.b': secret },
    ...['start', '--', 'true'],
  );
  expect(started.stderr).toBe('');
  const environment = readFileSync(`/proc/${world.hostPid}/environ`, 'utf8').split('\0').filter(Boolean);
  expect(environment.join('\n')).not.toContain(secret);
  const names = environment.map((line) => line.split('=', 1)[0] ?? '');
  const needed = Object.keys(hostEnvironment(Object.fromEntries(names.map((name) => [name, '']))));
  expect(names.toSorted()).toEqual([...needed, 'PATH', 'UNJAM_RUN'].toSorted());
});
