/** The download of Electron's binary, from servers of this machine: fast, slow, silent, broken, refusing. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { electronBinary, electronVersion, installElectron, NoElectron } from '../../main/electron-download.ts';

const project = join(import.meta.dirname, '../..');
const onLinux = test.skipIf(process.platform !== 'linux');

/** An archive with one file as it is, without compression (APPNOTE.TXT 4.3). */
function zip(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(26);
  head.writeUInt16LE(20, 0);
  head.writeUInt32LE(crc32(content), 10);
  head.writeUInt32LE(content.length, 14);
  head.writeUInt32LE(content.length, 18);
  head.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), head, Buffer.from(name), content]);
  const mode = Buffer.alloc(14);
  mode.writeUInt32LE(0o100755 * 65_536, 6);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), head, mode, Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]);
}

const archive = zip('electron', Buffer.alloc(300_000, '#!/bin/sh\n'));
const clean: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const step of clean.splice(0)) step();
});

/** A copy of the electron package without its binary, in the checkout so that it finds its own packages. */
function electronPackage() {
  mkdirSync(join(project, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(project, '.cache', 'electron-test-'));
  clean.push(() => rmSync(folder, { recursive: true, force: true }));
  const packageFolder = join(folder, 'electron');
  mkdirSync(packageFolder);
  for (const name of ['package.json', 'install.js'])
    cpSync(join(project, 'node_modules/electron', name), join(packageFolder, name));
  const file = `electron-v${electronVersion(packageFolder)}-${process.platform}-${process.arch}.zip`;
  const sum = createHash('sha256').update(archive).digest('hex');
  writeFileSync(join(packageFolder, 'checksums.json'), JSON.stringify({ [file]: sum }));
  return { packageFolder, partialFolder: join(folder, 'partial'), cacheRoot: join(folder, 'cache') };
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<IncomingMessage[]> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    void answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  clean.push(() => {
    server.closeAllConnections();
    server.close();
  });
  vi.stubEnv('ELECTRON_MIRROR', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', undefined);
  return requests;
}

const whole = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-length': archive.length });
const never = new AbortController().signal;

onLinux('a server that answers: the binary is there, and how much has come was told', async () => {
  const requests = await serve((_request, response) => void whole(response).end(archive));
  const place = electronPackage();
  const told: [number, number][] = [];
  const binary = await installElectron({ ...place, signal: never, onProgress: (...of) => told.push(of) });
  expect(readFileSync(binary, 'latin1')).toMatch(/^#!\/bin\/sh/);
  expect(electronBinary(place.packageFolder)).toBe(binary);
  expect(told.at(-1)).toEqual([archive.length, archive.length]);
  expect(requests).toHaveLength(1);

  // What has been downloaded once is kept.
  rmSync(join(place.packageFolder, 'dist'), { recursive: true });
  await installElectron({ ...place, signal: never, onProgress: () => undefined });
  expect(requests).toHaveLength(1);
});

onLinux('a server that is slow, but never silent for long, is waited for, however long it takes in all', async () => {
  const silentMs = 1_500;
  await serve(async (_request, response) => {
    whole(response);
    for (let at = 0; at < archive.length; at += archive.length / 20) {
      response.write(archive.subarray(at, at + archive.length / 20));
      await delay(silentMs / 10);
    }
    response.end();
  });
  const began = performance.now();
  const place = electronPackage();
  await installElectron({ ...place, silentMs, signal: never, onProgress: () => undefined });
  expect(performance.now() - began).toBeGreaterThan(silentMs);
});

onLinux.each([
  ['from the beginning', (): void => undefined],
  ['in the middle', (response: ServerResponse): void => void whole(response).write(archive.subarray(0, 100_000))],
] as const)('a server that falls silent %s is given up', async (_when, answer) => {
  await serve((_request, response) => answer(response));
  const wishes = { ...electronPackage(), silentMs: 300, signal: never, onProgress: () => undefined };
  await expect(installElectron(wishes)).rejects.toThrow(/127\.0\.0\.1:\d+ has sent nothing for 0\.3 s/);
  expect(electronBinary(wishes.packageFolder)).toBeNull();
});

onLinux('a download that breaks off is gone on with at the next start', async () => {
  let begun: ServerResponse | undefined;
  const requests = await serve((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from === 0) (begun = whole(response)).write(archive.subarray(0, 100_000));
    else response.writeHead(206, { 'content-length': archive.length - from }).end(archive.subarray(from));
  });
  const wishes = { ...electronPackage(), signal: never, onProgress: () => undefined };
  const broken = expect(installElectron(wishes)).rejects.toThrow(/the download broke off/);
  const kept = (): number =>
    existsSync(wishes.partialFolder)
      ? readdirSync(wishes.partialFolder).reduce(
          (sum, name) => sum + statSync(join(wishes.partialFolder, name)).size,
          0,
        )
      : 0;
  await expect.poll(kept).toBeGreaterThan(0);
  begun?.destroy();
  await broken;
  const told: number[] = [];
  await installElectron({ ...wishes, onProgress: (got) => told.push(got) });
  expect(requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  expect(told.at(-1)).toBe(archive.length);
});

onLinux('an archive that is not what Electron published is refused, and not gone on with', async () => {
  await serve((_request, response) => {
    response.end(Buffer.alloc(archive.length));
  });
  const wishes = { ...electronPackage(), signal: never, onProgress: () => undefined };
  await expect(installElectron(wishes)).rejects.toThrow(/not what Electron published/);
  expect(electronBinary(wishes.packageFolder)).toBeNull();
  await serve((request, response) => {
    expect(request.headers.range).toBeUndefined();
    whole(response).end(archive);
  });
  expect(existsSync(await installElectron(wishes))).toBe(true);
});

test.each([404, 503])('a server that answers %i is named with its status', async (status) => {
  await serve((_request, response) => {
    response.writeHead(status).end();
  });
  const wishes = { ...electronPackage(), signal: never, onProgress: () => undefined };
  await expect(installElectron(wishes)).rejects.toThrow(`answered with status ${status}`);
});

test('a server that refuses the connection is known at once', async () => {
  await serve(() => undefined);
  vi.stubEnv('ELECTRON_MIRROR', 'http://127.0.0.1:1/');
  const wishes = { ...electronPackage(), signal: never, onProgress: () => undefined };
  await expect(installElectron(wishes)).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached \(.*ECONNREFUSED/);
});

test('the person can stop it, and what has come is kept', async () => {
  await serve((_request, response) => void whole(response).write(archive.subarray(0, 100_000)));
  const stop = new AbortController();
  const reason = new NoElectron('stopped');
  const wishes = { ...electronPackage(), signal: stop.signal, onProgress: () => stop.abort(reason) };
  await expect(installElectron(wishes)).rejects.toBe(reason);
});
