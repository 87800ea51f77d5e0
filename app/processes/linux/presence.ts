/**
 * Proves across pid namespaces that nobody lives: containers that share a state directory cannot see each other's
 * processes. Each process of Unjam, and each drain of a script's output, keeps a FIFO of its namespace open; when its
 * last reader has gone, the kernel refuses to open it for writing (ENXIO, fifo(7)). So a container that was killed and
 * started again on its volume is not locked out by its own past.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Liveness, type Place, sameMachine } from '../../domain/identity.ts';

/**
 * File systems that one kernel alone has mounted (statfs(2)): ext, xfs, btrfs, overlay, tmpfs, zfs, f2fs. What another
 * boot left there is over.
 */
const localTypes = new Set([0xef53, 0x58465342, 0x9123683e, 0x794c7630, 0x01021994, 0x2fc12fc1, 0xf2f52010]);

const folderOf = (stateDirectory: string): string => join(stateDirectory, 'places');
const nameOf = ({ bootId, pidNamespace }: Place): string => `${bootId}-${/\d+/.exec(pidNamespace)?.[0] ?? '0'}`;

export class Presence {
  readonly #place: Place;
  #stateDirectory: string | null = null;
  #own: number | null = null;

  constructor(place: Place) {
    this.#place = place;
  }

  /** The FIFO of this namespace, once it is kept open; null before. */
  get path(): string | null {
    return this.#stateDirectory === null ? null : join(folderOf(this.#stateDirectory), nameOf(this.#place));
  }

  /** From now on this process counts, until it ends. Never throws: without it others only cannot be sure. */
  keep(stateDirectory: string): void {
    this.#stateDirectory = stateDirectory;
    const path = this.path ?? '';
    try {
      if (!existsSync(path)) {
        // Not with what lies above it, which is there: a removed one would make that recursion endless (disk.ts).
        if (!existsSync(folderOf(stateDirectory))) mkdirSync(folderOf(stateDirectory), { mode: 0o700 });
        spawnSync('mkfifo', ['-m', '600', path], {
          stdio: 'ignore',
          env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
        });
        this.#sweep();
      }
      // For reading and writing: that never waits for anybody (fifo(7)).
      const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
      if (this.#own !== null) closeSync(this.#own);
      this.#own = own;
    } catch {
      // A file system without FIFOs, or a full disk.
    }
  }

  /** Of a process that was recorded in another place than this one. */
  liveness(of: Place): Liveness {
    if (of.bootId !== this.#place.bootId) return sameMachine(of, this.#place) || this.#isLocal() ? 'dead' : 'unknown';
    if (this.#stateDirectory === null) return 'unknown';
    return hasReader(join(folderOf(this.#stateDirectory), nameOf(of))) === false ? 'dead' : 'unknown';
  }

  #isLocal(): boolean {
    try {
      return this.#stateDirectory !== null && localTypes.has(statfsSync(this.#stateDirectory).type);
    } catch {
      return false;
    }
  }

  /** Removes what earlier boots and containers have left. */
  #sweep(): void {
    if (this.#stateDirectory === null) return;
    const folder = folderOf(this.#stateDirectory);
    for (const name of readdirSync(folder))
      if (
        name !== nameOf(this.#place) &&
        !name.startsWith(this.#place.bootId) &&
        hasReader(join(folder, name)) === false
      )
        unlinkSync(join(folder, name));
  }
}

/** Null when it cannot be told: there is no such FIFO, or it may not be asked. */
function hasReader(path: string): boolean | null {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO' ? false : null;
  }
}
