/** Talks to the service manager: systemd, or the Task Scheduler of Windows. */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readMachineRecord } from './machine-record.ts';

export interface ServiceManager {
  /** What the service is described with: `systemd` a unit, `tasks` a task. */
  readonly kind: 'systemd' | 'tasks';
  /** Where the machine's host keeps its state, and its door for everybody with a role. */
  readonly places: { readonly stateDirectory: string; readonly door: string };
  readonly account: string;
  /** Why no service can be installed by this process here; null when it can. */
  problem(): Promise<string | null>;
  /** Describes the service and starts it now and with the machine. @throws what the manager says */
  install(text: string): Promise<void>;
  /** Forgets it, and on Linux ends its host; does nothing when there is none. */
  remove(): Promise<void>;
  status(): Promise<{ readonly installed: boolean; readonly running: boolean; readonly text: string }>;
}

const boundMs = 60_000;

function run(file: string, args: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: boundMs, windowsHide: true }, (error, stdout, stderr) =>
      resolve({ ok: error === null, text: `${stdout}${stderr}`.trim() }),
    );
  });
}

async function must(file: string, ...args: string[]): Promise<void> {
  const { ok, text } = await run(file, args);
  if (!ok) throw new Error(`"${[file, ...args].join(' ')}" failed: ${text === '' ? 'it said nothing' : text}`);
}

export const serviceManager = (): ServiceManager => (process.platform === 'win32' ? tasks() : systemd());

function systemd(): ServiceManager {
  const unit = '/etc/systemd/system/unjam.service';
  /** Of the Debian package: there before anybody asks for the service, and replaced by its upgrades. */
  const packaged = '/usr/lib/systemd/system/unjam.service';
  const systemctl = '/usr/bin/systemctl';
  return {
    kind: 'systemd',
    places: { stateDirectory: '/var/lib/unjam', door: '/run/unjam/host.sock' },
    account: 'uid:0',
    async problem() {
      if (!existsSync('/run/systemd/system')) return 'systemd does not run on this machine';
      return process.getuid?.() === 0 ? null : 'only root can do that';
    },
    async install(text) {
      const isPackaged = existsSync(packaged) && readFileSync(packaged, 'utf8') === text;
      if (isPackaged) rmSync(unit, { force: true });
      else writeFileSync(unit, text, { mode: 0o644 });
      await must(systemctl, 'daemon-reload');
      await must(systemctl, 'enable', 'unjam.service');
      await must(systemctl, 'restart', 'unjam.service');
    },
    async remove() {
      if (!existsSync(unit) && !existsSync(packaged)) return;
      await must(systemctl, 'disable', '--now', 'unjam.service');
      rmSync(unit, { force: true });
      await must(systemctl, 'daemon-reload');
    },
    async status() {
      const isWanted = existsSync(unit) || (await run(systemctl, ['is-enabled', 'unjam.service'])).text === 'enabled';
      if (!isWanted) return { installed: false, running: false, text: 'not installed' };
      const { text } = await run(systemctl, ['is-active', 'unjam.service']);
      return { installed: true, running: text === 'active', text };
    },
  };
}

function tasks(): ServiceManager {
  const windows = process.env['SystemRoot'] ?? 'C:\\Windows';
  const schtasks = join(windows, 'System32', 'schtasks.exe');
  const name = '\\Unjam\\Host';
  const door = '\\\\.\\pipe\\unjam-machine';
  return {
    kind: 'tasks',
    places: {
      stateDirectory: join(process.env['ProgramData'] ?? 'C:\\ProgramData', 'Unjam'),
      door,
    },
    account: 'S-1-5-18',
    async problem() {
      const { elevated } = (await import('./windows/token.ts')).ownerOf(process.pid);
      return elevated ? null : 'only an elevated administrator can do that';
    },
    async install(text) {
      const folder = mkdtempSync(join(tmpdir(), 'unjam-task-'));
      try {
        const file = join(folder, 'task.xml');
        writeFileSync(file, `\ufeff${text}`, { encoding: 'utf16le' });
        await must(schtasks, '/Create', '/TN', name, '/XML', file, '/F');
        await must(schtasks, '/Run', '/TN', name);
      } finally {
        try {
          rmSync(folder, { recursive: true, force: true });
        } catch {
          // A scanner holds the file: the task is registered all the same.
        }
      }
    },
    // The task does not end its host, which ends nothing else either: whoever removes it asks the host to retire.
    async remove() {
      if ((await run(schtasks, ['/Query', '/TN', name])).ok) await must(schtasks, '/Delete', '/TN', name, '/F');
    },
    async status() {
      // Ordinary users may not see the task; the record they may.
      const installed = (await readMachineRecord()) !== null;
      if (!installed) return { installed, running: false, text: 'not installed' };
      const { ids, user } = (await import('./windows/server-owner.ts')).serverOwner(door);
      const running = ids.length > 0;
      return { installed, running, text: running ? `active, as ${user}` : 'installed; its host does not answer' };
    },
  };
}

/** Why root must not run a program: somebody else could change it. Null when only root can. */
export async function programProblem(program: string): Promise<string | null> {
  const path = realpathSync(program);
  if (process.platform === 'win32') return (await import('./windows/file-security.ts')).programProblem(path);
  const { checkFolder } = await import('./linux/closed-folder.ts');
  const folder = checkFolder(dirname(path), [0]);
  if (typeof folder === 'string') return `"${dirname(path)}": ${folder}`;
  const { uid, mode } = lstatSync(path);
  return uid === 0 && (mode & 0o022) === 0 ? null : `others than root can write "${path}"`;
}
