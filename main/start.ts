/**
 * `npm start`: opens the console, in Electron where there is a desktop and its binary is installed or can be
 * downloaded, else in a browser from the headless host. Says which, and why. Must not import electron, which would
 * itself try to download the binary.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as http from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasDesktop } from '../app/processes/places.ts';
import { electronBinary, electronVersion, installElectron, NoElectron } from './electron-download.ts';

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const packageFolder = process.env['UNJAM_ELECTRON_PACKAGE'] ?? root('node_modules/electron');
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** Downloads with a line that shows how far it is; Enter gives it up. */
async function download(): Promise<string | null> {
  say(`Downloading Electron ${electronVersion(packageFolder)}, about 110 MB, this first time only.`);
  const { stdin, stdout } = process;
  const stop = new AbortController();
  if (stdin.isTTY) {
    say('Press Enter to open the console in a browser instead, Ctrl-C to stop. What has come is kept.');
    stdin.once('data', () => stop.abort(new NoElectron('you stopped the download')));
  }
  const began = performance.now();
  let [first, shown, step] = [-1, 0, -1];
  try {
    return await installElectron({
      packageFolder,
      partialFolder: join(packageFolder, 'unfinished'),
      signal: stop.signal,
      onProgress(got, all) {
        if (first < 0) first = got;
        const now = performance.now();
        const speed = ((got - first) / 1e6 / Math.max(0.1, (now - began) / 1000)).toFixed(1);
        const line = `${megabytes(got)} of ${all > 0 ? megabytes(all) : '?'} MB, ${speed} MB/s`;
        if (stdout.isTTY && now - shown > 200) {
          shown = now;
          stdout.write(`\r\x1b[K${line}`);
        } else if (!stdout.isTTY && Math.floor((got / (all || Infinity)) * 10) > step) {
          step = Math.floor((got / all) * 10);
          say(line);
        }
      },
    });
  } catch (error) {
    if (!(error instanceof NoElectron)) throw error;
    if (stdout.isTTY) stdout.write('\r\x1b[K');
    say(`Electron is not installed: ${error.message}. To try again: npm start`);
    return null;
  } finally {
    if (stdout.isTTY) stdout.write('\r\x1b[K');
    stdin.pause();
  }
}

if (!existsSync(root('dist/cli.js'))) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root('.'), stdio: 'inherit', shell: true });
  if (built.status !== 0) process.exit(built.status ?? 1);
}

// Honours HTTPS_PROXY and its like, where this Node can.
http.setGlobalProxyFromEnv?.();
const desktop = hasDesktop(process.env);
const electron = desktop ? (electronBinary(packageFolder) ?? (await download())) : null;
if (electron) say('Opening Unjam in Electron.');
else if (desktop) say('Opening the console in your browser instead.');
else say('There is no desktop here, so the console opens in a browser.');
const [file, ...args] = electron
  ? [electron, root('.')]
  : [process.execPath, root('dist/cli.js'), 'serve', '--console'];
const child = spawn(file, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 0));
