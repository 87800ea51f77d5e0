/** Win32 error codes as people and callers of Node know them. */

/** https://learn.microsoft.com/windows/win32/debug/system-error-codes: those that starting and ending processes meets. */
const texts: Readonly<Record<number, readonly [code: string, text: string]>> = {
  2: ['ENOENT', 'the file was not found'],
  3: ['ENOENT', 'the path was not found'],
  5: ['EACCES', 'access is denied'],
  6: ['EBADF', 'there is no such handle or console'],
  8: ['ENOMEM', 'Windows is out of memory'],
  14: ['ENOMEM', 'Windows is out of memory'],
  31: ['EIO', 'the system reported a general failure'],
  32: ['EBUSY', 'another process uses the file'],
  33: ['EBUSY', 'another process has locked a part of the file'],
  87: ['ESRCH', 'there is no such process, or a parameter is wrong'],
  183: ['EEXIST', 'it already exists'],
  193: ['ENOEXEC', 'the file is not a Windows program'],
  206: ['ENAMETOOLONG', 'the name or the command line is too long'],
  216: ['ENOEXEC', 'the program is for another kind of processor'],
  225: ['EACCES', 'the antivirus blocks the file'],
  267: ['ENOENT', 'the working folder does not exist or is not a folder'],
  740: ['EACCES', 'the program asks for administrator rights'],
  1260: ['EACCES', 'a group policy blocks the program'],
  1314: ['EPERM', 'a needed privilege is not held'],
  1816: ['ENOMEM', 'a quota is exhausted'],
};

export function describeError(error: number): string {
  const known = texts[error];
  return known ? `${known[1]} (Windows error ${error})` : `Windows error ${error}`;
}

/** An Error with a `code` as Node's own have it, and the Windows error as `errno`. */
export function windowsError(what: string, error: number): NodeJS.ErrnoException {
  const failure: NodeJS.ErrnoException = new Error(`${what}: ${describeError(error)}`);
  failure.code = texts[error]?.[0] ?? 'UNKNOWN';
  failure.errno = error;
  return failure;
}

/** What the caller gave cannot be expressed to Windows. */
export class InvalidInputError extends Error {
  readonly code = 'EINVAL';
}
