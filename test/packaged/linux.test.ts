/** The packed runtime at work: with its own Node and nothing of the repository it runs a script from start to end. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packFor, type Packed } from './staging.ts';
import { readFuses } from './stand-in.ts';

let packed: Packed | undefined;
let runtime: string;
let home: string | undefined;

beforeAll(() => {
  packed = packFor('linux');
  if (packed.missing !== null) return;
  // Elsewhere, so that nothing can be found by looking upwards.
  runtime = join(packed.staging, 'elsewhere', 'runtime');
  home = join(packed.staging, 'home');
  cpSync(join(packed.unpacked, 'resources', 'runtime'), runtime, { recursive: true });
}, 300_000);

afterAll(() => {
  // The background host that `unjam run` started; its pid is in its own state directory.
  const file = join(home ?? '/nonexistent', 'host.json');
  if (existsSync(file)) {
    const { host } = JSON.parse(readFileSync(file, 'utf8')) as { host: { pid: number } };
    process.kill(host.pid, 'SIGTERM');
  }
  if (packed !== undefined) rmSync(packed.staging, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

const unjam = (...args: string[]) =>
  spawnSync(join(runtime, 'unjam'), args, {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', UNJAM_HOME: home },
    timeout: 60_000,
  });

test('the command runs a script and gives back its output and its exit code', { timeout: 120_000 }, (context) => {
  if (packed?.missing !== null) return context.skip(packed?.missing ?? 'packing failed');
  expect(unjam('--version').stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  const ran = unjam('run', '--mutex', 'M', '--isolation', 'full', '--', 'sh', '-c', 'echo packed; exit 7');
  expect(ran.stdout).toContain('packed');
  expect(ran.status).toBe(7);
});

test('the application’s program is no interpreter', (context) => {
  if (packed?.missing !== null) return context.skip(packed?.missing ?? 'packing failed');
  expect(readFuses(readFileSync(join(packed.unpacked, 'unjam-desktop')))).toMatchObject({
    RunAsNode: false,
    OnlyLoadAppFromAsar: true,
  });
});
