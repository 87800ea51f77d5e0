/**
 * The hosts that the main job's browser specs run on: the headless host in Chromium always, Electron wherever its
 * binary is installed. Electron's package is not imported to find out: that would try to download it.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { _electron, type Page } from 'playwright-core';
import { ensureBuilt, launchBrowser, openConsole } from './browser.ts';
import { root, World } from './world.ts';

export interface ConsoleHost extends AsyncDisposable {
  readonly page: Page;
  readonly world: World;
  /** Console errors, exceptions and violations of the content security policy. */
  readonly problems: readonly string[];
}

export interface ConsoleHostKind {
  readonly name: string;
  /** Why it cannot run here; null when it can. */
  readonly missing: string | null;
  readonly open: () => Promise<ConsoleHost>;
}

function electronBinary(): string | null {
  const folder = join(root, 'node_modules/electron');
  const pathFile = join(folder, 'path.txt');
  const file = existsSync(pathFile) ? join(folder, 'dist', readFileSync(pathFile, 'utf8')) : null;
  return file !== null && existsSync(file) ? file : null;
}

async function openInChromium(): Promise<ConsoleHost> {
  await ensureBuilt();
  const world = await World.empty();
  const serve = spawn(process.execPath, [join(root, 'dist/cli.js'), 'serve', '--console', '--no-open'], {
    env: { ...process.env, UNJAM_HOME: world.home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: serve.stdout }).on('line', (line) => {
      const found = /http:\S+/.exec(line);
      if (found) resolve(found[0]);
    });
    serve.once('exit', () => reject(new Error('The host ended before it printed the address of its console.')));
  });
  world.connect();
  const browser = await launchBrowser();
  const opened = await openConsole(browser, url, { waitFor: 'h1' });
  return {
    page: opened.page,
    world,
    problems: opened.problems,
    async [Symbol.asyncDispose]() {
      await browser.close();
      const gone = new Promise((resolve) => serve.once('exit', resolve));
      serve.kill('SIGKILL');
      await gone;
      await world[Symbol.asyncDispose]();
    },
  };
}

async function openInElectron(): Promise<ConsoleHost> {
  const world = await World.empty();
  const app = await _electron.launch({
    executablePath: electronBinary() ?? '',
    args: [root, `--user-data-dir=${join(world.home, 'electron')}`],
    env: { ...(process.env as Record<string, string>), UNJAM_HOME: world.home },
  });
  // The native question of Force Kill and Abandon: its second button is the verb (main/page/confirm.ts).
  await app.evaluate(({ dialog }) => {
    dialog.showMessageBox = () => Promise.resolve({ response: 1, checkboxChecked: false });
  });
  const page = await app.firstWindow();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.waitForSelector('h1');
  world.connect();
  return {
    page,
    world,
    problems,
    async [Symbol.asyncDispose]() {
      await app.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

export const consoleHosts: readonly ConsoleHostKind[] = [
  { name: 'the headless host in Chromium', missing: null, open: openInChromium },
  {
    name: 'Electron',
    missing: electronBinary() === null ? 'its binary is not installed (npx install-electron)' : null,
    open: openInElectron,
  },
];
