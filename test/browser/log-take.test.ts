/** What a person takes from the log: times, text on the clipboard, files, links, and the log as plain text. */
import { readFile } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago, hostileLines } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const permissions = ['clipboard-read', 'clipboard-write'];
const line = (text: string, stream: 'stdout' | 'unjam' = 'stdout') => ({ stream, at: ago(1_000), code: null, text });
const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function openLog(options: Parameters<typeof open>[1] = {}) {
  const scene = await open(stuckWorld(), { permissions, ...options });
  await detailOf(scene.page, 'Deploy web-eu');
  await scene.page.keyboard.press('Shift+L');
  await scene.page.locator('[role=log] [data-seq]').first().waitFor();
  return scene;
}

async function violations(page: Page): Promise<readonly string[]> {
  const found = await new AxeBuilder({ page }).withTags(rules).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
}

describe('the log', () => {
  it('copies clean text, or text with times', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByText('124 log lines copied').waitFor();
    const clean = await clipboard(page);
    expect(clean.split('\n')[120]).toBe('Copied 120 files, 2 warnings, true colour');
    expect(clean).toContain('\nUnjam W102 The holder');
    await page.getByRole('button', { name: 'Copy with times' }).click();
    await expect.poll(() => clipboard(page)).toMatch(/\n\d{4}-\d\d-\d\dT[\d:.]+Z E robocopy : retry/);
  });

  it('copies the lines that are marked in the margin, and a link to them', async () => {
    await using scene = await openLog();
    const { page } = scene;
    await page.locator('[data-line="121"] .number').click();
    await page.locator('[data-line="123"] .number').click({ modifiers: ['Shift'] });
    await page.keyboard.press('Control+c');
    await page.getByText('3 log lines copied').waitFor();
    expect((await clipboard(page)).split('\n')).toHaveLength(3);
    await page.locator('[role=log]').focus();
    await page.keyboard.press('Control+l');
    await page.getByText('Link to line L121-L123 copied').waitFor();
    expect(await clipboard(page)).toMatch(/^http.*#scripts\/9f2c-41aa\/log\/L121-L123$/);
  });

  it('saves plain text and bytes', async () => {
    await using scene = await openLog({ acceptDownloads: true });
    const { page } = scene;
    await page.keyboard.press('Control+s');
    const plain = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const file = await plain;
    expect(file.suggestedFilename()).toBe('Deploy web-eu _ step 4.log');
    const text = await readFile(await file.path(), 'utf8');
    expect(text.split('\n')).toHaveLength(125);
    expect(text).not.toContain('\u001b');
    scene.host.answers.set('logs.read', () => ({
      entries: [{ seq: 0, next: 3, stream: 'stderr', at: null, code: null, text: '', base64: '/wAK' }],
      next: 3,
      size: 3,
      complete: true,
    }));
    await page.locator('[role=log]').focus();
    await page.keyboard.press('Control+s');
    await page.getByRole('radio', { name: /^raw/ }).check();
    await page.getByRole('radio', { name: 'stderr' }).check();
    const raw = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    expect(await readFile(await (await raw).path())).toEqual(Buffer.from([0xff, 0, 10]));
    expect(scene.host.calls.find(({ method }) => method === 'logs.read')?.input).toMatchObject({ stream: 'stderr' });
  });

  it('shows times as local, UTC, since the start, between lines, or not at all, and remembers it', async () => {
    await using scene = await openLog();
    const { page } = scene;
    const times = page.locator('[data-line="121"] .time');
    await page.locator('[role=log]').focus();
    expect(await times.textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    await expect.poll(() => times.textContent()).toMatch(/^-?00:0\d:\d\d\.\d{3}$/);
    await page.keyboard.press('t');
    await expect.poll(() => times.textContent()).toMatch(/^\+1 s$/);
    await page.keyboard.press('t');
    await expect.poll(() => times.count()).toBe(0);
    expect(await page.evaluate(() => localStorage.getItem('log-time'))).toBe('off');
  });

  it('is a text field for those who cannot use drawn lines, and reads new lines aloud when asked to', async () => {
    await using scene = await openLog();
    const { page, host } = scene;
    await page.getByRole('button', { name: 'Plain text' }).click();
    const field = page.getByRole('textbox', { name: /^Log lines 1 to 124 of 124$/ });
    await field.waitFor();
    expect(await field.inputValue()).toContain('E robocopy : retry 3 of 10');
    await page.getByRole('checkbox', { name: 'Read new lines' }).check();
    host.appendLog(stuck, [line('fresh one'), line('fresh two')]);
    await page.locator('[role=alert]', { hasText: 'fresh one' }).waitFor();
    await expect.poll(() => page.getByRole('textbox', { name: /of 126$/ }).inputValue()).toContain('fresh two');
    expect(await violations(page)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds while it is saved, in the %s theme',
    async (colorScheme) => {
      await using scene = await openLog({ colorScheme });
      scene.host.appendLog(stuck, [...hostileLines, line('::group::Build'), line('cc')]);
      await scene.page.getByRole('button', { name: /^Fold groups/ }).waitFor();
      await scene.page.keyboard.press('Control+s');
      await scene.page.getByRole('radio', { name: 'stderr' }).waitFor();
      expect(await violations(scene.page)).toEqual([]);
    },
  );
});

describe('the log under the list', () => {
  it('is on the first screen, live, without a key', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    const last = page.locator('.dock .line').last();
    await last.filter({ hasText: 'looks stuck' }).waitFor();
    expect((await last.boundingBox())?.y).toBeLessThan(800);
    host.appendLog(stuck, [line('one more')]);
    await last.filter({ hasText: 'one more' }).waitFor();
    expect((await last.boundingBox())?.y).toBeLessThan(800);
  });

  it('shows Unjam’s own lines whole, and where it cuts a long one of the script', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    const long = `${'word '.repeat(200)}Next: wait.`;
    host.appendLog(stuck, [line(long, 'unjam'), line(long)]);
    const last = page.locator('.dock .line').last();
    await last.filter({ hasText: 'word' }).waitFor();
    expect(await last.innerText()).toMatch(/word …$/);
    expect(await page.locator('.dock .line').nth(-2).innerText()).toMatch(/Next: wait\.$/);
  });

  it('is as high as the person wants, and not there when the window is low', async () => {
    await using scene = await open(stuckWorld());
    const { page } = scene;
    const height = async (): Promise<number> => (await page.locator('.dock').boundingBox())?.height ?? 0;
    const before = await height();
    const border = page.getByRole('separator', { name: 'Height of the log' });
    await border.focus();
    await page.keyboard.press('ArrowUp');
    await expect.poll(height).toBeGreaterThan(before + 10);
    expect(await page.evaluate(() => localStorage.getItem('log-share'))).toBe('44');
    await border.dblclick();
    await expect.poll(height).toBe(before);
    await page.setViewportSize({ width: 1280, height: 500 });
    await expect.poll(() => page.locator('.dock').isVisible()).toBe(false);
  });
});
