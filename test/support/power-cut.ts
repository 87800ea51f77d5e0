/** A PostgreSQL on a disk of its own, whose power can be cut. Linux, root, loop devices. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Postgres } from './postgres.ts';
import { tried } from './small-disk.ts';

export class MainsPostgres implements AsyncDisposable {
  readonly #folder: string;
  #postgres: Postgres | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
    chmodSync(folder, 0o711); // PostgreSQL is another user
    mkdirSync(this.#mount);
  }

  static async open(): Promise<MainsPostgres> {
    const mains = new MainsPostgres(mkdtempSync(join(tmpdir(), 'unjam-mains-')));
    try {
      makeDisk(mains.#disk, 256);
      mains.#plugIn();
      mains.#postgres = await Postgres.open(undefined, undefined, mains.#mount);
      execFileSync('sync', ['-f', mains.#mount]); // initdb does not
      return mains;
    } catch (error) {
      await mains[Symbol.asyncDispose]();
      throw error;
    }
  }

  get postgres(): Postgres {
    if (this.#postgres === null) throw new Error('There is no PostgreSQL.');
    return this.#postgres;
  }

  /** The power goes, and comes back: what was only in the memory of the system or of the server is gone. */
  async cut(): Promise<void> {
    const { postgres } = this;
    const server = Number(readFileSync(join(postgres.folder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(server, 'SIGSTOP'); // from now on it makes no more children
    const children = childrenOf(server);
    for (const pid of children) tried(() => process.kill(pid, 'SIGSTOP')); // one may have ended
    const later = `${this.#disk}.later`;
    execFileSync('cp', ['--sparse=always', this.#disk, later]); // what a disk has, a copy of its file has
    for (const pid of children) tried(() => process.kill(pid, 'SIGKILL'));
    await postgres.stop('SIGKILL');
    this.#unplug();
    renameSync(later, this.#disk);
    this.#plugIn();
    await postgres.start();
  }

  /** Nothing is written but what somebody asks for: the journal would be, every 5 s. */
  #plugIn(): void {
    execFileSync('mount', ['-o', 'loop,commit=300', this.#disk, this.#mount], { stdio: 'pipe' });
  }

  /** Lazily: who was killed leaves its working directory a moment after its files. */
  #unplug(): void {
    execFileSync('umount', ['--lazy', this.#mount], { stdio: 'pipe' });
  }

  get #disk(): string {
    return join(this.#folder, 'disk');
  }

  get #mount(): string {
    return join(this.#folder, 'mount');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#postgres?.[Symbol.asyncDispose]();
    tried(() => this.#unplug()); // it may not have come so far
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** False where a container or an ordinary user has no loop devices. */
export const canCutPower = tried(() => {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-loop-'));
  try {
    const disk = join(folder, 'disk');
    mkdirSync(join(folder, 'mount'));
    makeDisk(disk, 4);
    execFileSync('mount', ['-o', 'loop', disk, join(folder, 'mount')], { stdio: 'ignore' });
    execFileSync('umount', [join(folder, 'mount')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** `size` in MiB. */
function makeDisk(path: string, size: number): void {
  writeFileSync(path, '');
  truncateSync(path, size * 1_048_576);
  execFileSync('mkfs.ext4', ['-q', '-F', path], { stdio: 'pipe' });
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      let stat = '';
      tried(() => (stat = readFileSync(`/proc/${pid}/stat`, 'utf8'))); // it may have ended
      return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]) === parent;
    });
}
