/** `npm start` as a person meets it, up to the point where Electron itself would run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, cpSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const project = join(import.meta.dirname, '../..');
const clean: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of clean.splice(0).reverse()) await step();
});

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Resolves when this was said; rejects when the program ends before. */
  says(what: RegExp): Promise<string>;
}

function start(env: NodeJS.ProcessEnv, home = mkdtempSync(join(tmpdir(), 'unjam-start-'))): Started {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ELECTRON_OVERRIDE_DIST_PATH: _dist, ...rest } = process.env;
  const child = spawn(process.execPath, [join(project, 'main/start.ts')], {
    cwd: '/',
    // A download that is stopped leaves its beginning here.
    env: { ...rest, TMPDIR: home, UNJAM_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  clean.push(async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(home, { recursive: true, force: true });
  });
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      for (const listener of listeners) listener();
    });
  return {
    child,
    said: () => text,
    says: (what) =>
      new Promise((resolve, reject) => {
        const look = (): void => (what.test(text) ? resolve(text) : undefined);
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`It ended without saying ${what}:\n${text}`)));
      }),
  };
}

function temporary(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  clean.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function electronPackage(): string {
  const folder = temporary('unjam-electron-');
  for (const name of ['package.json', 'install.js', 'checksums.json'])
    cpSync(join(project, 'node_modules/electron', name), join(folder, name));
  return folder;
}

test('without a desktop it says why, which address to open, how to stop, and how from another machine', async () => {
  const home = mkdtempSync(join(tmpdir(), 'unjam-start-'));
  const first = start({}, home);
  const text = await first.says(/then open the address there/);
  expect(text).toMatch(/^There is no desktop here, so the console opens in a browser\.$/m);
  const [, url = '', port = ''] =
    /^Open this address in your browser: (http:\/\/127\.0\.0\.1:(\d+)\/\S*)$/m.exec(text) ?? [];
  expect(text).toContain('Ctrl-C stops this host');
  expect(text).toContain('npx unjam open');
  expect(text).toContain(`ssh -L ${port}:127.0.0.1:${port} `);
  expect((await fetch(url, { redirect: 'manual' })).status).toBeLessThan(400);
  first.child.kill('SIGINT');
  await new Promise((done) => first.child.once('close', done));

  // The port stays, so that a tunnel can.
  const again = await start({}, home).says(/Open this address/);
  expect(again).toContain(`http://127.0.0.1:${port}/`);
});

test('on a desktop without a network it says so once, with the command to try again, and opens a browser', async () => {
  const { said, says } = start({
    DISPLAY: ':0',
    PATH: join(process.execPath, '..'), // no xdg-open
    ELECTRON_MIRROR: 'http://127.0.0.1:1/',
    UNJAM_ELECTRON_PACKAGE: electronPackage(),
    XDG_CACHE_HOME: temporary('unjam-cache-'),
  });
  await says(/Open this address in your browser/);
  expect(
    said().match(/^Electron is not installed: 127\.0\.0\.1:1 cannot be reached .*\. To try again: npm start$/gm),
  ).toHaveLength(1);
  expect(said()).toMatch(/^Opening the console in your browser instead\.$/m);
});

test('a download in progress is shown', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 110e6 });
    response.write(Buffer.alloc(1_000_000));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  clean.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { says } = start({
    DISPLAY: ':0',
    ELECTRON_MIRROR: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    UNJAM_ELECTRON_PACKAGE: electronPackage(),
    XDG_CACHE_HOME: temporary('unjam-cache-'),
  });
  expect(await says(/ of 110 MB, /)).toMatch(/^Downloading Electron [\d.]+, about 110 MB, this first time only\.$/m);
});
