/**
 * Fetches Electron's binary for `npm start`, visibly. A download ends only when no byte has come for a while or the
 * person stops it; what has come is kept, and the next start goes on from there. Must not import electron.
 */
import { downloadArtifact } from '@electron/get';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { platform } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface DownloadWishes {
  /** The folder of the electron package, which holds the binary in `dist`. */
  readonly packageFolder: string;
  /** Where unfinished downloads stay. */
  readonly partialFolder: string;
  /** Where finished ones stay; the electron package's own cache when absent. */
  readonly cacheRoot?: string;
  readonly signal: AbortSignal;
  /** Bytes so far and in all (0 when the server does not say), whenever some have come. */
  readonly onProgress: (got: number, all: number) => void;
  /** No connection within this time: there is no network. 5,000 ms unless told. */
  readonly connectMs?: number;
  /** No byte for this time: the download is given up. 10,000 ms unless told. */
  readonly silentMs?: number;
}

/** Why there is no binary, as a clause. */
export class NoElectron extends Error {}

/** Path of the binary that is installed, or null. `path.txt` is what the electron package itself reads. */
export function electronBinary(packageFolder: string): string | null {
  const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(packageFolder, 'dist');
  const names = ['electron', 'electron.exe'];
  const pathFile = join(packageFolder, 'path.txt');
  if (existsSync(pathFile)) names.unshift(readFileSync(pathFile, 'utf8'));
  return names.map((name) => join(dist, name)).find((path) => existsSync(path)) ?? null;
}

export const electronVersion = (packageFolder: string): string =>
  (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }).version;

/** Downloads and unpacks; returns the binary's path. Throws `NoElectron`, or the signal's reason. */
export async function installElectron(wishes: DownloadWishes): Promise<string> {
  const { packageFolder, cacheRoot, signal } = wishes;
  const checksums = JSON.parse(readFileSync(join(packageFolder, 'checksums.json'), 'utf8')) as Record<string, string>;
  try {
    await downloadArtifact({
      version: electronVersion(packageFolder),
      artifactName: 'electron',
      platform: platform(),
      arch: process.arch,
      checksums,
      ...(cacheRoot === undefined ? {} : { cacheRoot }),
      downloader: { download: (url, target) => download(url, target, wishes) },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoElectron) throw error;
    throw new NoElectron(`the download is not what Electron published (${message(error)})`, { cause: error });
  }
  // Finds the archive in the cache, checks it, and unpacks it.
  const { status, stderr } = spawnSync(process.execPath, [join(packageFolder, 'install.js')], {
    env: { ...process.env, ...(cacheRoot === undefined ? {} : { electron_config_cache: cacheRoot }) },
    encoding: 'utf8',
  });
  const binary = electronBinary(packageFolder);
  if (status === 0 && binary !== null) return binary;
  throw new NoElectron(`it could not be unpacked: ${stderr.trim().split('\n')[0] ?? `code ${status}`}`);
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Into `target`, on from what an earlier download left. */
async function download(url: string, target: string, wishes: DownloadWishes): Promise<void> {
  mkdirSync(wishes.partialFolder, { recursive: true });
  const partial = join(wishes.partialFolder, createHash('sha256').update(url).digest('hex'));
  const had = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  const response = await request(url, had, wishes);
  if (response.statusCode === 416) {
    response.destroy();
    rmSync(partial, { force: true }); // longer than the file is now
    return download(url, target, wishes);
  }
  const goesOn = response.statusCode === 206;
  if (!goesOn && response.statusCode !== 200) {
    response.destroy();
    throw new NoElectron(`${new URL(url).host} answered with status ${response.statusCode}`);
  }
  let got = goesOn ? had : 0;
  const all = got + Number(response.headers['content-length'] ?? 0);
  response.on('data', (chunk: Buffer) => {
    got += chunk.length;
    wishes.onProgress(got, all);
  });
  try {
    await pipeline(response, createWriteStream(partial, { flags: goesOn ? 'a' : 'w' }), { signal: wishes.signal });
  } catch (error) {
    wishes.signal.throwIfAborted();
    throw error instanceof NoElectron ? error : new NoElectron(`the download broke off (${message(error)})`);
  }
  await copyFile(partial, target);
  rmSync(partial, { force: true }); // the archive is checked next; a damaged one must not be gone on with
}

/** Follows redirections. Rejects when no connection can be had, or one says nothing. */
async function request(url: string, from: number, wishes: DownloadWishes, hops = 0): Promise<IncomingMessage> {
  const { connectMs = 5_000, silentMs = 10_000, signal } = wishes;
  const { host, protocol } = new URL(url);
  const get = protocol === 'http:' ? getHttp : getHttps;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = get(url, { signal, headers: from > 0 ? { range: `bytes=${from}-` } : {} }, resolve);
    const giveUp = (why: string) => (): void => void asked.destroy(new NoElectron(why));
    const connecting = setTimeout(giveUp(`no connection to ${host} within ${connectMs / 1000} s`), connectMs);
    const connected = (): void => clearTimeout(connecting);
    asked.on('socket', (socket) => (socket.connecting ? socket.once('connect', connected) : connected()));
    asked.setTimeout(silentMs, giveUp(`${host} has sent nothing for ${silentMs / 1000} s`));
    asked.on('close', connected);
    asked.on('error', (error) =>
      reject(error instanceof NoElectron ? error : new NoElectron(`${host} cannot be reached (${message(error)})`)),
    );
  });
  const { location } = response.headers;
  if (!location || (response.statusCode ?? 0) < 300 || (response.statusCode ?? 0) >= 400) {
    // A timeout destroys the request without an error of its own once there is a response.
    response.setTimeout(silentMs, () =>
      response.destroy(new NoElectron(`${host} has sent nothing for ${silentMs / 1000} s`)),
    );
    return response;
  }
  response.destroy();
  if (hops === 5) throw new NoElectron(`${host} redirects without end`);
  return request(new URL(location, url).href, from, wishes, hops + 1);
}
