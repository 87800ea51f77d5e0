/** docs/upgrade.md, carried out with two built copies of Unjam that differ in their version. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, World } from '../support/world.ts';

/** One version of Unjam: its own package.json and files, as an archive would hold them. */
class Copy {
  readonly folder: string;
  readonly #home: string;

  constructor(under: string, home: string, version: string, protocol = 1) {
    this.folder = join(under, `Unjam ${version} %41`); // as below "Program Files"
    this.#home = home;
    mkdirSync(this.folder);
    for (const name of readdirSync(join(root, 'dist')).filter((n) => n !== 'renderer'))
      cpSync(join(root, 'dist', name), join(this.folder, 'dist', name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify({ name: 'unjam', version, type: 'module' }));
    if (protocol !== 1) this.#speak(protocol);
  }

  get program(): string {
    return join(this.folder, 'dist', 'cli.js');
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, UNJAM_HOME: this.#home };
  }

  cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [this.program, ...args], {
      env: this.#environment,
      encoding: 'utf8',
      timeout: 55_000,
    });
  }

  takeOver(): Promise<ChildProcess> {
    return this.serve('--take-over');
  }

  /** A host in the foreground; resolves when it serves. */
  async serve(...options: string[]): Promise<ChildProcess> {
    const host = spawn(process.execPath, [this.program, 'serve', ...options], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise<void>((resolve, reject) => {
      host.stdout.once('data', () => resolve());
      host.once('exit', (code) => reject(new Error(`the host ended with ${code}`)));
    });
    return host;
  }

  /** As `npm ci` of another version does: other files under the same names. */
  replaceBy(other: Copy): void {
    rmSync(join(this.folder, 'dist'), { recursive: true });
    cpSync(join(other.folder, 'dist'), join(this.folder, 'dist'), { recursive: true });
    const runner = join(this.folder, 'dist', 'runner.cjs');
    writeFileSync(runner, `${readFileSync(runner, 'utf8')}\n// another build\n`);
  }

  /** The bundler has written the constant into the two places that use it. */
  #speak(protocol: number): void {
    let changed = 0;
    for (const name of readdirSync(join(this.folder, 'dist'), { recursive: true, encoding: 'utf8' })) {
      if (!/\.c?js$/.test(name)) continue;
      const path = join(this.folder, 'dist', name);
      const text = readFileSync(path, 'utf8');
      const other = text
        .replace(/("x-unjam-protocol": String\()\d+/g, `$1${protocol}`)
        .replace(/(Number\(spoken\) [!=]== )\d+/g, `$1${protocol}`);
      if (other !== text) changed += 1;
      writeFileSync(path, other);
    }
    expect(changed).toBeGreaterThan(0);
  }
}

const ended = (host: ChildProcess): Promise<unknown> =>
  host.exitCode === null && host.signalCode === null
    ? new Promise((resolve) => host.once('exit', resolve))
    : Promise.resolve();

const row = (copy: Copy, ticket: string) =>
  JSON.parse(copy.cli('status', ticket, '--json').stdout) as { state: string; verdict: string | null; mutex: string };

