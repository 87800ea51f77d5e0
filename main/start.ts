/**
 * `npm start`: opens the console. In Electron where its binary is installed, or can be installed within a few
 * seconds, and there is a display; otherwise from the headless host in a browser. Says in one line which and why.
 * Runs in plain Node: it must not import electron, which would try to download it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const installMs = 8_000;
const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Path of the Electron binary, or null. `path.txt` is what the electron package itself reads. */
function electronBinary(): string | null {
  const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? root('node_modules/electron/dist');
  const names = ['electron', 'electron.exe'].map((name) => `${dist}/${name}`);
  const pathFile = root('node_modules/electron/path.txt');
  if (existsSync(pathFile)) names.unshift(`${dist}/${readFileSync(pathFile, 'utf8')}`);
  return names.find((path) => existsSync(path)) ?? null;
}

function installElectron(): string | null {
  spawnSync(process.execPath, [root('node_modules/electron/install.js')], { stdio: 'ignore', timeout: installMs });
  return electronBinary();
}

function hasDisplay(): boolean {
  const windows = 'SystemRoot' in process.env || 'SYSTEMROOT' in process.env;
  return windows || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
}

if (!existsSync(root('dist/cli.js'))) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root('.'), stdio: 'inherit', shell: true });
  if (built.status !== 0) process.exit(built.status ?? 1);
}

const display = hasDisplay();
const electron = display ? (electronBinary() ?? installElectron()) : null;
const why = electron
  ? 'its binary is installed'
  : display
    ? 'the Electron binary is not installed and could not be installed now'
    : 'there is no display for Electron';
process.stdout.write(
  electron ? `Opening Unjam in Electron: ${why}.\n` : `Opening Unjam from the headless host: ${why}.\n`,
);

const [file, ...args] = electron
  ? [electron, root('.')]
  : [process.execPath, root('dist/cli.js'), 'serve', '--console'];
const child = spawn(file, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 0));
