/** WM_CLOSE to the visible windows of a script's processes: the polite end for programs that have no console. */
import koffi from 'koffi';
import { attempt, bind, type Handle, type Out, wideText } from './ffi.ts';

const enumWindows = bind<(callback: (window: Handle, parameter: number) => number, parameter: number) => number>(
  'user32',
  'int32',
  'EnumWindows',
  'void *',
  'intptr_t',
);
const getWindowThreadProcessId = bind<(window: Handle, pid: Out) => number>(
  'user32',
  'uint32',
  'GetWindowThreadProcessId',
  'uintptr_t',
  '_Out_ uint32 *',
);
const isWindowVisible = bind<(window: Handle) => number>('user32', 'int32', 'IsWindowVisible', 'uintptr_t');
const getClassName = bind<(window: Handle, text: Buffer, size: number) => number>(
  'user32',
  'int32',
  'GetClassNameW',
  'uintptr_t',
  '_Out_ void *',
  'int32',
);
const postMessage = bind<(window: Handle, message: number, first: number, second: number) => number>(
  'user32',
  'int32',
  'PostMessageW',
  'uintptr_t',
  'uint32',
  'uintptr_t',
  'intptr_t',
);

const wmClose = 0x0010;

/**
 * Console windows are left out: Windows names a client of the console as their owner, and closing one kills all its
 * clients after five seconds, which is not a request any more.
 */
const consoleClasses = new Set(['ConsoleWindowClass', 'PseudoConsoleWindow']);

/** How many windows took the message. 0 also where there is no desktop, as in session 0. */
export function closeWindows(pids: ReadonlySet<number>): number {
  const windows: Handle[] = [];
  const callback = koffi.register((window: Handle) => {
    const pid: Out = [0];
    getWindowThreadProcessId(window, pid);
    if (pids.has(Number(pid[0])) && isWindowVisible(window) && !consoleClasses.has(classOf(window)))
      windows.push(window);
    return 1;
  }, windowCallback());
  try {
    attempt(() => enumWindows(callback as unknown as never, 0));
  } finally {
    koffi.unregister(callback);
  }
  return windows.filter((window) => postMessage(window, wmClose, 0, 0) !== 0).length;
}

let windowCallbackType: ReturnType<typeof koffi.pointer> | undefined;
const windowCallback = (): ReturnType<typeof koffi.pointer> =>
  (windowCallbackType ??= koffi.pointer(koffi.proto('int32 __stdcall UnjamWindowCallback(uintptr_t, intptr_t)')));

function classOf(window: Handle): string {
  const text = Buffer.alloc(512);
  return getClassName(window, text, 256) > 0 ? wideText(text) : '';
}
