/** The built page against the real host: what the fake host of the other specs stands for, once for real. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt, launchBrowser, openConsole } from '../support/browser.ts';
import { detailOf, dialog, ready, row, verb } from '../support/browser-console.ts';

const cli = join(import.meta.dirname, '../../app/cli/main.ts');

let browser: Browser;
let home: string;
let host: ChildProcess;
let url: string;

async function unjam(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, UNJAM_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}

async function consoleUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) {
    const found = /http:\S+/.exec(line);
    if (found !== null) return found[0];
  }
  throw new Error('The host ended before it printed the address of its console.');
}

beforeAll(async () => {
  await ensureBuilt();
  browser = await launchBrowser();
  home = await mkdtemp(join(tmpdir(), 'unjam-console-'));
  host = spawn(process.execPath, [cli, 'serve', '--console', '--no-open'], {
    env: { ...process.env, UNJAM_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  url = await consoleUrl(host);
});

afterAll(async () => {
  for (const ticket of ['holder', 'waiter']) await unjam('kill', ticket, '--yes');
  await browser.close();
  host.kill('SIGTERM');
  await once(host, 'exit');
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

it('frees a mutex with Abandon, keeps the orphan in sight and ends it with Force Kill', async () => {
  const stubborn = 'trap "" TERM INT; echo up; while :; do sleep 0.2; done';
  await unjam(
    'start',
    '--ticket',
    'holder',
    '--name',
    'Holder',
    '--mutex',
    'M',
    '--isolation',
    'full',
    '--',
    'sh',
    '-c',
    stubborn,
  );
  await unjam(
    'start',
    '--ticket',
    'waiter',
    '--name',
    'Waiter',
    '--mutex',
    'M',
    '--isolation',
    'full',
    '--',
    'sh',
    '-c',
    'echo free; sleep 600',
  );
  await using opened = await openConsole(browser, url, { waitFor: '[data-ticket=waiter]' });
  const { page } = opened;
  page.setDefaultTimeout(30_000);

  await row(page, 'holder').filter({ hasText: 'Running' }).click();
  await detailOf(page, 'Holder');
  await page.locator('.preview', { hasText: 'up' }).waitFor();
  expect(await row(page, 'holder').locator('.blocks').textContent()).toContain('1');

  // The window of its own is signed in by the same session.
  const [log] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('l')]);
  await log.locator('[role=log]').getByText('up', { exact: true }).waitFor();
  await log.close();

  await page.keyboard.press('Control+Shift+Delete');
  await ready(page);
  await page.keyboard.type(/PID \((\d+)\)/.exec((await dialog(page).textContent()) ?? '')?.[1] ?? '');
  await page.keyboard.press('Enter');
  await row(page, 'holder').filter({ hasText: 'Abandoned, still running' }).waitFor();
  await row(page, 'waiter').filter({ hasText: 'Running' }).waitFor();
  expect(await page.locator('.notice').count()).toBe(0);

  await page.keyboard.press('m');
  await page.getByText('Not isolated:').waitFor();
  await page.keyboard.press('Control+1');
  await row(page, 'holder').click();
  await page.locator('[data-verb=cancel][aria-disabled=true]').waitFor();
  await verb(page, 'kill').click();
  await ready(page);
  await dialog(page).getByRole('button', { name: /^End/ }).click();
  await row(page, 'holder').filter({ hasText: 'Orphan exited' }).waitFor();

  await page.keyboard.press('Control+3');
  await page
    .getByRole('row', { name: /Abandon/i })
    .first()
    .waitFor();
  expect(opened.problems).toEqual([]);
});