test('0.2 takes over from 0.1 and 0.1 from 0.2: script, queue, history and unknown settings go on', async () => {
  await using world = await World.empty();
  const [home, under] = [world.home, join(world.home, 'copies')];
  mkdirSync(under);
  writeFileSync(join(home, 'settings.json'), JSON.stringify({ fromTheFuture: { a: 1 }, overdueFactor: 4 }), {
    mode: 0o600,
  });
  const [old, next] = [new Copy(under, home, '0.1.7'), new Copy(under, home, '0.2.0', 2)];
  const hosts: ChildProcess[] = [];
  try {
    hosts.push(await old.takeOver());
    const holding = old.cli('start', '--mutex', 'web', '--', 'sleep', '3600').stdout.trim();
    const waiting = old.cli('start', '--mutex', 'web', '--', 'true').stdout.trim();
    expect(row(old, waiting).state).toBe('queued');

    // Another protocol: what differs is said, and how to go on.
    const refused = next.cli('ps');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('is Unjam 0.1.7, this command is 0.2.0');
    expect(refused.stderr).toContain('unjam serve --take-over');

    hosts.push(await next.takeOver());
    await ended(hosts[0]!);
    expect(row(next, holding)).toMatchObject({ state: 'running', mutex: 'web' });
    expect(row(next, waiting).state).toBe('queued');
    const during = next.cli('start', '--', 'sh', '-c', 'exit 3').stdout.trim();
    expect(next.cli('logs', during, '--follow').status).toBe(0);

    hosts.push(await old.takeOver());
    await ended(hosts[1]!);
    expect(row(old, during)).toMatchObject({ state: 'final', verdict: 'exited' });
    expect(old.cli('kill', holding, '--yes').status).toBe(0);
    expect(old.cli('logs', waiting, '--follow').status).toBe(0);
    expect(row(old, waiting)).toMatchObject({ state: 'final', verdict: 'exited' });
    const history = old.cli('history', '--json').stdout;
    for (const ticket of [holding, waiting, during]) expect(history).toContain(ticket);
    expect(JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8'))).toMatchObject({ fromTheFuture: { a: 1 } });

    expect(old.cli('serve', '--stop').status).toBe(0);
    await ended(hosts[2]!);
  } finally {
    for (const host of hosts) host.kill('SIGKILL');
  }
}, 180_000);

test('a newer host that is started takes the place of an older one by itself; an older one does not', async () => {
  await using world = await World.empty();
  const [home, under] = [world.home, join(world.home, 'copies')];
  mkdirSync(under);
  const [old, next] = [new Copy(under, home, '0.1.7'), new Copy(under, home, '0.1.10')];
  const hosts: ChildProcess[] = [];
  try {
    hosts.push(await old.serve());
    hosts.push(await next.serve());
    await ended(hosts[0]!);
    const late = old.cli('serve');
    expect(late.status).not.toBe(0);
    expect(late.stderr).toContain('Another host');
  } finally {
    for (const host of hosts) host.kill('SIGKILL');
  }
}, 120_000);

test('a host whose files were replaced starts nothing and leaves nothing; its scripts end as they should, with their clean-up', async () => {
  await using world = await World.empty();
  const [home, under] = [world.home, join(world.home, 'copies')];
  mkdirSync(under);
  const [old, next] = [new Copy(under, home, '0.1.7'), new Copy(under, home, '0.1.8')];
  const hosts: ChildProcess[] = [];
  try {
    hosts.push(await old.takeOver());
    const cleaned = join(under, 'cleaned');
    const input = { command: ['sleep', '3600'], cleanup: { command: ['touch', cleaned], timeoutMs: 20_000 } };
    const file = JSON.parse(readFileSync(join(home, 'host.json'), 'utf8')) as { address: string; token: string };
    const { HttpClient } = await import('../../app/api/http-client.ts');
    const client = new HttpClient({ ...file, actor: { user: 'kim', via: 'api' }, timeoutMs: 20_000 });
    const { ticket } = await client.call('scripts.start', input);
    client.close();

    old.replaceBy(next);
    const runs = readdirSync(join(home, 'runs'));
    const refused = old.cli('start', '--', 'true');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(
      /The program of this host is not the one that it started from: ".*runner\.cjs" was replaced\. Nothing was started/,
    );
    expect(readdirSync(join(home, 'runs'))).toEqual(runs);
    expect(old.cli('ps').stderr).toContain('unjam serve --take-over');

    expect(old.cli('cancel', ticket).status).toBe(0);
    expect(old.cli('logs', ticket, '--follow').status).toBe(0);
    expect(row(old, ticket)).toMatchObject({ state: 'final', verdict: 'cancelled' });
    expect(existsSync(cleaned)).toBe(true);

    hosts.push(await old.takeOver());
    expect(old.cli('start', '--', 'true').status).toBe(0);
  } finally {
    for (const host of hosts) host.kill('SIGKILL');
  }
}, 180_000);
