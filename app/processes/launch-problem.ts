/** What the platform would silently do otherwise than asked: refused before anything starts. Pure. */
import { win32 } from 'node:path';
import type { Platform } from '../domain/platform.ts';
import { isBatchFile } from './windows/command-line.ts';

export interface LaunchProblem {
  readonly message: string;
  readonly next: string;
}

/** CreateProcessW's lpCurrentDirectory: MAX_PATH without a final backslash and a zero. */
const longestFolder = 258;

/** Null when nothing is wrong with starting `file` in `cwd`; both are absolute. */
export function launchProblem(platform: Platform, file: string, cwd: string): LaunchProblem | null {
  if (platform !== 'win32') return null;
  const folder = win32.normalize(cwd);
  if (readByCmd(file) && /^[\\/]{2}/.test(cwd))
    return {
      message: `cmd.exe cannot work in "${cwd}": it would run the script in the Windows folder instead.`,
      next: 'Give a folder with a drive letter (net use, subst), or let the batch file go there itself with pushd; nothing was started.',
    };
  if (folder.length > longestFolder)
    return {
      message: `The working folder has ${folder.length} characters; Windows starts programs in folders of up to ${longestFolder}.`,
      next: 'Give a shorter one, through subst or a junction for instance; nothing was started.',
    };
  return null;
}

const readByCmd = (file: string): boolean => isBatchFile(file) || /^cmd(?:\.exe)?$/i.test(win32.basename(file));
