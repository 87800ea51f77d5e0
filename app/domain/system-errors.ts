/** What a refusal of the operating system means, and what to do about it. Pure. */
export interface SystemProblem {
  /** Begins in lower case, without a full stop; ends with the system's own words. */
  readonly text: string;
  readonly next: string;
}

const meanings: Readonly<Record<string, readonly [text: string, next: string]>> = {
  ENOSPC: ['the disk is full', 'Free space on it.'],
  EDQUOT: ['the quota of this user is exhausted', 'Free space, or have the quota raised.'],
  EROFS: ['its file system is read-only', 'Mount it writable (its log may say why it is not), or name another place.'],
  EACCES: ['access is denied', 'Correct its owner and its rights.'],
  EPERM: ['the system does not permit it', 'Run it as a user who may.'],
  ESTALE: ['the file server no longer knows it', 'Mount it again.'],
  EIO: ['the disk reports an error', 'Look at the log of the system.'],
  EMFILE: ['this process has run out of file descriptors', 'Raise the limit (ulimit -n).'],
  ENFILE: ['this machine has run out of file descriptors', 'Raise fs.file-max, or end programs.'],
  EAGAIN: ['no more processes can be started', 'Raise the limit (ulimit -u, pids.max), or end programs.'],
  ENOMEM: ['the machine is out of memory', 'End programs, or raise the limit.'],
  ENAMETOOLONG: ['the path is too long', 'Use a shorter one.'],
  ELOOP: ['its links form a loop', 'Correct the link.'],
  ENOTDIR: ['part of the path is not a folder', 'Correct the path.'],
  ENOENT: ['part of the path does not exist', 'Create it, or correct the path.'],
  EEXIST: ['something that is not a folder has that name', 'Correct the path.'],
  EFBIG: ['the file has reached its size limit', 'Raise the limit (ulimit -f).'],
};

/** Null for an error that is not the operating system's. `inodesLeft`: of the file system, where that is known. */
export function systemProblem(error: unknown, inodesLeft?: number): SystemProblem | null {
  if (!(error instanceof Error)) return null;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return null;
  if (syscall === 'uv_cwd')
    return { text: 'the folder that this was started in no longer exists', next: 'Change to another folder first.' };
  const [text, next] =
    code === 'ENOSPC' && inodesLeft === 0
      ? [
          'the file system has no inode left for another file',
          'Remove files from it (df -i tells how many it can have).',
        ]
      : (meanings[code] ?? ['the system refused it', 'Look at what it names.']);
  return { text: `${text} (${message})`, next };
}
