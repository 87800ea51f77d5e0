/** Who serves a Unix socket, told by the socket's file and the folder that it lies in. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openServerOwner } from '../../app/processes/index.ts';

const own = userInfo();
const asRoot = test.skipIf(own.uid !== 0);
const onLinux = test.skipIf(process.platform === 'win32');
const another = 65_534;
let folder: string;
let address: string;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-owner-'));
  address = join(folder, 'host.sock');
  server = createServer();
  await new Promise<void>((done) => server.listen(address, done));
});

afterEach(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

const ownerOf = async () => (await openServerOwner())(address);

onLinux('who made it, in a folder of their own', async () => {
  expect(await ownerOf()).toEqual({ user: own.username, ids: [`uid:${own.uid}`], pid: null });
});

onLinux('nobody is believed in a folder that others can write', async () => {
  chmodSync(folder, 0o777);
  expect(await ownerOf()).toMatchObject({ ids: [], user: expect.stringContaining('others can write it') });
});

asRoot('of another user’s socket that user, and nobody in a folder of a third one', async () => {
  chownSync(address, another, another);
  chownSync(folder, another, another);
  expect((await ownerOf()).ids).toEqual([`uid:${another}`]);
  chownSync(folder, 1234, 1234);
  expect((await ownerOf()).ids).toEqual([]);
});

asRoot('nobody, when somebody else can exchange a folder on the way', async () => {
  const below = join(folder, 'below');
  mkdirSync(below, { mode: 0o700 });
  chownSync(folder, another, another);
  const other = createServer();
  address = join(below, 'host.sock');
  await new Promise<void>((done) => other.listen(address, done));
  expect((await ownerOf()).ids).toEqual([]);
  await new Promise((done) => other.close(done));
});

onLinux('nobody, when the socket is not there any more', async () => {
  address = join(folder, 'gone.sock');
  expect((await ownerOf()).ids).toEqual([]);
});
