/** The keys without Ctrl are others where a person has set them so (WCAG 2.1.4), for handlers, help and hints alike. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { Values } from '../../app/settings/layers.ts';
import { consoleSpecs, detailOf, dialog, focused, ready, row } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const blocker = 'The script that blocks this one';
const mutex = 'The mutex of this script';
const next = 'Next row that needs attention; with Shift the previous one';

async function withKeys(letterKeys: NonNullable<Values['letterKeys']>, more: Values = {}) {
  const world = stuckWorld();
  world.settings = { letterKeys, ...more };
  const scene = await open(world);
  await detailOf(scene.page, 'Deploy web-eu');
  await expect.poll(() => focused(scene.page)).toBe(stuck);
  return scene;
}

async function openEditor() {
  const scene = await open(stuckWorld());
  await scene.page.keyboard.press('Control+4');
  await scene.page.getByText('Change keys…').click();
  return scene;
}

const editor = (page: Page) => page.locator('[data-setting=letterKeys]');
const field = (page: Page, does: string) => editor(page).getByRole('textbox', { name: does, exact: true });
async function type(page: Page, does: string, text: string): Promise<void> {
  await field(page, does).focus();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

describe('keys that were changed', () => {
  it('do what the old ones did, and the old ones do nothing', async () => {
    await using scene = await withKeys({ b: 'j' });
    await row(scene.page, 'a2').click();
    await scene.page.keyboard.press('b');
    await scene.page.keyboard.press('Shift+B');
    expect(await focused(scene.page)).toBe('a2');
    await scene.page.keyboard.press('j');
    await expect.poll(() => focused(scene.page)).toBe(stuck);
  });

  it('may have changed places', async () => {
    await using scene = await withKeys({ n: 'b', b: 'n' });
    await scene.page.keyboard.press('b');
    await expect.poll(() => focused(scene.page)).toBe('orphan-1');
    await scene.page.keyboard.press('Shift+B');
    await expect.poll(() => focused(scene.page)).toBe(stuck);
    await row(scene.page, 'a2').click();
    await scene.page.keyboard.press('n');
    await expect.poll(() => focused(scene.page)).toBe(stuck);
  });

  it('move along with Shift, also as letters of another alphabet', async () => {
    await using scene = await withKeys({ l: 'ö', n: 'д' });
    await scene.page.keyboard.press('Shift+N');
    await scene.page.keyboard.press('Shift+L');
    expect([await focused(scene.page), await scene.page.getByRole('log').count()]).toEqual([stuck, 0]);
    const shifted = (key: string) =>
      scene.page.evaluate(
        (key) =>
          document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey: true, bubbles: true })),
        key,
      );
    await shifted('Д');
    await expect.poll(() => focused(scene.page)).not.toBe(stuck);
    await shifted('Ö');
    await scene.page.getByRole('log').waitFor();
  });

  it('may be signs, with the Shift or AltGr that a keyboard needs for them', async () => {
    await using scene = await withKeys({ '?': '!', '/': '#', b: '@' });
    await scene.page.keyboard.press('?');
    await scene.page.keyboard.press('/');
    expect([await focused(scene.page), await dialog(scene.page).count()]).toEqual([stuck, 0]);
    await scene.page.keyboard.press('Shift+!');
    await ready(scene.page);
    await scene.page.keyboard.press('Escape');
    await row(scene.page, 'a2').click();
    await scene.page.evaluate(() =>
      document.activeElement?.dispatchEvent(
        new KeyboardEvent('keydown', { key: '@', ctrlKey: true, altKey: true, modifierAltGraph: true, bubbles: true }),
      ),
    );
    await expect.poll(() => focused(scene.page)).toBe(stuck);
    await scene.page.keyboard.press('Shift+#');
    await scene.page.locator('[data-part=filter] input:focus').waitFor();
  });

  it('are those that help, hints and aria-keyshortcuts name', async () => {
    await using scene = await withKeys({ b: 'j', l: 'k', f: 'q', '/': '#', '?': '+' });
    const { page } = scene;
    expect(await page.locator('.dock .title button').textContent()).toBe('Open log K');
    expect(await page.getByRole('searchbox').getAttribute('placeholder')).toBe('Filter (#)');
    await row(page, 'a2').click();
    const link = page.getByRole('button', { name: 'Deploy web-eu / step 4 (J)' });
    expect(await link.getAttribute('aria-keyshortcuts')).toBe('J');
    await page.keyboard.press('Shift++');
    await ready(page);
    const keys = await dialog(page).locator('tbody th').allTextContents();
    expect(keys).toEqual(expect.arrayContaining(['J', 'K', 'Shift+K', 'Ctrl+F or #', 'Q, W, T, E', 'F1 or +']));
    expect(keys).not.toContain('B');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Shift+K');
    const follow = page.getByRole('button', { name: 'Follow Q', pressed: true });
    expect(await follow.getAttribute('aria-keyshortcuts')).toBe('Q');
    await page.keyboard.press('q');
    await page.getByRole('button', { name: 'Follow Q', pressed: false }).waitFor();
  });

  it('are in no hint and do nothing while they are switched off, also in the log as plain text', async () => {
    await using scene = await withKeys({ b: 'j' }, { singleLetterKeys: false });
    const { page } = scene;
    await row(page, 'a2').click();
    const link = page.getByRole('button', { name: 'Deploy web-eu / step 4', exact: true });
    expect(await link.getAttribute('aria-keyshortcuts')).toBeNull();
    await page.keyboard.press('j');
    expect(await focused(page)).toBe('a2');
    await page.keyboard.press('F1');
    await ready(page);
    expect(await dialog(page).textContent()).toContain('Single-letter keys are switched off in Settings.');
    const keys = await dialog(page).locator('tbody th').allTextContents();
    expect(keys).toEqual(expect.arrayContaining(['Ctrl+F', 'F1']));
    expect(keys.filter((key) => key.length < 2)).toEqual([]);
    await page.goto(`${scene.host.url}#scripts/${stuck}/log`);
    await page.getByRole('button', { name: 'Plain text' }).click();
    await page.locator('textarea').press('w');
    await page.locator('textarea').press('End');
    expect(await page.getByRole('button', { name: 'Wrap', exact: true }).getAttribute('aria-pressed')).toBe('false');
  });
});

describe('the editor of the keys', () => {
  it('is used by keyboard alone, holds at once, and gives the key of the beginning again', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    await page.keyboard.press('Control+4');
    await page.getByRole('checkbox', { name: 'Single-letter keys' }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).labels?.[0]?.textContent)).toBe(next);
    await page.keyboard.type('J');
    await page.keyboard.press('Tab');
    await expect.poll(() => host.commands().length).toBe(1);
    expect(await field(page, next).inputValue()).toBe('J');
    await editor(page)
      .getByRole('button', { name: `Reset ${next}` })
      .press('Enter');
    await expect.poll(() => field(page, next).inputValue()).toBe('N');
    expect(await field(page, next).evaluate((one) => one === document.activeElement)).toBe(true);
    await expect.poll(() => host.commands().length).toBe(2);
    expect(host.commands().map(({ input }) => input)).toEqual([
      { values: { letterKeys: { n: 'j' } } },
      { reset: ['letterKeys'] },
    ]);
  });

  it('says which other key is the same, keeps what was typed, and lets two change places', async () => {
    await using scene = await openEditor();
    const { page, host } = scene;
    await type(page, blocker, 'm');
    await editor(page).getByText(`${blocker}: M is the key for "${mutex}".`).waitFor();
    expect(await field(page, blocker).inputValue()).toBe('m');
    expect(await field(page, blocker).getAttribute('aria-invalid')).toBe('true');
    expect(host.commands()).toEqual([]);
    await type(page, mutex, 'b');
    await expect.poll(() => field(page, blocker).inputValue()).toBe('M');
    expect(await field(page, blocker).getAttribute('aria-invalid')).toBe('false');
    expect(host.commands().map(({ input }) => input)).toEqual([{ values: { letterKeys: { b: 'm', m: 'b' } } }]);
    await editor(page).getByRole('button', { name: 'All as in the beginning' }).click();
    await expect.poll(() => field(page, blocker).inputValue()).toBe('B');
    expect(host.commands().at(-1)?.input).toEqual({ reset: ['letterKeys'] });
  });

  it('says what cannot be a key, and sets another one in the meantime', async () => {
    await using scene = await openEditor();
    const { page, host } = scene;
    for (const [does, text, sentence] of [
      [blocker, 'jk', 'give one character'],
      [blocker, ' ', 'give one character'],
      [next, '5', 'give a letter, because with Shift it does something else'],
    ] as const) {
      await type(page, does, text);
      await editor(page).getByText(`${does}: ${sentence}`).waitFor();
      expect(await field(page, does).inputValue()).toBe(text);
    }
    expect(host.commands()).toEqual([]);
    await type(page, 'Sort again', 'x');
    await expect.poll(() => host.commands()[0]?.input).toEqual({ values: { letterKeys: { s: 'x' } } });
    expect(await field(page, next).inputValue()).toBe('5');
    await field(page, next).press('Escape');
    expect(await field(page, next).inputValue()).toBe('N');
  });

  it('loses none of two changes of which the second comes before the answer to the first', async () => {
    await using scene = await openEditor();
    const { page, host } = scene;
    const gate = Promise.withResolvers<void>();
    await page.route('**/rpc/settings.set', async (route) => {
      await gate.promise;
      await route.continue();
    });
    await type(page, 'Sort again', 'x');
    await type(page, 'Remind me in 30 min', 'z');
    gate.resolve();
    await expect.poll(() => host.commands().length, { timeout: 10_000 }).toBe(2);
    expect(host.commands().at(-1)?.input).toEqual({ values: { letterKeys: { s: 'x', r: 'z' } } });
    await expect.poll(() => field(page, 'Sort again').inputValue()).toBe('X');
    await expect.poll(() => field(page, 'Remind me in 30 min').inputValue()).toBe('Z');
  });

  it('types what elsewhere would be a key', async () => {
    await using scene = await openEditor();
    const { page } = scene;
    await field(page, blocker).focus();
    await page.keyboard.type('?/n');
    expect(await field(page, blocker).inputValue()).toBe('?/n');
    expect(await dialog(page).count()).toBe(0);
  });

  it('keeps what was typed when the host refuses it, and changes nothing without a connection', async () => {
    await using scene = await openEditor();
    const { page, host } = scene;
    host.answers.set('settings.set', () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- an answer, not an exception
      throw { code: 'internal', message: 'The disk is full.', next: 'Make room.' };
    });
    await type(page, blocker, 'j');
    await editor(page).getByText('The disk is full. Make room.').waitFor();
    expect(await field(page, blocker).inputValue()).toBe('j');
    host.goDown();
    await page.getByText('not reachable since').waitFor();
    expect(await field(page, blocker).getAttribute('readonly')).toBe('');
    expect(await editor(page).getByRole('button', { name: 'All as in' }).getAttribute('aria-disabled')).toBe('true');
  });
});
