/** The hot key of the desktop application in Settings: pressed or written, set when it is left, refused in words. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { standInBridge } from '../support/browser-bridge.ts';
import { consoleSpecs, row } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';

const open = consoleSpecs();
const field = (page: Page) => page.getByRole('textbox', { name: 'Hot key that opens this window' });
const note = (page: Page) => page.locator('[data-part=hot-key] [role=status]');

/** A desktop application that keeps what it is told, except what another program has. */
async function openDesktop(kept = '', taken: readonly string[] = []) {
  const world = stuckWorld();
  world.settings = { hotKey: kept };
  const scene = await open(world, { init: standInBridge });
  const set: unknown[] = [];
  let now = kept;
  scene.host.answers.set('window.hotKey' as never, ({ keys }) => {
    if (keys === undefined) return { keys: now, text: '' };
    set.push(keys);
    if (taken.includes(String(keys))) return { keys: now, text: `Another program has ${String(keys)}.` };
    now = String(keys);
    scene.host.world.settings = { hotKey: now };
    return { keys: now, text: '' };
  });
  await scene.page.keyboard.press('Control+4');
  await field(scene.page).focus();
  return { ...scene, set };
}

describe('the hot key', () => {
  it('is filled in by pressing it, and set with Enter', async () => {
    await using scene = await openDesktop();
    const { page, set } = scene;
    expect([await field(page).inputValue(), await field(page).getAttribute('placeholder')]).toEqual(['', 'none']);
    await page.keyboard.press('Alt+Control+u');
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+U');
    await page.keyboard.press('Meta+Shift+Alt+F12');
    expect(await field(page).inputValue()).toBe('Alt+Shift+Win+F12');
    await page.keyboard.press('Control+Shift+Digit3');
    expect(await field(page).inputValue()).toBe('Ctrl+Shift+3');
    expect(set).toEqual([]);
    await page.keyboard.press('Enter');
    await note(page).filter({ hasText: 'Ctrl+Shift+3 is set.' }).waitFor();
    await page.keyboard.press('Tab');
    expect(set).toEqual(['Ctrl+Shift+3']);
  });

  it('is pressed on any layout, and leaves AltGr and what a text field does with Ctrl to the field', async () => {
    await using scene = await openDesktop();
    const { page } = scene;
    const pressed = (init: Readonly<Record<string, string | boolean>>) =>
      field(page).evaluate((one, init) => {
        one.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init }));
      }, init);
    await pressed({ key: 'г', code: 'KeyU', ctrlKey: true, altKey: true });
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+U');
    await pressed({ key: '€', code: 'KeyE', ctrlKey: true, altKey: true, modifierAltGraph: true });
    await pressed({ key: 'Control', code: 'ControlLeft', ctrlKey: true });
    await pressed({ key: 'v', code: 'KeyV', ctrlKey: true });
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+U');
    await pressed({ key: 'a', code: 'KeyQ', ctrlKey: true, metaKey: true }); // a French keyboard
    expect(await field(page).inputValue()).toBe('Ctrl+Win+A');
  });

  it('is written as well, in any order, and set when the field is left', async () => {
    await using scene = await openDesktop('Ctrl+Alt+U');
    const { page, set } = scene;
    await field(page).fill('alt + control + k');
    await page.keyboard.press('Tab');
    await note(page).filter({ hasText: 'Ctrl+Alt+K is set.' }).waitFor();
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+K');
    expect(set).toEqual(['Ctrl+Alt+K']);
  });

  it('that cannot be one is told before it is sent; Esc brings back what is set', async () => {
    await using scene = await openDesktop('Ctrl+Alt+U');
    const { page, set } = scene;
    for (const [text, named] of [
      ['Ctrl+U', 'Ctrl+U'],
      ['Shift+F5', 'Shift+F5'],
      ['hello', 'Hello'],
    ] as const) {
      await field(page).fill(text);
      await page.keyboard.press('Enter');
      await note(page)
        .filter({ hasText: `"${named}" cannot be a hot key. It is still Ctrl+Alt+U.` })
        .waitFor();
      expect(await field(page).inputValue()).toBe(named);
    }
    await page.keyboard.press('Escape');
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+U');
    expect(set).toEqual([]);
  });

  it('that the system does not give is told with its sentence, and the old one stays', async () => {
    await using scene = await openDesktop('Ctrl+Alt+U', ['Ctrl+Alt+K']);
    const { page, set } = scene;
    await page.keyboard.press('Control+Alt+k');
    await page.keyboard.press('Tab');
    await note(page).filter({ hasText: 'Another program has Ctrl+Alt+K.' }).waitFor();
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+U');
    await field(page).focus();
    await page.keyboard.press('Tab');
    expect(await note(page).textContent()).toBe('Another program has Ctrl+Alt+K.');
    scene.host.answers.set('window.hotKey' as never, () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- an answer, not an exception
      throw { code: 'internal', message: 'The settings could not be written.', next: 'Make room.' };
    });
    await field(page).fill('Ctrl+Alt+J');
    await page.keyboard.press('Enter');
    await note(page).filter({ hasText: 'The settings could not be written. Make room.' }).waitFor();
    expect(set).toEqual(['Ctrl+Alt+K']);
  });

  it('is removed with its button or by emptying the field', async () => {
    await using scene = await openDesktop('Ctrl+Alt+U');
    const { page, set } = scene;
    await page.getByRole('button', { name: 'Remove the hot key' }).click();
    await note(page).filter({ hasText: 'Removed.' }).waitFor();
    expect(await field(page).evaluate((one) => one === document.activeElement)).toBe(true);
    await page.keyboard.type('Ctrl+F12');
    await page.keyboard.press('Enter');
    await note(page).filter({ hasText: 'Ctrl+F12 is set.' }).waitFor();
    await field(page).fill('');
    await page.keyboard.press('Tab');
    await note(page).filter({ hasText: 'Removed.' }).waitFor();
    expect(set).toEqual(['', 'Ctrl+F12', '']);
  });

  it('that was set elsewhere is shown when the window is looked at again, but not while another one is typed', async () => {
    await using scene = await openDesktop('Ctrl+Alt+U');
    const { page, host } = scene;
    const elsewhere = async (keys: string): Promise<void> => {
      host.answers.set('window.hotKey' as never, () => ({ keys, text: '' }));
      host.world.settings = { hotKey: keys };
      const read = page.waitForResponse('**/rpc/settings.get');
      await page.evaluate(() => dispatchEvent(new Event('focus')));
      await read;
    };
    await elsewhere('Ctrl+F12');
    await expect.poll(() => field(page).inputValue()).toBe('Ctrl+F12');
    await page.keyboard.press('Control+Alt+k');
    await elsewhere('Ctrl+F11');
    expect(await field(page).inputValue()).toBe('Ctrl+Alt+K');
  });

  it('is absent in a browser, and in a desktop application that does not know it', async () => {
    for (const init of [undefined, standInBridge]) {
      await using scene = await open(stuckWorld(), init === undefined ? {} : { init });
      await row(scene.page, '9f2c-41aa').waitFor();
      await scene.page.keyboard.press('Control+4');
      await scene.page.locator('[data-setting=theme]').waitFor();
      if (init !== undefined)
        await expect
          .poll(() => scene.host.calls.some(({ method }) => method === ('window.hotKey' as never)))
          .toBe(true);
      expect(await field(scene.page).count()).toBe(0);
    }
  });
});
