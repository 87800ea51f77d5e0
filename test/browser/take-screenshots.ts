/**
 * Takes pictures from a real host with a real script that hangs: `npm run screenshots` those of
 * docs/images, `npm run screenshots FOLDER` every view as light, dark and narrow into a folder, to be
 * looked at. About two minutes, because nothing is stuck before it has been silent for one.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { detailOf, dialog, ready, row } from '../support/browser-console.ts';
import { ensureBuilt, launchBrowser, openConsole } from '../support/browser.ts';

const project = join(import.meta.dirname, '../..');
const [, , folderForAll] = process.argv;
const images = folderForAll ?? join(project, 'docs/images');
const cli = join(project, 'app/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'unjam-pictures-'));
const home = join(folder, 'state');
const environment = { ...process.env, UNJAM_HOME: home };

writeFileSync(
  join(folder, 'step4.sh'),
  `trap '' TERM INT
echo 'Stopping web-eu ...'
for n in $(seq 1 40); do echo "  New File   $((n * 37)) k   bin/module-$n.dll"; done
echo 'robocopy : retry 3 of 10: sharing violation on bin/app.dll' >&2
echo 'Waiting 30 seconds...'
sleep 3600 & wait
sleep 3600
`,
);
writeFileSync(join(folder, 'check.sh'), 'while :; do echo "GET /health 200"; sleep 5; done\n');

const hosts: ChildProcess[] = [];
/** A machine name for the pictures, where the system lets us have one of our own. */
function serve(): ChildProcess {
  const run = [process.execPath, cli, 'serve', '--console', '--no-open'];
  const named = canBeNamed() ? ['unshare', '--uts', 'sh', '-c', 'hostname web-eu-07; exec "$@"', 'sh', ...run] : run;
  const [file = '', ...args] = named;
  const host = spawn(file, args, { env: environment, cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  hosts.push(host);
  return host;
}
function canBeNamed(): boolean {
  try {
    execFileSync('unshare', ['--uts', 'hostname', 'web-eu-07'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
async function addressOf(host: ChildProcess): Promise<string> {
  for await (const line of createInterface(host.stdout!)) {
    const found = /http:\S+/.exec(line);
    if (found !== null) return found[0];
  }
  throw new Error('The host ended before it printed the address of its console.');
}
function unjam(...args: readonly string[]): void {
  execFileSync(process.execPath, [cli, ...args], {
    env: environment,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
const start = (ticket: string, name: string, isolation: string, mutex: string, ...command: readonly string[]): void =>
  unjam('start', '--ticket', ticket, '--name', name, '--mutex', mutex, '--isolation', isolation, '--', ...command);

await ensureBuilt();
mkdirSync(images, { recursive: true });
const browser = await launchBrowser();
try {
  const url = await addressOf(serve());
  start('deploy-web-eu', 'Deploy web-eu / step 4', 'full', 'RunningScript', 'bash', 'step4.sh');
  start('health', 'Health check', 'none', 'HealthCheck', 'bash', 'check.sh');
  start('api-eu', 'Deploy api-eu / step 1', 'full', 'RunningScript', 'sleep', '3600');
  start('web-us', 'Deploy web-us / step 1', 'none', 'RunningScript', 'sleep', '3600');
  start('migrate', 'DB migrate', 'full', 'RunningScript', 'sleep', '3600');
  start('done', 'Deploy web-us / step 4', 'full', 'release', 'true');

  // One signed-in page; the others share its cookie.
  await using first = await openConsole(browser, url);
  const storageState = await first.page.context().storageState();
  const origin = new URL(url).origin;
  await first.page.evaluate(() =>
    fetch('/rpc/settings.set', {
      method: 'POST',
      headers: { 'x-unjam-key': localStorage.getItem('unjam-key') ?? '' },
      body: JSON.stringify({ values: { silentAfterMinutes: 1, observeAgents: false } }),
    }),
  );
  await row(first.page, 'deploy-web-eu').filter({ hasText: 'Stuck' }).waitFor({ timeout: 120_000 });

  const take = async (
    name: string,
    options: BrowserContextOptions & { readonly hash?: string },
    act: (page: Page) => Promise<void> = async () => undefined,
  ): Promise<void> => {
    const { hash = '', ...rest } = options;
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: 'reduce',
      storageState,
      ...rest,
    });
    const page = await context.newPage();
    await page.goto(`${origin}/${hash}`);
    await page.locator('footer', { hasText: 'Connected' }).waitFor({ state: 'attached' });
    await act(page);
    await page.mouse.move(0, 0);
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(images, `${name}.png`) });
    console.log(`${name}.png`);
    await context.close();
  };
  const settled = (page: Page): Promise<void> => detailOf(page, 'Deploy web-eu');

  await take('console', { colorScheme: 'light' }, settled);
  await take('console-dark', { colorScheme: 'dark' }, settled);
  await take('console-narrow', { viewport: { width: 480, height: 860 } }, settled);
  await take('console-forced-colours', { forcedColors: 'active', colorScheme: 'dark' }, settled);
  await take('mutexes', { hash: '#mutexes/RunningScript' });

  const looks: Readonly<Record<string, BrowserContextOptions>> = {
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    narrow: { viewport: { width: 480, height: 800 } },
    wide: { viewport: { width: 1920, height: 1080 } },
  };
  const views: Readonly<Record<string, string>> = {
    scripts: '#scripts/deploy-web-eu',
    waiter: '#scripts/web-us',
    cancel: '#scripts/deploy-web-eu/cancel',
    kill: '#scripts/deploy-web-eu/kill',
    log: '#log/deploy-web-eu',
    mutexes: '#mutexes/RunningScript',
    history: '#history',
    settings: '#settings',
  };
  if (folderForAll !== undefined)
    for (const [look, options] of Object.entries(looks))
      for (const [view, hash] of Object.entries(views)) await take(`${view}-${look}`, { ...options, hash });

  try {
    unjam('cancel', 'deploy-web-eu', '--no-escalate', '--grace', '1s', '--reason', 'INC-4471');
  } catch {
    // Exit code 1, as it must be: the script ignores Cancel, and that is what the pictures show.
  }
  await row(first.page, 'deploy-web-eu').filter({ hasText: 'Cancel ignored' }).waitFor({ timeout: 60_000 });
  const abandon = async (page: Page): Promise<void> => {
    await settled(page);
    await page.keyboard.press('Control+Shift+Delete');
    await ready(page);
    await dialog(page)
      .getByLabel(/Type the PID/)
      .focus();
  };
  await take('abandon', {}, abandon);
  await take('abandon-dark', { colorScheme: 'dark' }, abandon);

  unjam('abandon', 'deploy-web-eu', '--hold-queue', '--yes', '--reason', 'INC-4471');
  await row(first.page, 'deploy-web-eu').filter({ hasText: 'Abandoned' }).waitFor({ timeout: 60_000 });
  await take('orphan', { hash: '#scripts/deploy-web-eu' }, settled);
  await take('paused', { hash: '#mutexes/RunningScript' });
  await take('history', { hash: '#history' });
} finally {
  for (const ticket of ['migrate', 'web-us', 'api-eu', 'health', 'deploy-web-eu'])
    try {
      unjam('kill', ticket, '--yes');
    } catch {
      // It has never started, or is over.
    }
  await browser.close();
  for (const host of hosts) {
    host.kill('SIGTERM');
    if (host.exitCode === null) await once(host, 'exit');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
