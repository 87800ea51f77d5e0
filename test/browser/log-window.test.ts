/** The log of one script in a window of its own: `L`, a double click, or the button. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, ready, row, type Scene } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { script, World } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';

async function opens(scene: Scene, act: () => Promise<void>): Promise<Page> {
  const [opened] = await Promise.all([scene.page.context().waitForEvent('page'), act()]);
  await opened.locator('.foot').waitFor();
  return opened;
}

describe('the log in a window of its own', () => {
  it.each([
    ['L', (page: Page) => page.keyboard.press('l')],
    ['a double click', (page: Page) => row(page, stuck).dblclick()],
    ['its button', (page: Page) => page.getByRole('button', { name: 'Open log' }).first().click()],
  ])('opens with %s and says whose log it is', async (_name, act) => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    const log = await opens(scene, () => act(scene.page));
    expect(await log.title()).toBe('Log: Deploy web-eu / step 4 (ticket 9f2c-41aa) - Unjam');
    expect(await log.getByRole('heading', { level: 1 }).textContent()).toBe('Log: Deploy web-eu / step 4');
    await log.getByText('W102').first().waitFor();
    expect(await log.getByRole('button', { name: /Back to the list/ }).count()).toBe(0);
    // The list keeps its place behind it.
    await row(scene.page, stuck).waitFor();
  });

  it('shows its last line whole above the scroll bar of lines that are too long', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    const log = await opens(scene, () => scene.page.keyboard.press('l'));
    await log.setViewportSize({ width: 480, height: 800 });
    const hidden = (): Promise<number> =>
      log.locator('[data-part=log]').evaluate((box) => {
        const last = [...box.querySelectorAll('.line')].at(-1)?.getBoundingClientRect().bottom ?? Infinity;
        return last - (box.getBoundingClientRect().top + box.clientTop + box.clientHeight);
      });
    await log.getByText('W102').first().waitFor();
    await expect.poll(hidden, { timeout: 20_000 }).toBeLessThan(1);
  });

  it('has a title that no name can rewrite', async () => {
    await using scene = await open(
      new World().add(script({ ticket: 'evil', name: 'Deploy \u202egnp.exe\u0007\u009b2J \u2028next' })),
    );
    await row(scene.page, 'evil').waitFor();
    const log = await opens(scene, () => row(scene.page, 'evil').dblclick());
    expect(await log.title()).toBe('Log: Deploy ⟨RLO⟩gnp.exe⟨BEL⟩⟨U+009B⟩2J ⟨LS⟩next (ticket evil) - Unjam');
  });

  it('is one for each script, however often it is asked for', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    await opens(scene, () => scene.page.keyboard.press('l'));
    await scene.page.keyboard.press('l');
    await scene.page.keyboard.press('ArrowDown');
    await opens(scene, () => scene.page.keyboard.press('l'));
    expect(scene.page.context().pages()).toHaveLength(3);
  });

  it('has the keys of the log and the verbs of its script', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    const log = await opens(scene, () => scene.page.keyboard.press('l'));
    await log.keyboard.press('w');
    await log.locator('[aria-pressed=true]', { hasText: 'Wrap' }).waitFor();
    await log.keyboard.press('Escape');
    await log.keyboard.press('Control+3');
    await log.locator('.foot').waitFor();
    await log.keyboard.press('Delete');
    await ready(log);
    expect(await dialog(log).locator('h2').textContent()).toBe('Cancel "Deploy web-eu / step 4"?');
    await log.keyboard.press('Enter');
    await expect.poll(() => scene.host.commands().map(({ input }) => input['ticket'])).toEqual([stuck]);
  });

  it('keeps what was read when the script is removed', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    const log = await opens(scene, () => scene.page.keyboard.press('l'));
    scene.host.push((world) => world.scripts.delete(stuck));
    await log.locator('footer', { hasText: '7 scripts' }).waitFor();
    await log.getByText('W102').first().waitFor();
  });

  it('says so when there is no such script', async () => {
    await using scene = await open(stuckWorld(), { hash: '#log/none', waitFor: 'h1' });
    await scene.page.getByRole('heading', { name: 'There is no script none' }).waitFor();
  });

  it('is this window where the browser opens no other', async () => {
    await using scene = await open(stuckWorld(), {
      init: () => {
        window.open = () => null;
      },
    });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('l');
    await scene.page.locator('.foot').waitFor();
    expect(scene.page.context().pages()).toHaveLength(1);
  });
});
