/** Every line of a long log is in reach: by the bar, by number, by link, by search. The host's own reader answers. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Method } from '../../app/contract/methods.ts';
import { consoleSpecs, detailOf, type Scene } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { LogFiles } from '../support/log-files.ts';

const open = consoleSpecs();
const count = 1_000_000;
const stuck = '9f2c-41aa';
let log: LogFiles;

beforeAll(() => {
  log = new LogFiles();
  for (let block = 0; block < 100; block += 1) {
    let text = '';
    for (let n = block * 10_000 + 1; n <= (block + 1) * 10_000; n += 1)
      text += `line ${n}${n % 250_000 === 0 ? ' needle' : ''}\n`;
    log.write('stdout', text).look();
  }
  log.write('stderr', 'an error at the end\n').look(true);
});
afterAll(() => log[Symbol.dispose]());

const row = (page: Page, line: number) => page.locator(`[role=log] [data-line="${line}"]`);
const place = (page: Page) => page.locator('.foot .place');

async function openLog(options: Parameters<typeof open>[1] = {}): Promise<Scene> {
  const scene = await open(stuckWorld(), options);
  const read = (method: Method, call: (input: never) => unknown): void => {
    scene.host.answers.set(method, async (input) => {
      return await call({ ...input, ticket: 't' } as never);
    });
  };
  read('logs.lines', (input: Parameters<LogFiles['lines']>[0]) => log.lines({ ...input }, true));
  read('logs.search', (input: Parameters<LogFiles['search']>[0]) => log.search({ ...input }, true));
  // The page may have read the world's own log by now.
  await scene.page.goto('about:blank');
  await scene.page.goto(scene.host.url + (options.hash ?? ''));
  if (options.hash === undefined) {
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Shift+L');
  }
  await place(scene.page).filter({ hasText: 'of 1,000,001' }).waitFor();
  return scene;
}

describe.each([1, 1.5, 3])('a log of a million lines at %d times the pixels', (deviceScaleFactor) => {
  it('shows its first and its last line whole, by key and by bar', async () => {
    await using scene = await openLog({ deviceScaleFactor });
    const { page } = scene;
    const box = page.locator('[role=log]');
    await row(page, count + 1).waitFor();
    await box.focus();
    await page.keyboard.press('Home');
    await row(page, 1).waitFor();
    expect((await row(page, 1).boundingBox())?.y).toBeGreaterThanOrEqual((await box.boundingBox())?.y ?? Infinity);
    await box.evaluate((element) => (element.scrollTop = element.scrollHeight));
    await row(page, count + 1).waitFor();
    const [last, edge] = await Promise.all([row(page, count + 1).boundingBox(), box.boundingBox()]);
    expect((last?.y ?? Infinity) + (last?.height ?? 0)).toBeLessThanOrEqual((edge?.y ?? 0) + (edge?.height ?? 0) + 1);
    await box.evaluate((element) => (element.scrollTop = 0));
    await row(page, 1).waitFor();
  });
});

describe('a log of a million lines', () => {
  it('moves by lines with the wheel and the keys, however short its bar is', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.locator('[role=log]').focus();
    await page.keyboard.press('Home');
    await row(page, 1).waitFor();
    await page.keyboard.press('ArrowDown');
    await place(page).filter({ hasText: 'Lines 2-' }).waitFor();
    await page.locator('[role=log]').hover();
    await page.mouse.wheel(0, 36);
    await place(page).filter({ hasText: 'Lines 4-' }).waitFor();
    await page.keyboard.press('ArrowUp');
    await place(page).filter({ hasText: 'Lines 3-' }).waitFor();
  });

  it('keeps few lines', async () => {
    await using scene = await openLog();
    const { page } = scene;
    for (let n = 0; n < 30; n += 1) {
      await page.locator('[role=log]').evaluate((box, n) => (box.scrollTop = (n / 30) * box.scrollHeight), n);
      await page.waitForTimeout(10);
    }
    expect(await page.locator('[role=log] .line').count()).toBeLessThan(80);
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    expect((await session.send('Runtime.getHeapUsage')).usedSize).toBeLessThan(150 * 1024 * 1024);
  });

  it('goes to a line by its number, and marks a range', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.locator('[role=log]').focus();
    await page.keyboard.press('Control+g');
    await page.keyboard.type('654321');
    await page.keyboard.press('Enter');
    await page.locator('.current', { hasText: 'line 654321' }).waitFor();
    await page.keyboard.press('Control+g');
    await page.keyboard.type('10-12');
    await page.keyboard.press('Enter');
    await page.locator('.selected', { hasText: /^.*line 12$/ }).waitFor();
    expect(await page.locator('.selected').count()).toBe(3);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.selected').count()).toBe(0);
  });

  it('opens at the line that a link names', async () => {
    await using scene = await openLog({ hash: `#scripts/${stuck}/log/L700000-L700001`, waitFor: '.foot' });
    await scene.page.locator('.current', { hasText: 'line 700000' }).waitFor();
    expect(await scene.page.locator('.selected').count()).toBe(2);
  });

  it('finds the next hit from where the person is, by key, and shows only matches', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.keyboard.press('Control+g');
    await page.keyboard.type('300000');
    await page.keyboard.press('Enter');
    await page.locator('.current', { hasText: 'line 300000' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('NEEDLE');
    await page.getByText('4 lines', { exact: true }).waitFor();
    await page.keyboard.press('F3');
    await page.locator('.current', { hasText: 'line 500000 needle' }).waitFor();
    await page.getByText('2 of 4 lines').waitFor();
    await page.getByRole('button', { name: 'Only matches' }).click();
    await place(page).filter({ hasText: 'Lines 1-4 of 4' }).waitFor();
    expect(await page.locator('[role=log] .number').allTextContents()).toEqual([
      '250,000',
      '500,000',
      '750,000',
      '1,000,000',
    ]);
  });

  it('finds with a regular expression and with exact case, and says what is wrong with one', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.getByRole('button', { name: 'Regular expression' }).click();
    await page.keyboard.press('Control+f');
    await page.keyboard.type('^line [27]50000 n');
    await page.getByText('2 lines', { exact: true }).waitFor();
    await page.keyboard.type('(');
    await page.getByText('not a regular expression').waitFor();
    await page.getByRole('button', { name: 'Regular expression' }).click();
    await page.getByRole('button', { name: 'Match case' }).click();
    await page.getByRole('searchbox').fill('NEEDLE');
    await page.getByText('0 lines', { exact: true }).waitFor();
  });

  it('wraps its lines anywhere, and shows both ends', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.locator('[role=log]').focus();
    await page.keyboard.press('w');
    await row(page, count + 1).waitFor();
    await page.keyboard.press('Home');
    await row(page, 1).waitFor();
    await page.keyboard.press('PageDown');
    await expect
      .poll(async () => Number((await place(page).textContent())?.match(/Lines (\d+)/)?.[1]))
      .toBeGreaterThan(15);
    await page.keyboard.press('End');
    await row(page, count + 1).waitFor();
  });

  it('shows stderr alone, with the numbers of the whole', async () => {
    await using scene = await openLog();
    await scene.page.getByRole('button', { name: /^stderr/ }).click();
    await place(scene.page).filter({ hasText: 'Lines 1-1 of 1' }).waitFor();
    expect(await scene.page.locator('[role=log] .number').allTextContents()).toEqual(['1,000,001']);
  });
});
