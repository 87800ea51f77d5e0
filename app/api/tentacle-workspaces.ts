/** The folders that Tentacle-shaped starts run in, `tentacle/<ticket>` of the state directory, and how a body is run there. */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, win32 } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import { nameKey } from '../domain/names.ts';
import type { Platform } from '../domain/platform.ts';
import { systemProblem } from '../domain/system-errors.ts';

export interface WorkspaceFile {
  readonly name: string;
  readonly contents: string | Uint8Array;
}

export interface TentacleBody {
  readonly scriptBody: string;
  readonly scripts: { readonly powerShell?: string | undefined; readonly bash?: string | undefined };
  readonly arguments?: readonly string[] | null | undefined;
}

/** In lower case. */
export const bootstrapNames: readonly string[] = ['bootstrap.sh', 'bootstrap.ps1'];

/** As Tentacle launches it: bash on Linux, the system's Windows PowerShell on Windows. */
export function launchOf(
  platform: Platform,
  folder: string,
  { scriptBody, scripts, arguments: given }: TentacleBody,
): { readonly bootstrap: WorkspaceFile; readonly words: string[] } {
  const words = given ?? [];
  if (platform === 'linux') {
    const contents = (scripts.bash ?? scriptBody).replaceAll('\r\n', '\n');
    return {
      bootstrap: { name: 'Bootstrap.sh', contents },
      words: ['/bin/bash', join(folder, 'Bootstrap.sh'), ...words],
    };
  }
  const call = [win32.join(folder, 'Bootstrap.ps1'), ...words].map(quoted).join(' ');
  return {
    // Without its mark Windows PowerShell reads UTF-8 as the code page of the system.
    bootstrap: { name: 'Bootstrap.ps1', contents: `\uFEFF${scripts.powerShell ?? scriptBody}` },
    words: [
      'powershell.exe',
      ...['-NonInteractive', '-NoProfile', '-NoLogo', '-ExecutionPolicy', 'Unrestricted', '-Command'],
      `$ErrorActionPreference = 'Stop'; . {. ${call}; if ((test-path variable:global:lastexitcode)) { exit $LastExitCode }}`,
    ],
  };
}

/** A literal of PowerShell, for which the typographic quotes end a text as well. */
const quoted = (word: string): string => `'${word.replaceAll(/['‘’‚‛]/g, '$&$&')}'`;

export class TentacleWorkspaces {
  readonly #root: string;
  readonly #runs: string;

  constructor(stateDirectory: string) {
    this.#root = join(stateDirectory, 'tentacle');
    this.#runs = join(stateDirectory, 'runs');
  }

  pathOf(ticket: string): string {
    return join(this.#root, nameKey(ticket));
  }

  /** @throws UnjamError `state-directory` */
  async make(ticket: string, files: readonly WorkspaceFile[]): Promise<void> {
    const folder = this.pathOf(ticket);
    try {
      await this.remove(ticket); // of a start that a crash cut off
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const { name, contents } of files)
        await writeFile(join(folder, name), contents, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      const known = systemProblem(error);
      throw new UnjamError(
        'state-directory',
        `The folder "${folder}" could not be written: ${known?.text ?? (error as Error).message}. Nothing was started.`,
        known?.next ?? 'Correct that and start it again.',
      );
    }
  }

  async remove(ticket: string): Promise<void> {
    await rm(this.pathOf(ticket), { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  /** A folder stays as long as the run directory of its ticket; what cannot be removed now is tried at the next sweep. */
  async sweep(isStarting: (key: string) => boolean): Promise<void> {
    const keys = await readdir(this.#root).catch(() => []);
    await Promise.all(
      keys.map(async (key) => {
        const isLeft = !isStarting(key) && !(await exists(join(this.#runs, key)));
        if (isLeft) await this.remove(key).catch(() => undefined);
      }),
    );
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
