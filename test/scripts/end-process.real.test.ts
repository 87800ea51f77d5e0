/** One process of a real script is ended, and nothing else; who is on it is seen by everybody. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScriptDetail, ScriptView } from '../../app/contract/methods.ts';
import { World } from '../support/world.ts';

/** A deployment whose child hangs; it cleans up as soon as the child has ended. */
const deployment = 'trap "" TERM INT; echo up; sleep 3600; echo "copy failed"; touch cleaned; exit 7';

async function hungChild(world: World, script = deployment): Promise<{ ticket: string; child: ScriptDetail['processes'][number]; root: ScriptDetail['processes'][number] }> {
  const { ticket } = await world.start(script, { name: 'Deploy web', isolation: { level: 'none', mutex: 'web' } });
  await world.untilLogged(ticket, 'up');
  for (;;) {
    const [root, child] = (await world.get(ticket)).processes;
    if (root && child?.name === 'sleep') return { ticket, child, root };
  }
} // prettier-ignore

test('ending the hung child lets the script clean up and exit by itself; the journal names the person', async () => {
  await using world = await World.open();
  const { ticket, child } = await hungChild(world);
  const result = await world.cli('kill', ticket, '--pid', String(child.pid), '--reason', 'INC-7');
  expect(result).toMatchObject({ status: 0, stderr: '' });
  expect(result.stdout).toContain(`PID ${child.pid} (sleep) has ended.`);
  const script = await world.untilFinal(ticket);
  expect(script).toMatchObject({ verdict: 'exited', exitCode: 7 });
  expect(existsSync(join(world.home, 'cleaned'))).toBe(true);
  const log = await world.log(ticket);
  expect(log).toMatch(new RegExp(`W263 End of one process was requested by .* \\(cli\\), reason "INC-7": PID ${child.pid}`));
  expect(log).toMatch(new RegExp(`I264 PID ${child.pid} \\(sleep, started [\\d:]+\\) has ended\\.`));
  const entries = (await world.client.call('history.list', { ticket })).filter((e) => e.kind === 'process-ended');
  expect(entries.map(({ code, via }) => [code, via])).toEqual([['I264', 'cli'], ['W263', 'cli']]);
}); // prettier-ignore

test('what is not of that script, was another process, or is the script itself is refused; nothing is ended', async () => {
  await using world = await World.open();
  const { ticket, child, root } = await hungChild(world);
  const other = await hungChild(world, 'echo up; sleep 3600; true');
  const end = (process: { pid: number; startTime: string }) =>
    world.refusal(world.client.call('scripts.endProcess', { ticket, process }));
  const aim = ({ pid, startTime }: typeof child) => ({ pid, startTime });
  expect(await end(aim(other.child))).toMatchObject({ code: 'other-process', field: 'process' });
  expect(await end({ pid: child.pid, startTime: '1' })).toMatchObject({ code: 'other-process' });
  expect(await end({ pid: 1, startTime: '1' })).toMatchObject({ code: 'other-process' });
  expect(await end(aim(root))).toMatchObject({ code: 'not-possible', field: 'process' });
  const wrong = await world.cli('kill', ticket, '--pid', String(other.child.pid));
  expect(wrong.status).toBe(2);
  expect(wrong.stderr).toContain(`${child.pid} sleep`);
  expect((await world.get(ticket)).processes.map(({ pid }) => pid)).toEqual([root.pid, child.pid]);
  expect((await world.get(other.ticket)).processes.length).toBe(2);
  expect(await world.log(ticket)).not.toContain('W263');
});

test('a host that wants a reason, and one without Force Kill, hold for one process too', async () => {
  await using world = await World.open();
  const { ticket, child } = await hungChild(world);
  await world.client.call('settings.set', { values: { requireReason: true } });
  const { pid, startTime } = child;
  const refusal = await world.refusal(world.client.call('scripts.endProcess', { ticket, process: { pid, startTime } }));
  expect(refusal).toMatchObject({ code: 'bad-input', field: 'reason' });
  expect((await world.get(ticket)).processes).toHaveLength(2);
});

test('"I am on it" is seen in ps and status by everybody, outlives the host, and ends by the person or with the script', async () => {
  await using world = await World.open();
  const { ticket, child } = await hungChild(world);
  expect((await world.cli('take', ticket)).stdout).toMatch(/is on it, until \d{4}-/);
  const { taken, version } = await world.get(ticket);
  expect(Date.parse(taken?.until ?? '') - Date.parse(taken?.since ?? '')).toBeGreaterThan(3_000_000);
  await world.restartHost();
  expect((await world.get(ticket)).taken).toEqual(taken);
  expect((await world.cli('ps')).stdout).toContain(`(${taken?.by} is on it)`);
  expect((await world.cli('status', ticket)).stdout).toMatch(/On it +\S.*, since/);
  // It changes nothing that somebody decides on.
  expect((await world.get(ticket)).version).toBe(version);

  const back = JSON.parse((await world.cli('take', ticket, '--release', '--json')).stdout) as ScriptView;
  expect(back.taken).toBeNull();
  await world.client.call('scripts.take', { ticket });
  const kinds = (await world.client.call('history.list', { ticket })).filter((e) => e.kind === 'taken');
  expect(kinds.map(({ code }) => code)).toEqual(['I266', 'I267', 'I266']);
  expect(await world.log(ticket)).toMatch(/I266 .* is on it\. [^]*I267 .* is no longer on it\./);

  await world.client.call('scripts.endProcess', { ticket, process: { pid: child.pid, startTime: child.startTime } });
  expect((await world.untilFinal(ticket)).taken).toBeNull();
  expect((await world.refusal(world.client.call('scripts.take', { ticket }))).code).toBe('not-possible');
});
