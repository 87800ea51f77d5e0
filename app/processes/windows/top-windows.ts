/** The top-level windows of a script's processes: to close them politely, and because a dialog that nobody sees is a hang. */
import koffi from 'koffi';
import { attempt, bind, type Handle, type Out, wideText } from './ffi.ts';

const enumWindows = bind<(callback: bigint, parameter: number) => number>(
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
const isHungAppWindow = bind<(window: Handle) => number>('user32', 'int32', 'IsHungAppWindow', 'uintptr_t');
const getClassName = bind<(window: Handle, text: Buffer, size: number) => number>(
  'user32',
  'int32',
  'GetClassNameW',
  'uintptr_t',
  '_Out_ void *',
  'int32',
);
/** Unlike GetWindowText it asks the kernel, not the window: a hung one cannot hold the caller. */
const internalGetWindowText = bind<(window: Handle, text: Buffer, size: number) => number>(
  'user32',
  'int32',
  'InternalGetWindowText',
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

export interface TopWindow {
  readonly handle: Handle;
  readonly pid: number;
  readonly title: string;
  /** `#32770` is a dialog. */
  readonly className: string;
  /** It has not answered for five seconds. */
  readonly hung: boolean;
}

const wmClose = 0x0010;

/**
 * Console windows are left out: Windows names a client of the console as their owner, and closing one kills all its
 * clients after five seconds, which is not a request any more.
 */
const consoleClasses = new Set(['ConsoleWindowClass', 'PseudoConsoleWindow']);

/** The visible windows of these processes; none where there is no desktop, as in session 0. */
export function topWindows(pids: ReadonlySet<number>): readonly TopWindow[] {
  const windows: TopWindow[] = [];
  const callback = koffi.register((handle: Handle) => {
    const owner: Out = [0];
    getWindowThreadProcessId(handle, owner);
    const pid = Number(owner[0]);
    if (!pids.has(pid) || !isWindowVisible(handle)) return 1;
    const className = textOf((text) => getClassName(handle, text, 256));
    if (consoleClasses.has(className)) return 1;
    const title = textOf((text) => internalGetWindowText(handle, text, 256));
    windows.push({ handle, pid, title, className, hung: isHungAppWindow(handle) !== 0 });
    return 1;
  }, windowCallback());
  try {
    attempt(() => enumWindows(callback, 0));
  } finally {
    koffi.unregister(callback);
  }
  return windows;
}

/** How many windows took WM_CLOSE. */
export const closeWindows = (pids: ReadonlySet<number>): number =>
  topWindows(pids).filter((window) => postMessage(window.handle, wmClose, 0, 0) !== 0).length;

let windowCallbackType: ReturnType<typeof koffi.pointer> | undefined;
const windowCallback = (): ReturnType<typeof koffi.pointer> =>
  (windowCallbackType ??= koffi.pointer(koffi.proto('int32 __stdcall UnjamWindowCallback(uintptr_t, intptr_t)')));

function textOf(read: (text: Buffer) => number): string {
  const text = Buffer.alloc(512);
  return (attempt(() => read(text)) ?? 0) > 0 ? wideText(text) : '';
}
