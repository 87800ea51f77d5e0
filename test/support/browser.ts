/** A real browser for the console's specs: finds Chromium, opens pages, and collects everything a page must not do. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

export function findChromium(): string {
  const found = candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
  if (found === undefined)
    throw new Error('No Chromium found. Install one, or name it in the environment variable CHROMIUM.');
  return found;
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium(),
    // People have scroll bars.
    ignoreDefaultArgs: ['--hide-scrollbars'],
  });

export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  /** Console errors, exceptions and violations of the content security policy. */
  readonly problems: readonly string[];
}

export async function openConsole(
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { readonly waitFor?: string; readonly init?: () => void } = {},
): Promise<ConsolePage> {
  const { waitFor = '[role=row][data-ticket]', init, ...contextOptions } = options;
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...contextOptions,
  });
  // A busy machine is slow; what never comes ends with the test.
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    // A refused call has a status of its own; what the page makes of it is on screen.
    const isAnswer = /net::ERR_|the server responded with a status of/.test(message.text());
    if (message.type() === 'error' && !isAnswer) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  if (init !== undefined) await page.addInitScript(init);
  await page.goto(url);
  await page.waitForSelector(waitFor);
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

const project = join(import.meta.dirname, '../..');

/** Builds the page when a source is newer than it; the specs look at what is shipped, not at a development server. */
export async function ensureBuilt(): Promise<void> {
  const built = join(project, 'dist/renderer/index.html');
  const sources = readdirSync(join(project, 'renderer'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const newest = Math.max(...[...sources, join(project, 'vite.config.ts')].map((path) => statSync(path).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  // In a process of its own: a test runner's NODE_ENV would make Svelte put its development build into the page.
  const vite = join(project, 'node_modules/vite/bin/vite.js');
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [vite, 'build'], { cwd: project, env });
}
