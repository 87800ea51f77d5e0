/** The host as a service: what the service manager is told, who may run it, and what outlives it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installService, removeService } from '../../app/access/service.ts';
import { scheduledTask, systemdUnit } from '../../app/access/service-texts.ts';
import { takeOver } from '../../app/host/take-over.ts';
import { programProblem, type ServiceManager } from '../../app/processes/service.ts';
import { root, World } from '../support/world.ts';

const isRoot = process.getuid?.() === 0;
const program = join(root, 'dist/cli.js');
const verify = '/usr/bin/systemd-analyze';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'unjam-service-'));
  chmodSync(base, 0o755);
  process.env['UNJAM_MACHINE_FILE'] = join(base, 'etc', 'host.json');
});
afterEach(() => {
  delete process.env['UNJAM_MACHINE_FILE'];
  rmSync(base, { recursive: true, force: true });
});

describe('the unit for systemd', () => {
  test('ends the host alone, lets runners make cgroups, and starts it again for ever', () => {
    const unit = systemdUnit({ node: '/opt/node', program: '/opt/unjam/cli.js', stateDirectory: '/var/lib/unjam' });
    for (const line of [
      'KillMode=process',
      'Delegate=yes',
      'Restart=always',
      'Environment="UNJAM_HOME=/var/lib/unjam"',
    ])
      expect(unit).toContain(`\n${line}\n`);
    expect(unit).toContain('\nExecStart="/opt/node" "/opt/unjam/cli.js" "serve" "--take-over"\n');
  });

  test('quotes paths with spaces, dollars and percents', () => {
    const unit = systemdUnit({ node: '/opt/my node', program: '/opt/a$b%c"d', stateDirectory: '/var/lib/unjam' });
    expect(unit).toContain('ExecStart="/opt/my node" "/opt/a$$b%%c\\"d" "serve"');
  });

  test.skipIf(!existsSync(verify))('is understood by systemd (where systemd-analyze is installed)', () => {
    const file = join(base, 'unjam.service');
    writeFileSync(file, systemdUnit({ node: process.execPath, program, stateDirectory: '/var/lib/unjam' }));
    const output = execFileSync(verify, ['verify', '--man=no', '--recursive-errors=no', file], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(output).not.toContain('unjam.service');
  });
});

test('the task for Windows runs as SYSTEM at start-up, without an end, and is started again', () => {
  const task = scheduledTask({
    node: 'C:\\Program Files\\Unjam & Co\\node.exe',
    program: 'C:\\U\\cli.js',
    stateDirectory: '',
  });
  expect(task).toContain('<BootTrigger>');
  expect(task).toContain('<UserId>S-1-5-18</UserId>');
  expect(task).toContain('<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>');
  expect(task).toContain('<Repetition><Interval>PT1M</Interval></Repetition>');
  expect(task).toContain('<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>');
  // Whoever ends the task does not end the host, and with it nothing that the Task Scheduler counts to it.
  expect(task).toContain('<AllowHardTerminate>false</AllowHardTerminate>');
  expect(task).toContain('<Command>C:\\Program Files\\Unjam &amp; Co\\node.exe</Command>');
  expect(task).toContain('<Arguments>&quot;C:\\U\\cli.js&quot; serve --take-over</Arguments>');
});

/** Does what systemd does with the unit: starts the command with its environment, ends that process alone. */
class StandIn implements ServiceManager {
  readonly kind = 'systemd';
  readonly places: ServiceManager['places'];
  readonly account = `uid:${process.getuid?.()}`;
  process: ChildProcess | null = null;

  constructor(stateDirectory: string, door: string) {
    this.places = { stateDirectory, door };
  }

  problem = async (): Promise<string | null> => null;

