/** Opens a URL in the default browser, when there is a display to show it on. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findExecutable } from '../processes/find-executable.ts';
import { hasDesktop, isWindows } from '../processes/places.ts';

/** How long a browser gets to read the file, ms. */
const redirectLivesMs = 60_000;

/**
 * False when there is no display or no opener: the caller then prints the URL. The URL lets in whoever comes first, and
 * every command line can be read by everybody, so the browser is given a file that only its user can read.
 */
export async function openInBrowser(url: string): Promise<boolean> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  );
  if (!hasDesktop(environment)) return false;
  const [opener, ...args] = isWindows ? ['rundll32.exe', 'url.dll,FileProtocolHandler'] : ['xdg-open'];
  const file = opener === undefined ? null : findExecutable(opener, process.cwd(), environment);
  if (file === null) return false;
  const redirect = writeRedirect(url);
  const child = spawn(file, [...args, pathToFileURL(redirect).href], { detached: true, stdio: 'ignore' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}

/** In the home folder: a confined browser sees no other, and no hidden one. */
function writeRedirect(url: string): string {
  const page = `<!doctype html><meta charset="utf-8"><title>Unjam</title><meta http-equiv="refresh" content="0; url=${url}">\n`;
  const name = `unjam-console-${randomBytes(8).toString('hex')}.html`;
  const write = (folder: string): string => {
    const path = join(folder, name);
    writeFileSync(path, page, { mode: 0o600, flag: 'wx' });
    return path;
  };
  let path: string;
  try {
    path = write(homedir());
  } catch {
    path = write(mkdtempSync(join(tmpdir(), 'unjam-console-')));
  }
  const remove = (): void => rmSync(path, { force: true });
  setTimeout(remove, redirectLivesMs).unref();
  process.once('exit', remove);
  return path;
}
