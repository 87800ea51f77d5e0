/** One Windows runtime for a test file, and the ways in which its tests use it. */
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Program, type WindowsRuntime, windowsRuntime } from '../../support/wine.ts';

export interface TestRuntime {
  readonly windows: WindowsRuntime;
  /** Runs a scenario of a driver to its end, in a folder of its own, and gives what it saw. */
  scenario<T>(driver: string, name: string, options?: Readonly<Record<string, string>>): Promise<T>;
  /** Starts a scenario that is watched while it runs. */
  start(driver: string, name: string, options?: Readonly<Record<string, string>>): Program;
}

export function useWindows(): TestRuntime {
  let windows: WindowsRuntime | undefined;
  let count = 0;
  const get = (): WindowsRuntime => {
    if (!windows) throw new Error('The Windows runtime is there only while tests run.');
    return windows;
  };
  beforeAll(async () => {
    windows = await windowsRuntime();
  });
  afterAll(async () => {
    await windows?.stop();
  });
  const start: TestRuntime['start'] = (driver, name, options = {}) => {
    const folder = join(get().folder, `${++count}`);
    return get().run(driver, [name, get().path(folder), JSON.stringify(options)]);
  };
  return {
    get windows() {
      return get();
    },
    start,
    async scenario<T>(driver: string, name: string, options?: Readonly<Record<string, string>>) {
      const [result] = await start(driver, name, options).report<T>();
      return result as T;
    },
  };
}

/** Skips in the name say why; on real Windows these tests run. */
export const isWindows = process.platform === 'win32';
