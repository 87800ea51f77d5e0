/** A small file system of its own, to be filled or made read-only; unmounted when the test has finished. Linux, root. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { World } from './world.ts';

/** False where a container or an ordinary user may not mount. */
export const canMount = tried(() => {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

export class SmallDisk implements AsyncDisposable {
  readonly world: World;
  /** On another disk: what scripts of a test wait for. */
  readonly elsewhere: string;
  readonly #mount: string;
  readonly #fill: string;

  private constructor(mount: string, elsewhere: string, world: World) {
    this.#mount = mount;
    this.#fill = join(mount, 'fill');
    this.elsewhere = elsewhere;
    this.world = world;
  }

  /** A world whose state directory lies on a disk of 6 MB, with a host. */
  static async open(): Promise<SmallDisk> {
    const elsewhere = mkdtempSync(join(tmpdir(), 'unjam-elsewhere-'));
    const mount = join(elsewhere, 'disk');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mount]);
    const world = await World.empty(mount);
    await world.startHost();
    return new SmallDisk(mount, elsewhere, world);
  }

  /** Uses up every byte. */
  fill(): void {
    const file = openSync(this.#fill, 'a');
    try {
      for (let size = 65_536; size >= 1;)
        try {
          if (writeSync(file, Buffer.alloc(size)) < size) size = 1;
        } catch {
          size = Math.floor(size / 16);
        }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    unlinkSync(this.#fill);
  }

  /** Refused as busy when somebody has opened a file for writing between the two calls: then again. */
  readOnly(): void {
    for (let tries = 1; ; tries += 1) {
      execFileSync('mount', ['--bind', this.world.home, this.world.home]);
      try {
        execFileSync('mount', ['-o', 'remount,bind,ro', this.world.home], { stdio: 'pipe' });
        return;
      } catch (error) {
        this.writable();
        if (tries === 20) throw error;
      }
    }
  }

  writable(): void {
    execFileSync('umount', ['--lazy', this.world.home]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    tried(() => this.free());
    await this.world[Symbol.asyncDispose]();
    execFileSync('umount', ['--lazy', this.#mount]);
    rmSync(this.elsewhere, { recursive: true, force: true });
  }
}

/** False when it throws. */
export function tried(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
