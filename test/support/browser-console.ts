/** What the console's specs share: one browser per file, a host and a page per test, and short names for its parts. */
import type { BrowserContextOptions, Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { ensureBuilt, launchBrowser, openConsole } from './browser.ts';
import { BrowserHost } from './browser-host.ts';
import type { World } from './browser-worlds.ts';

export interface Scene extends AsyncDisposable {
  readonly host: BrowserHost;
  readonly page: Page;
  readonly problems: readonly string[];
}

/** Call at the top of a spec file; returns what opens a console on a world. */
export function consoleSpecs(): (
  world: World,
  options?: BrowserContextOptions & { readonly waitFor?: string; readonly hash?: string; readonly init?: () => void },
) => Promise<Scene> {
  let browser: Browser;
  beforeAll(async () => {
    await ensureBuilt();
    browser = await launchBrowser();
  });
  afterAll(async () => await browser.close());
  return async (world, { hash = '', ...options } = {}) => {
    const host = await BrowserHost.start(world);
    const opened = await openConsole(browser, host.address + hash, options).catch(async (error: unknown) => {
      await host[Symbol.asyncDispose]();
      throw error;
    });
    return {
      host,
      page: opened.page,
      problems: opened.problems,
      [Symbol.asyncDispose]: async () => {
        await opened[Symbol.asyncDispose]();
        await host[Symbol.asyncDispose]();
        expect(opened.problems).toEqual([]);
      },
    };
  };
}

export const rows = (page: Page): Locator => page.locator('[role=row][data-ticket]');
export const row = (page: Page, ticket: string): Locator => page.locator(`[role=row][data-ticket="${ticket}"]`);
export const dialog = (page: Page): Locator => page.locator('dialog[open]');
export const verb = (page: Page, name: 'cancel' | 'kill' | 'abandon'): Locator => page.locator(`[data-verb=${name}]`);

/** The order on screen, from top to bottom. */
export async function order(page: Page): Promise<readonly string[]> {
  return await rows(page).evaluateAll((all) =>
    all
      .map((one) => ({ ticket: one.getAttribute('data-ticket') ?? '', top: one.getBoundingClientRect().top }))
      .sort((a, b) => a.top - b.top)
      .map(({ ticket }) => ticket),
  );
}

/** Waits until the dialog's buttons listen, 500 ms after it has opened or changed. */
export async function ready(page: Page): Promise<Locator> {
  await page.locator('dialog[open][data-guarded=false]').waitFor();
  return dialog(page);
}

/** The detail of the selected script has been read; a narrow window may show another part. */
export async function detailOf(page: Page, name: string): Promise<void> {
  await page.locator('#detail-name', { hasText: name }).waitFor({ state: 'attached' });
  await page.locator('.verbs, .outcome').waitFor({ state: 'attached' });
}

export const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const active = document.activeElement;
    return active?.getAttribute('data-ticket') ?? active?.textContent?.trim().replace(/\s+/g, ' ') ?? '';
  });