  async install(unit: string): Promise<void> {
    const command = /^ExecStart=(.*)$/m
      .exec(unit)![1]!
      .match(/"[^"]*"/g)!
      .map((word) => word.slice(1, -1));
    const variable = /^Environment="UNJAM_HOME=(.*)"$/m.exec(unit)![1]!;
    const [file = '', ...args] = command;
    const started = spawn(file, args, {
      cwd: '/',
      env: { PATH: process.env['PATH'], UNJAM_HOME: variable, UNJAM_MACHINE_FILE: process.env['UNJAM_MACHINE_FILE'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process = started;
    await new Promise((resolve, reject) => {
      started.stdout.once('data', resolve);
      started.once('exit', () => reject(new Error('The service ended.')));
    });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const gone = new Promise((resolve) => this.process?.once('exit', resolve));
    this.process?.kill(signal);
    await gone;
  }

  remove = (): Promise<void> => this.end('SIGTERM');
  status = async () => ({ installed: true, running: true, text: 'active' });
}

const retire = (directory: string): Promise<void> => takeOver(directory, { user: 'test', via: 'cli' });
const anyProgram = async (): Promise<null> => null;

test.skipIf(!isRoot)(
  'scripts, holds and exit codes outlive a crash, an upgrade and the removal of the service (needs root)',
  async () => {
    await using world = await World.empty();
    const manager = new StandIn(world.home, join(base, 'run', 'host.sock'));
    const parts = { manager, node: process.execPath, program, programProblem: anyProgram, say: () => undefined };
    await installService(parts);
    world.connect();
    const isolation = { level: 'full', mutex: 'M' } as const;
    const { ticket } = await world.start('echo up; until [ -e go ]; do sleep 0.05; done; exit 7', { isolation });
    await world.untilLogged(ticket, 'up');
    const holder = async () => (await world.client.call('locks.list', {}))[0]?.holders[0]?.ticket;

    await manager.end('SIGKILL'); // a crash, and Restart=always
    await manager.install(systemdUnit({ node: process.execPath, program, stateDirectory: world.home }));
    world.connect();
    expect(await holder()).toBe(ticket);

    const before = manager.process; // an upgrade: the new one takes over
    const gone = new Promise((resolve) => before?.once('exit', resolve));
    await installService(parts);
    await gone;
    world.connect();
    expect(await holder()).toBe(ticket);

    await removeService(parts, retire);
    expect(existsSync(process.env['UNJAM_MACHINE_FILE']!)).toBe(false);
    writeFileSync(join(world.home, 'go'), '');
    await world.startHost();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  },
);

test.skipIf(!isRoot)(
  'where the service manager ends nothing, as the Task Scheduler, the host retires at the removal and scripts go on (needs root)',
  async () => {
    await using world = await World.empty();
    const manager = new StandIn(world.home, join(base, 'run', 'host.sock'));
    manager.remove = async () => undefined;
    await installService({
      manager,
      node: process.execPath,
      program,
      programProblem: anyProgram,
      say: () => undefined,
    });
    const gone = new Promise<number | null>((resolve) => manager.process?.once('exit', resolve));
    world.connect();
    const { ticket } = await world.start('echo up; until [ -e go ]; do sleep 0.05; done; exit 7');
    await world.untilLogged(ticket, 'up');
    await removeService({ manager }, retire);
    expect(await gone).toBe(0); // a code that asks for no restart
    expect(existsSync(process.env['UNJAM_MACHINE_FILE']!)).toBe(false);
    writeFileSync(join(world.home, 'go'), '');
    await world.startHost();
    expect(await world.untilFinal(ticket)).toMatchObject({ verdict: 'exited', exitCode: 7 });
  },
);

describe.skipIf(!isRoot)('what a service of root may run (needs root)', () => {
  test('nothing that others could change', async () => {
    const folder = join(base, 'program');
    mkdirSync(folder);
    const file = join(folder, 'cli.js');
    writeFileSync(file, '');
    expect(await programProblem(file)).toBeNull();
    chmodSync(folder, 0o777);
    expect(await programProblem(file)).toContain('others can write it (mode 0777)');
    const manager = new StandIn(join(base, 'state'), join(base, 'run', 'host.sock'));
    await expect(
      installService({
        manager,
        node: process.execPath,
        program: file,
        programProblem: (p) => programProblem(p),
        say: () => undefined,
      }),
    ).rejects.toThrow('must not run what others can change');
    expect(manager.process).toBeNull();
    expect(existsSync(process.env['UNJAM_MACHINE_FILE']!)).toBe(false);
  });

  test('a record of the machine’s host is written for all to read and for root alone to write', async () => {
    const manager = new StandIn(join(base, 'state'), join(base, 'run', 'host.sock'));
    manager.install = async () => undefined;
    await installService({
      manager,
      node: process.execPath,
      program,
      programProblem: anyProgram,
      say: () => undefined,
    });
    const text = readFileSync(process.env['UNJAM_MACHINE_FILE']!, 'utf8');
    expect(JSON.parse(text)).toEqual({ schema: 1, account: 'uid:0', ...manager.places });
  });
});
