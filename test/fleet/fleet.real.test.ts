/** Two hosts that share a mutex, over a real PostgreSQL with TLS: joined by the commands of docs/fleet.md. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { jsonDocuments } from '../../app/contract/json-documents.ts';
import { jsonSchema } from '../../app/domain/json-document.ts';
import { CallClient } from '../../app/fleet/call-client.ts';
import { readInvitation } from '../../app/fleet/config.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import { makeCertificate } from '../alerts/servers.ts';
import { Postgres } from '../support/postgres.ts';
import { type CliResult, root, World } from '../support/world.ts';

let postgres: Postgres;
let folder: string;
let one: World;
let two: World;

const page = readFileSync(join(root, 'docs/fleet.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text = '']) => text.trim().split('\n'));

/** A line of the page, as it stands there but for where the engine is. */
function line(text: string, world: World): CliResult {
  const command = text
    .replace(/^unjam/, `"${process.execPath}" "${world.program}"`)
    .replaceAll('db.example.com:5432', `localhost:${postgres.port}`);
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, UNJAM_HOME: world.home, PGPASSWORD: 'secret' },
  });
  return { status, stdout, stderr };
}

const operator = (...words: string[]): Promise<CliResult> => one.cli('fleet', ...words, '--as', join(folder, 'oncall.json')); // prettier-ignore
/** As a person on the second host. */
const elsewhere = (...words: string[]): Promise<CliResult> => two.cli(...words, '--as', join(folder, 'oncall.json'));
/** The same, ended by a signal as soon as the engine knows its call. */
async function interrupted(signal: NodeJS.Signals, ...words: string[]): Promise<CliResult> {
  const child = spawn(process.execPath, [two.program, ...words, '--as', join(folder, 'oncall.json')], {
    env: { ...process.env, UNJAM_HOME: two.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([
    new Promise<number | null>((done) => child.once('close', done)),
    textOf(child.stdout),
    textOf(child.stderr),
  ]);
  await until(async () => (await postgres.sql('select id from unjam.call', 'postgres', [], 'unjam')).length === 1);
  child.kill(signal);
  const [status, stdout, stderr] = await ended;
  return { status, stdout, stderr };
}
const until = (condition: () => Promise<boolean>): Promise<void> =>
  vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 60_000 });
const shared = { isolation: { level: 'full' as const, mutex: 'web (fleet)' } };
const waiting = 'echo up; until [ -e go ]; do sleep 0.05; done';
const check = (world: World): string => `"${process.execPath}" "${world.program}" check-fence; echo "check $?"`;
const fenceOf = (world: World, ticket: string): Promise<string> => world.log(ticket).then((log) => /fence (\d+)/.exec(log)?.[1] ?? ''); // prettier-ignore

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-fleet-'));
  makeCertificate(folder);
  postgres = await Postgres.open({ file: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') });
  writeFileSync(join(folder, 'ca.pem'), readFileSync(join(folder, 'cert.pem')));
  one = await World.open();
  two = await World.open();
}, 120_000);

afterAll(async () => {
  for (const made of [one, two, postgres]) await made?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

describe.runIf(process.platform === 'linux')('a fleet', () => {
  test('that a host has not joined gives it no mutex, and nothing runs', async () => {
    for (const words of [['run'], ['start'], ['hold']]) {
      const said = await one.cli(...words, '--scope', 'fleet', '--mutex', 'web', '--', 'touch', join(folder, 'ran'));
      expect(said.stderr).toContain('(fleet-not-joined)');
      expect(said.status).not.toBe(0);
    }
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect(await one.refusal(one.client.call('fleet.get', {}))).toMatchObject({ code: 'fleet-not-joined' });
    expect(await one.client.call('host.info', {})).not.toHaveProperty('fleet');
    expect(await one.cli('run', '--scope', 'everywhere', '--mutex', 'web', '--', 'true')).toMatchObject({ status: 2 });
  });

  test('is made, and joined by two hosts, with the commands of the page', async () => {
    const [init = '', invite1 = '', invite2 = '', join1 = '', join2 = ''] = blocks[0] ?? [];
    for (const [text, world] of [
      [init, one],
      [invite1, one],
      [invite2, one],
      [join1, one],
      [join2, two],
    ] as const)
      // prettier-ignore
      expect(line(text, world)).toMatchObject({ status: 0 });
    const doctor = await one.cli('fleet', 'doctor');
    expect(doctor).toMatchObject({ status: 0 });
    expect(doctor.stdout).toContain('TLS: used');
    expect(doctor.stdout).toContain('restore: none was noticed');
    expect(line(blocks[3]?.[0] ?? '', one).stdout).toContain('counts for "web-1"');
    const restored = await postgres.sql(`select who, reason from unjam.audit where what = 'restored'`, 'postgres', [], 'unjam'); // prettier-ignore
    expect(restored).toEqual([{ who: 'web-1', reason: expect.stringMatching(/^INC-4471 \(.+\)$/) as string }]);
    expect(line(blocks[2]?.[0] ?? '', one)).toMatchObject({ status: 0 });
    expect((await operator('hosts')).stdout).toMatch(/web-1 +reachable.*\nweb-2 +reachable/);
    // Again, by somebody else's copy, by a stranger, and where the certificate is another one.
    expect(line(init, one).stderr).toContain('has a fleet already');
    await using clone = await World.empty();
    expect(line(join1, clone).stderr).toContain('is the name of another installation');
    const stranger = readFileSync(join(folder, 'web-2.json'), 'utf8').replace(/web-2:[^@]+@/, 'web-2:guessed@');
    writeFileSync(join(folder, 'stranger.json'), stranger);
    expect(line('unjam fleet join stranger.json', clone).stderr).toContain('password authentication failed');
    const { ca: _ca, ...blind } = JSON.parse(readFileSync(join(folder, 'web-2.json'), 'utf8')) as Record<
      string,
      string
    >;
    writeFileSync(join(folder, 'blind.json'), JSON.stringify({ ...blind, engine: blind['engine']?.replace('localhost', 'localhost.') })); // prettier-ignore
    expect(line('unjam fleet join blind.json', clone).stderr).toMatch(/certificate|cannot be reached/);
  });

  test('lets one script of all hosts run at a time; who waits is told where the holder is; fences grow', async () => {
    await until(async () => (await one.cli('run', '--scope', 'fleet', '--mutex', 'web', '--', 'true')).status === 0);
    const first = await one.start(`${waiting}; echo fence $UNJAM_FENCE`, { name: 'Deploy web', ...shared });
    await one.untilLogged(first.ticket, 'up');
    const second = await two.start('echo fence $UNJAM_FENCE', { name: 'Deploy web too', ...shared });
    await two.untilLogged(second.ticket, `"Deploy web" (ticket ${first.ticket}@web-1`);
    await two.until(second.ticket, (s) => s.holder?.ticket === `${first.ticket}@web-1`);
    expect((await two.cli('locks')).stdout).toContain(`${first.ticket}@web-1`);
    for (const [kind, words] of [
      ['fleet hosts', ['hosts']],
      ['fleet locks', ['locks']],
      ['fleet doctor', ['doctor']],
    ] as const) {
      // prettier-ignore
      const { schema, ...document } = JSON.parse((await operator(...words, '--json')).stdout) as Record<string, unknown>;
      expect(schema).toBe(jsonSchema);
      expect(jsonDocuments[kind].safeParse(document).error, kind).toBeUndefined();
    }
    const [web1, web2] = (await two.client.call('fleet.get', {})).hosts;
    expect(web1).toMatchObject({ id: 'web-1', state: 'reachable', holds: [{ mutex: 'web (fleet)', scripts: 1, waiters: 1 }], waits: 0 }); // prettier-ignore
    expect(web2).toMatchObject({ id: 'web-2', state: 'reachable', holds: [], waits: 1 });
    expect((await two.client.call('host.info', {})).fleet).toBe('web-2');
    const held = await two.cli('hold', '--scope', 'fleet', '--mutex', 'web', '--mutex-timeout', '1s', '--', 'true');
    expect(held).toMatchObject({ status: 172 });
    writeFileSync(join(one.home, 'go'), '');
    await two.untilFinal(second.ticket);
    expect(Number(await fenceOf(two, second.ticket))).toBeGreaterThan(Number(await fenceOf(one, first.ticket)));
    rmSync(join(one.home, 'go'));
  });

  test('shows a person on one host the hung script of another, its log and why, and lets them end it there', async () => {
    const { ticket } = await one.startHung('web');
    await one.untilLogged(ticket, 'copying');
    const there = `${ticket}@web-1`;
    const looks = [
      [['ps', '--host', 'web-1'], ticket],
      [['locks', '--host', 'web-1'], ticket],
      [['status', ticket, '--host', 'web-1'], 'Deploy web / step 4'],
      [['why', there], 'Processes, measured'],
      [['logs', there, '--tail', '5'], 'copying'],
    ] as const;
    await Promise.all(looks.map(async ([words, text]) => expect((await elsewhere(...words)).stdout).toContain(text)));
    expect((await elsewhere('status', `${ticket}@web-2`)).stderr).toContain('(unknown-ticket)');
    expect((await two.cli('ps', '--host', 'web-1')).stderr).toContain('No invitation is given');
    const following = elsewhere('logs', there, '--follow');
    const { processes } = JSON.parse((await elsewhere('status', there, '--json')).stdout) as {
      processes: { pid: number }[];
    };
    expect((await elsewhere('kill', there, '--pid', String(processes.at(-1)?.pid))).stderr).toContain('(not-allowed)');
    expect((await elsewhere('complete', there)).stderr).toContain('(not-final)');
    const ignored = await elsewhere('cancel', there, '--grace', '1s', '--no-escalate', '--reason', 'INC-4712');
    expect(ignored).toMatchObject({ status: 1 });
    expect((await one.get(ticket)).condition.key).toBe('cancel-ignored');
    expect(await elsewhere('kill', there, '--reason', 'INC-4712')).toMatchObject({ status: 0 });
    expect(await one.get(ticket)).toMatchObject({ verdict: 'killed', orphan: false });
    expect(await following).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/copying[^]*Force Kill requested by oncall \(fleet\)/) as string,
      stderr: '',
    });
    const { entries } = JSON.parse((await elsewhere('history', '--host', 'web-1', '--json')).stdout) as {
      entries: { ticket: string | null; who: string; via: string; kind: string }[];
    };
    const did = entries.filter((e) => e.ticket === ticket && e.who === 'oncall');
    expect(did.map(({ kind, via }) => [kind, via])).toEqual([
      ['final', 'fleet'],
      ['kill', 'fleet'],
      ['cancel', 'fleet'],
    ]);
    expect(await elsewhere('complete', there)).toMatchObject({ status: 0 });
    expect((await one.cli('status', ticket)).stderr).toContain('(unknown-ticket)');
  });

  test('shows the scripts of all hosts in one list, without their commands, and tells the stuck ones', async () => {
    const nameless = await two.client.call('scripts.start', { command: ['/bin/sh', '-c', 'sleep 600 # unseen'], cwd: two.home }); // prettier-ignore
    const { ticket } = await one.startHung('web');
    await until(async () => {
      const { stdout } = await operator('ps');
      return stdout.includes(`web-1  ${ticket}`) && stdout.includes(`web-2  ${nameless.ticket}`);
    });
    expect((await operator('ps')).stdout).toMatch(/^HOST +TICKET .*NAME/);
    expect((await operator('ps')).stdout).toMatch(new RegExp(`${nameless.ticket}.* sh$`, 'm'));
    expect((await operator('ps', '--stuck')).stdout).toBe('No script is stuck.\n');
    const behind = await one.start('true', { isolation: { level: 'full', mutex: 'web' } });
    await one.client.call('scripts.cancel', { ticket, graceMs: 1_000, escalate: false });
    await one.until(ticket, ({ stuck }) => stuck);
    await until(async () => (await operator('ps', '--stuck')).stdout.includes(ticket));
    expect((await operator('ps', '--stuck')).stdout).not.toContain(nameless.ticket);
    const { schema: _schema, ...document } = JSON.parse((await operator('ps', '--json')).stdout) as object & { schema: unknown }; // prettier-ignore
    expect(jsonDocuments['fleet ps'].safeParse(document).error).toBeUndefined();
    // In the console of a host whose person has logged in, without that host's own.
    expect(line('unjam fleet login web-2.json', two).stderr).toContain('"web-2" is no person of that fleet');
    const [login = '', logout = ''] = blocks[4] ?? [];
    expect(line(login, two).stdout).toContain('as its operator "oncall" sees them');
    expect(statSync(join(two.home, 'fleet-login.json')).mode & 0o777).toBe(0o600);
    const seen = await two.client.call('fleet.scripts', {});
    expect(seen).toMatchObject({ problem: null, hosts: [{ host: 'web-1', state: 'reachable' }] });
    expect(seen.hosts[0]?.scripts.map((script) => script.ticket)).toContain(ticket);
    expect((await two.client.call('host.info', {})).you.fleet).toBe('oncall');
    expect(line(logout, two).stdout).toContain('The invitation was removed');
    expect((await two.client.call('host.info', {})).you).not.toHaveProperty('fleet');
    const rows = await postgres.sql('select scripts from unjam.snapshot', 'postgres', [], 'unjam');
    expect(JSON.stringify(rows)).not.toMatch(/unseen|copying|UNJAM_/);
    for (const [world, id] of [[one, ticket], [two, nameless.ticket]] as const) await world.cli('kill', id); // prettier-ignore
    await one.untilFinal(behind.ticket);
  });

  test('carries out nothing that was decided on an old view of another host’s script; Abandon wants the PID', async () => {
    const { ticket } = await one.startHung('web');
    await one.untilLogged(ticket, 'copying');
    const engine = new Engine(readInvitation(join(folder, 'oncall.json')), 'test');
    try {
      const there = new CallClient(engine, 'web-1');
      const { version, process, pid } = await there.call('scripts.get', { ticket });
      const root = { pid: process?.pid ?? 0, startTime: process?.startTime ?? '' };
      for (const [seen, code] of [
        [{ process: root }, 'bad-input'],
        [{ version }, 'bad-input'],
        [{ version: version + 1, process: root }, 'stale-version'],
        [{ version, process: { ...root, startTime: '1' } }, 'other-process'],
      ] as const) {
        expect(await one.refusal(there.call('scripts.kill', { ticket, ...seen }))).toMatchObject({ code });
        const unsure = there.call('scripts.abandon', { ticket, ...seen, ...(pid === null ? {} : { confirmPid: pid }) });
        expect(await one.refusal(unsure)).toMatchObject({ code });
      }
      const sure = { ticket, version: (await there.call('scripts.get', { ticket })).version, process: root };
      const unread = there.call('scripts.abandon', { ...sure, confirmPid: 1 });
      expect(await one.refusal(unread)).toMatchObject({ code: 'wrong-confirmation' });
      expect((await one.get(ticket)).state).toBe('running');
    } finally {
      await engine.close();
    }
    expect(await elsewhere('abandon', `${ticket}@web-1`, '--reason', 'INC-4713')).toMatchObject({ status: 0 });
    expect(await one.log(ticket)).toMatch(/W221 .*oncall \(fleet\).*INC-4713/);
    expect(await one.get(ticket)).toMatchObject({ verdict: 'abandoned', orphan: true });
    expect(await elsewhere('kill', `${ticket}@web-1`)).toMatchObject({ status: 0 });
    await one.until(ticket, (s) => !s.orphan);
  });

  test('keeps the hold of a script whose runner is killed, until its processes are gone', async () => {
    const first = await one.start(waiting, shared);
    await one.untilLogged(first.ticket, 'up');
    const second = await two.start('echo ran', shared);
    await two.untilLogged(second.ticket, 'I101');
    process.kill((await one.get(first.ticket)).runnerPid ?? 0, 'SIGKILL');
    await one.untilLogged(first.ticket, 'W304');
    expect(await two.get(second.ticket)).toMatchObject({ state: 'queued' });
    writeFileSync(join(one.home, 'go'), '');
    expect(await two.untilFinal(second.ticket)).toMatchObject({ exitCode: 0 });
    rmSync(join(one.home, 'go'));
  });

  test('without its engine: holds and places stay, nothing new starts, and all goes on when it is back', async () => {
    const first = await one.start(`${check(one)}; ${waiting}; ${check(one)}`, shared);
    await one.untilLogged(first.ticket, 'up');
    const second = await two.start('echo ran', shared);
    await two.untilLogged(second.ticket, 'I101');
    const before = await two.client.call('fleet.get', {});
    expect(before.problem).toBeNull();
    await postgres.stop('SIGQUIT'); // as a crash: no shutdown
    const refused = await two.refusal(two.start('touch ran', shared));
    expect(refused).toMatchObject({ code: 'engine-unreachable' });
    const { problem, ...asItWas } = await two.client.call('fleet.get', {});
    expect({ ...asItWas, problem: null }).toEqual(before);
    expect(problem).toMatch(/^The engine of the fleet /);
    await two.untilLogged(second.ticket, 'W111');
    expect(await one.cli('run', '--mutex', 'web', '--', 'true')).toMatchObject({ status: 0 });
    writeFileSync(join(one.home, 'go'), '');
    await one.untilFinal(first.ticket);
    expect(await two.get(second.ticket)).toMatchObject({ state: 'queued' });
    await postgres.start();
    expect(await two.untilFinal(second.ticket)).toMatchObject({ exitCode: 0 });
    expect(await one.log(first.ticket)).toMatch(/cannot be told\. The engine /);
    expect(await one.log(first.ticket)).toMatch(/check 0[^]*check 177/);
    expect(existsSync(join(two.home, 'ran'))).toBe(false);
    rmSync(join(one.home, 'go'));
  });

  test('whose host is gone keeps its hold until a person abandons it; the script learns of it when its host is back', async () => {
    const { ticket } = await one.start(`${waiting}; ${check(one)} > said; exec sleep 3600`, shared);
    await one.untilLogged(ticket, 'up');
    const second = await two.start('echo ran', shared);
    await two.untilLogged(second.ticket, 'I101');
    await until(async () => (await operator('ps')).stdout.includes(`web-1  ${ticket}`));
    await one.killHost();
    expect((await operator('locks')).stdout).toContain(`held by ${ticket}@web-1`);
    await postgres.sql(`update unjam.host set seen_at = seen_at - interval '1 h' where id = 'web-1'; update unjam.snapshot set at = at - interval '1 h'`, 'postgres', [], 'unjam'); // prettier-ignore
    await until(async () => (await operator('ps')).stdout.includes('"web-1" is unreachable.'));
    expect((await operator('ps')).stdout).toMatch(new RegExp(`web-1 \\(as at [\\d:]+\\) +${ticket}`));
    expect(await operator('abandon', 'web', `${ticket}@web-2`, '--reason', 'x')).toMatchObject({ status: 1 });
    expect(await interrupted('SIGINT', 'logs', `${ticket}@web-1`)).toEqual({ status: 130, stdout: '', stderr: '' });
    const withdrawn = await interrupted('SIGTERM', 'complete', `${ticket}@web-1`);
    expect(withdrawn).toMatchObject({ status: 143, stderr: expect.stringContaining('(host-silent)') as string });
    expect(await postgres.sql('select * from unjam.call', 'postgres', [], 'unjam')).toEqual([]);
    const done = await operator('abandon', 'web', `${ticket}@web-1`, '--reason', 'INC-4471');
    expect(done.stdout).toContain('NOTHING WAS ENDED');
    expect(await two.untilFinal(second.ticket)).toMatchObject({ exitCode: 0 });
    expect(await two.log(second.ticket)).toContain('W222');
    writeFileSync(join(one.home, 'go'), '');
    await vi.waitFor(() => expect(readFileSync(join(one.home, 'said'), 'utf8')).toBe('check 176\n'), {
      timeout: 60_000,
    });
    rmSync(join(one.home, 'go'));
    await one.startHost();
    expect(await one.until(ticket, (s) => s.verdict === 'abandoned')).toMatchObject({ orphan: true });
    expect(await one.log(ticket)).toMatch(/W221 .*INC-4471/);
    await one.cli('kill', ticket);
    expect((await one.cli('history', '--json')).stdout).toContain('INC-4471');
  });

  test('that has retired a host takes nothing from it until it is admitted; who holds something cannot leave', async () => {
    const first = await two.start(waiting, shared);
    await two.untilLogged(first.ticket, 'up');
    expect(line('unjam fleet leave', two).stderr).toContain('hold or wait for mutexes of the fleet');
    expect(await operator('retire', 'web-2', '--reason', 'its disk died')).toMatchObject({ status: 0 });
    expect((await operator('hosts')).stdout).toMatch(/web-2 +retired for .*its disk died/);
    expect(await two.until(first.ticket, (s) => s.verdict === 'abandoned')).toMatchObject({ orphan: true });
    expect(await two.refusal(two.start('true', shared))).toMatchObject({ code: 'fleet-retired' });
    expect(await one.cli('run', '--scope', 'fleet', '--mutex', 'web', '--', 'true')).toMatchObject({ status: 0 });
    expect(await operator('admit', 'web-2', '--reason', 'new disk')).toMatchObject({ status: 0 });
    writeFileSync(join(two.home, 'go'), '');
    await two.until(first.ticket, (s) => !s.orphan);
    await until(async () => (await two.cli('run', '--scope', 'fleet', '--mutex', 'web', '--', 'true')).status === 0);
    const audit = await postgres.sql('select who, host, what, reason from unjam.audit order by id', 'postgres', [], 'unjam'); // prettier-ignore
    expect(audit).toContainEqual({ who: 'oncall', host: 'web-2', what: 'retired', reason: 'its disk died' });
    expect(audit).toContainEqual({ who: 'oncall', host: 'web-2', what: 'admitted', reason: 'new disk' });
    expect(line('unjam fleet leave', two)).toMatchObject({ status: 0 });
    await until(async () => (await two.cli('run', '--scope', 'fleet', '--mutex', 'web', '--', 'true')).stderr.includes('fleet-not-joined')); // prettier-ignore
  });

  test('a wrapper that is killed while it waits leaves no place behind that holds up the others', async () => {
    const first = await one.start(waiting, shared);
    await one.untilLogged(first.ticket, 'up');
    const wrapper = spawn(process.execPath, [one.program, 'hold', '--scope', 'fleet', '--mutex', 'web', '--', 'true'], {
      env: { ...process.env, UNJAM_HOME: one.home },
      stdio: 'ignore',
    });
    await until(async () => (await operator('locks')).stdout.includes('1. '));
    wrapper.kill('SIGKILL');
    const third = await one.start('echo ran', shared);
    rmSync(join(one.home, 'go'), { force: true });
    writeFileSync(join(one.home, 'go'), '');
    expect(await one.untilFinal(third.ticket)).toMatchObject({ exitCode: 0 });
  });
});
