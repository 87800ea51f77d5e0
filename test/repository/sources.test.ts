/** Which file may touch which part of Electron; what a reviewer would otherwise have to check each time. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { buildPreload } from '../support/preload.ts';

const repository = join(import.meta.dirname, '..', '..');
const folder = join(repository, 'main');
const sources = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((file) => ({ file: relative(folder, file).replaceAll('\\', '/'), text: readFileSync(file, 'utf8') }));

/** Without comments, so that a file may explain what it does not do. */
const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
const filesWith = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(code(text))).map(({ file }) => file);

test('Electron’s objects enter through main.ts and the preload alone', () => {
  expect(filesWith(/import (?!type)[^;]*from 'electron'/).sort()).toEqual(['main.ts', 'preload/preload.ts']);
  expect(filesWith(/\brequire\s*\(|\bimport\s*\(\s*['"]electron/)).toEqual([]);
});

test('ipcMain is passed from the shell to the door for the page and named nowhere else', () => {
  expect(filesWith(/\bipcMain\b/).sort()).toEqual(['page/door.ts', 'shell.ts']);
});

test('contextBridge and ipcRenderer are the preload’s', () => {
  expect(filesWith(/\b(contextBridge|ipcRenderer)\b/)).toEqual(['preload/preload.ts']);
});

test('nothing opens an external program, evaluates text or turns a fence off', () => {
  expect(
    filesWith(
      /\bopenExternal\b|\bopenItem\b|\bshowItemInFolder\b|\beval\(|new Function\(|executeJavaScript|bypassCSP: true|webSecurity: false|sandbox: false|contextIsolation: false/,
    ),
  ).toEqual([]);
});

test('the only path that the system is asked to open is the state directory', () => {
  expect(filesWith(/\bopenPath\b/)).toEqual(['page/door.ts']);
  const text = code(sources.find(({ file }) => file === 'page/door.ts')?.text ?? '');
  expect(text.match(/\.openPath\([^)]*\)/g)).toEqual(['.openPath(stateDirectory)']);
  expect(filesWith(/\bfolderOpener\([^)]*\bparts\.stateDirectory\b/)).toEqual(['shell.ts']);
});

test('main.ts reads as a boot order, and every file is one idea long', () => {
  const lines = (text: string) => text.trimEnd().split('\n').length;
  expect(lines(sources.find(({ file }) => file === 'main.ts')?.text ?? '')).toBeLessThanOrEqual(90);
  expect(sources.filter(({ text }) => lines(text) > 300).map(({ file }) => file)).toEqual([]);
});

test('the console and the preload carry no schema library', () => {
  const folder = join(repository, 'renderer');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(ts|svelte)$/.test(file),
  );
  const imports = files.flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/^\s*import (?!type\b)[^'";]*from '([^']+)'/gm)].map(
      ([, from = '']) => `${file}: ${from}`,
    ),
  );
  expect(imports.length).toBeGreaterThan(50);
  expect(imports.filter((one) => /: (?:zod|.*\/app\/contract\/.*)$/.test(one))).toEqual([]);
});

test('the console makes no markup of a string', () => {
  const folder = join(repository, 'renderer');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => /\.(ts|svelte)$/.test(f));
  expect(files.length).toBeGreaterThan(50);
  const makes = /\{@html\b|\b(?:inner|outer)HTML\b|\binsertAdjacentHTML\b|\bdocument\.write\b|\bcreateRawSnippet\b/;
  expect(files.filter((file) => makes.test(code(readFileSync(join(folder, file), 'utf8'))))).toEqual([]);
});

test(
  'the built preload needs nothing but electron, and gives the page two functions',
  { timeout: 60_000 },
  async () => {
    const text = await buildPreload();
    expect(text.match(/\brequire\s*\([^)]*\)/g)).toEqual(['require("electron")']);

    // A sandboxed preload has no Buffer, no process.binding and no module but electron.
    const exposed: Record<string, unknown> = {};
    const heard: unknown[][] = [];
    let listener: ((...args: unknown[]) => void) | undefined;
    const electron = {
      contextBridge: { exposeInMainWorld: (key: string, value: unknown) => (exposed[key] = value) },
      ipcRenderer: {
        invoke: async (...args: unknown[]) => args,
        on: (_channel: string, next: typeof listener) => (listener = next),
        off: (_channel: string, next: typeof listener) => {
          if (listener === next) listener = undefined;
        },
      },
    };
    const module = { exports: {} };
    const require = (name: string) => {
      if (name !== 'electron') throw new Error(`no module ${name}`);
      return electron;
    };
    runInContext(text, createContext({ require, module, exports: module.exports }));

    expect(Object.keys(exposed)).toEqual(['bridge']);
    const bridge = exposed['bridge'] as {
      call: (m: string, i: unknown) => Promise<unknown>;
      on: (e: string, l: (...a: unknown[]) => void) => () => void;
    };
    expect(Object.keys(bridge).sort()).toEqual(['call', 'on']);
    expect(await bridge.call('scripts.list', { all: true })).toEqual(['rpc', 'scripts.list', { all: true }]);
    const end = bridge.on('snapshot', (...args) => heard.push(args));
    listener?.({ sender: 'the raw event' }, 'snapshot', { sequence: 1 });
    listener?.({ sender: 'the raw event' }, 'open', { view: 'scripts' });
    end();
    expect([heard, listener]).toEqual([[[{ sequence: 1 }]], undefined]);
  },
);
