/**
 * The door to the Windows libraries: koffi, bound lazily, one function at a time, because a missing export throws
 * (Wine 8 and old Windows lack some). x64 only. Handles and addresses are numbers (`uintptr_t`); structures are Buffers
 * that the callers lay out and read by hand, next to the page that documents them.
 */
import koffi from 'koffi';

/** A HANDLE, HWND or address. koffi gives a bigint above 2^53. */
export type Handle = number | bigint;

export type Out = [number | bigint | null];

type LibraryName = 'kernel32' | 'ntdll' | 'advapi32' | 'user32' | 'iphlpapi' | 'secur32';

const libraries = new Map<LibraryName, ReturnType<typeof koffi.load>>();

function library(name: LibraryName): ReturnType<typeof koffi.load> {
  let found = libraries.get(name);
  if (!found) libraries.set(name, (found = koffi.load(`${name}.dll`)));
  return found;
}

/**
 * A function that is looked up at its first call. `parameters` are C types without names.
 *
 * Calls into ntdll and user32 are padded to eight parameters: with four or fewer, Wine 10 reads past koffi's stack when
 * the export is a bare system call stub, and hangs. Extra arguments are harmless in the x64 calling convention.
 */
export function bind<F extends (...args: never[]) => unknown>(
  name: LibraryName,
  result: string,
  symbol: string,
  ...parameters: string[]
): F {
  const padding = name !== 'ntdll' && name !== 'user32' ? 0 : Math.max(0, 8 - parameters.length);
  const padded = [...parameters, ...Array<string>(padding).fill('void *')];
  const nulls = Array<null>(padding).fill(null);
  let native: ((...args: unknown[]) => unknown) | undefined;
  const call = (...args: unknown[]): unknown => {
    native ??= library(name).func(`${result} __stdcall ${symbol}(${padded.join(', ') || 'void'})`);
    return native(...args, ...nulls);
  };
  return call as unknown as F;
}

/**
 * As `bind`, on a thread of koffi's own: for calls that another process answers, and may not. Nothing is padded. `error`
 * is the last error of that thread.
 */
export function bindAsync<R>(
  name: 'kernel32' | 'advapi32',
  result: string,
  symbol: string,
  ...parameters: string[]
): (...args: unknown[]) => Promise<{ readonly result: R; readonly error: number }> {
  let native: ReturnType<ReturnType<typeof koffi.load>['func']> | undefined;
  return (...args) =>
    new Promise((resolve, reject) => {
      native ??= library(name).func(`${result} __stdcall ${symbol}(${parameters.join(', ')})`);
      native.async(...args, (problem: unknown, value: R) => {
        if (problem == null) resolve({ result: value, error: getLastError() });
        else reject(problem instanceof Error ? problem : new Error('The call could not be made.'));
      });
    });
}

const getLastError = bind<() => number>('kernel32', 'uint32', 'GetLastError');

/** For functions that not every Windows has: null instead of an exception. */
export function attempt<T>(call: () => T): T | null {
  try {
    return call();
  } catch {
    return null;
  }
}

/** Address of a Buffer's first byte. The buffer must be kept reachable for as long as the address is used. */
export function addressOf(buffer: Buffer): bigint {
  return koffi.address(buffer);
}

/** Zero-terminated UTF-16 text at `offset` of `buffer`, at most to its end. */
export function wideText(buffer: Buffer, offset = 0): string {
  const text = buffer.toString('utf16le', offset);
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}
