/** A host of root that serves the machine, and ordinary users who reach it with a role each. Needs root. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, World } from './world.ts';

export const program = join(root, 'dist/cli.js');
/** Ids without names: the system names them `uid 61001`. The operator is one by a group. */
export const [operator, viewer, stranger, owner, group] = [61_001, 61_002, 61_003, 61_004, 61_010];

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class MachineHost implements AsyncDisposable {
  readonly world: World;
  readonly base: string;
  readonly record: string;

  private constructor(world: World, base: string) {
    this.world = world;
    this.base = base;
    this.record = join(base, 'etc', 'host.json');
  }

  static async open(): Promise<MachineHost> {
    const base = mkdtempSync(join(tmpdir(), 'unjam-machine-'));
    chmodSync(base, 0o755);
    const host = new MachineHost(await World.empty(), base);
    mkdirSync(join(base, 'etc'), { mode: 0o755 });
    const door = join(base, 'run', 'host.sock');
    const { record, world } = host;
    writeFileSync(record, JSON.stringify({ schema: 1, stateDirectory: world.home, door, account: 'uid:0' }));
    chmodSync(record, 0o644);
    await world.startHost({ UNJAM_MACHINE_FILE: record });
    await world.client.call('settings.set', {
      values: {
        access: [
          { who: `gid:${group}`, role: 'operator' },
          { who: `uid:${viewer}`, role: 'viewer' },
          { who: `uid:${owner}`, role: 'owner' },
        ],
      },
    });
    return host;
  }

  /** The words before a command that make it one of that user; `setpriv` gives the groups. */
  asUser(uid: number): [string, ...string[]] {
    const groups = uid === operator ? `--groups=${group}` : '--clear-groups';
    return ['/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${uid}`, groups];
  }

  environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: '/nonexistent', UNJAM_MACHINE_FILE: this.record, ...more };
  }

  /** The command line as an ordinary user. */
  as(uid: number, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const [file, ...words] = this.asUser(uid);
    return new Promise((resolve) => {
      execFile(
        file,
        [...words, process.execPath, program, ...args],
        { cwd: '/', env: this.environment(more) },
        (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
      );
    });
  }

  /** As `as`, for a program that goes on. */
  start(uid: number, command: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
    const [file, ...words] = this.asUser(uid);
    return spawn(file, [...words, ...command], {
      cwd: '/',
      env: this.environment(more),
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
  }

  /** A folder of that user alone. */
  folderOf(uid: number): string {
    const folder = mkdtempSync(join(this.base, `of-${uid}-`));
    chownSync(folder, uid, uid);
    return folder;
  }

  /** A script that ignores Cancel; its ticket. */
  async started(script = 'trap "" TERM; echo up; sleep 3600 & wait; sleep 3600'): Promise<string> {
    const { ticket } = await this.world.start(script);
    await this.world.untilLogged(ticket, 'up');
    return ticket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    rmSync(this.base, { recursive: true, force: true });
  }
}
