/** What nobody can end for long is abandoned by the host itself, where that is switched on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { methods } from '../../app/contract/methods.ts';
import type { Actor } from '../../app/domain/script.ts';
import { Journal } from '../../app/journal/journal.ts';
import { Mutexes } from '../../app/locks/index.ts';
import { openProcessControl } from '../../app/processes/index.ts';
import { LogReaders } from '../../app/scripts/log-readers.ts';
import { Supervisor } from '../../app/scripts/supervisor.ts';

const kim: Actor = { user: 'kim', via: 'api' };
const hung = ['bash', '-c', 'trap "" TERM INT; echo up; while :; do sleep 0.1; done'];

it.skipIf(process.platform === 'win32')(
  'after a Cancel that was ignored the mutex is released, with the reason; what was not cancelled stays, and so does what still has time',
  { timeout: 60_000 },
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'unjam-auto-'));
    const control = await openProcessControl();
    const journal = new Journal(join(home, 'journal.sqlite'), () => undefined);
    let after: number | null = null;
    const before: string[] = [];
    const supervisor = new Supervisor({
      stateDirectory: home,
      control,
      mutexes: new Mutexes(join(home, 'mutexes'), control),
      journal,
      runner: { file: process.execPath, args: [join(import.meta.dirname, '../../dist/runner.cjs')] },
      killDisabled: false,
      autoAbandonMs: () => after,
      beforeAutoAbandon: async (ticket) => void before.push(`${ticket} ${supervisor.get(ticket).verdict}`),
      log: () => undefined,
    });
    await supervisor.open();
    onTestFinished(async () => {
      after = null;
      for (const { ticket } of supervisor.list(false)) await supervisor.kill({ ticket }, kim);
      await expect.poll(() => supervisor.list(false), { timeout: 20_000 }).toEqual([]);
      supervisor.close();
      journal.close();
      control.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    });
    const log = async (ticket: string): Promise<string> =>
      (
        await new LogReaders(String).read(supervisor.record(ticket), methods['logs.read'].input.parse({ ticket }))
      ).entries
        .map(({ text }) => text)
        .join('\n');
    const start = async (ticket: string, mutex: string, command = hung): Promise<void> => {
      const input = { ticket, command, isolation: { level: 'full', mutex } };
      await supervisor.start(methods['scripts.start'].input.parse(input), kim);
    };
    for (const name of ['cancelled', 'patient', 'left-alone']) {
      await start(name, name);
      await expect.poll(() => log(name), { timeout: 20_000 }).toContain('up');
    }
    await start('next', 'cancelled', ['echo', 'deployed']);
    const cancel = { ticket: 'cancelled', graceMs: 100, escalate: false };
    await supervisor.cancel(cancel, kim);
    await supervisor.cancel({ ...cancel, ticket: 'patient', graceMs: 3_600_000 }, kim);
    await expect.poll(() => supervisor.get('cancelled').condition.key).toBe('cancel-ignored');

    after = 1;
    await expect.poll(() => supervisor.get('next').verdict, { timeout: 20_000 }).toBe('exited');
    const seen = supervisor.get('cancelled');
    expect([seen.verdict, seen.orphan]).toEqual(['abandoned', true]);
    expect(before).toEqual(['cancelled null']);
    expect(await log('cancelled')).toMatch(
      /ABANDONED by Unjam at .*, reason "Cancel has not ended it for .*"\. Unjam released mutex "cancelled"\. NOTHING WAS ENDED/,
    );
    for (const name of ['patient', 'left-alone']) expect(supervisor.get(name).verdict, name).toBeNull();
  },
);
