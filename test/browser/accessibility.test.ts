/** axe-core on every screen, in both themes and three widths: no violation, and nothing cut off sideways. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { standInBridge } from '../support/browser-bridge.ts';
import { consoleSpecs, detailOf, dialog } from '../support/browser-console.ts';
import type { BrowserHost } from '../support/browser-host.ts';
import { cancelIgnored, dpkgLocked, threeHosts, removedFromQueue, unkillable } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { hostileLines } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A narrow window shows one part at a time. */
async function showDetails(page: Page): Promise<void> {
  const details = page.getByRole('button', { name: 'Details', exact: true });
  if (await details.isVisible()) await details.click();
}

const desktop = 'settings of the desktop application';

const screens: Readonly<Record<string, (page: Page, host: BrowserHost) => Promise<void>>> = {
  list: async () => {},
  waiter: async (page) => {
    await page.locator('[role=row][data-ticket=a2]').click();
    await detailOf(page, 'Deploy web-us');
  },
  unkillable: async (page, host) => {
    host.push((world) => world.change(stuck, unkillable));
    await showDetails(page);
    await page.getByText('Survived Force Kill').first().waitFor();
    await page.locator('details summary').click();
  },
  'Cancel dialog': async (page) => {
    await page.keyboard.press('Delete');
    await dialog(page).waitFor();
  },
  'Force Kill dialog': async (page, host) => {
    host.push((world) => world.change(stuck, cancelIgnored));
    await page.getByText('Cancel ignored').first().waitFor();
    await page.keyboard.press('Shift+Delete');
    await dialog(page).waitFor();
  },
  'Abandon dialog': async (page, host) => {
    host.push((world) => world.change(stuck, unkillable));
    await page.locator('.row', { hasText: 'Unkillable' }).waitFor();
    await page.keyboard.press('Control+Shift+Delete');
    await dialog(page).waitFor();
  },
  keys: async (page) => {
    await page.keyboard.press('F1');
    await dialog(page).waitFor();
  },
  log: async (page, host) => {
    host.appendLog(stuck, hostileLines);
    await page.keyboard.press('Shift+L');
    await page.locator('[role=log] [data-seq]').first().waitFor();
  },
  'log in a window of its own': async (page) => {
    await page.evaluate(() => (location.hash = '#log/9f2c-41aa'));
    await page.getByRole('heading', { level: 1, name: 'Log: Deploy web-eu' }).waitFor();
    await page.locator('[role=log] [data-seq]').first().waitFor();
  },
  'Start again dialog': async (page, host) => {
    host.push((world) => world.change('a1', removedFromQueue));
    await page.locator('[role=row][data-ticket=a1]').click();
    await page.getByRole('button', { name: 'Start it again…' }).click();
    await dialog(page).waitFor();
  },
  mutexes: async (page, host) => {
    host.answers.set('foreignLocks.list', () => dpkgLocked);
    await page.keyboard.press('m');
    await page.getByRole('heading', { name: 'On this host, not Unjam’s' }).waitFor();
  },
  hosts: async (page, host) => {
    host.world.host = { fleet: 'web-1' };
    host.answers.set('fleet.get', () => threeHosts);
    await page.keyboard.press('F5');
    await page.getByRole('button', { name: 'Hosts' }).click();
    await page.getByText('this host').waitFor();
  },
  'paused mutex': async (page) => {
    await page.keyboard.press('m');
    await page.getByRole('button', { name: /Backup/ }).click();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
  },
  history: async (page) => {
    await page.keyboard.press('Control+3');
    await page.getByRole('row', { name: /Abandon/i }).click();
  },
  'time line as a table': async (page) => {
    await page.keyboard.press('m');
    await page.getByText('Timeline, last 60 min').waitFor();
    await page.getByRole('button', { name: /Show as table/ }).click();
  },
  settings: async (page, host) => {
    host.world.policy = { silentAfterMinutes: 3, disableAbandon: true };
    host.world.settings = {
      keepFinishedDays: 2,
      scriptRules: [{ name: 'Backup *', silentAfterMinutes: 120 }],
    };
    await page.keyboard.press('Control+4');
    await page.getByText('2 values are set by your administrator').waitFor();
  },
  [desktop]: async (page, host) => {
    host.answers.set('window.signIn' as never, () => ({ on: true }));
    host.answers.set('window.openFolder' as never, () => ({ text: '' }));
    await page.keyboard.press('Control+4');
    await page.getByRole('button', { name: 'Open folder' }).click();
    await page.getByText('The folder is open in the file manager.').waitFor();
  },
  'Force Kill dialog with a reason and the PID': async (page, host) => {
    host.world.settings = { requireReason: true, killNeedsPid: true };
    await page.keyboard.press('Control+4');
    await page.locator('[data-setting=requireReason] input:checked').waitFor();
    await page.keyboard.press('Control+1');
    await page.keyboard.press('Shift+Delete');
    await dialog(page).waitFor();
  },
  'log of a narrow window, details of a finished script': async (page) => {
    await page.locator('[role=row][data-ticket=failed-1]').click();
    await page.locator('.outcome').waitFor();
  },
  'first run': async (page, host) => {
    host.push((world) => world.scripts.clear());
    await page.getByRole('button', { name: /sort again/ }).waitFor(); // the key must not be faster than the news
    await page.keyboard.press('s');
    await page.getByText('Start a fire drill').waitFor();
  },
  offline: async (page, host) => {
    host.goDown();
    await page.getByText('unreachable since').first().waitFor();
  },
};

/**
 * What axe cannot decide itself: contrast of what a scrolling part hides or that is one letter long (contrast.test.ts
 * computes it from the tokens), and whether "Aa" and ".*" are part of "Match case" and "Regular expression".
 */
const explained = [/^color-contrast /, /^label-content-name-mismatch .*>(?:Aa|\.\*)</];
const unexplained = (results: Awaited<ReturnType<AxeBuilder['analyze']>>['incomplete']): string[] =>
  results
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id} ${html}`))
    .filter((found) => !explained.some((pattern) => pattern.test(found)));

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  describe.each([1280, 640, 320])('%d px wide', (width) => {
    it.each(Object.keys(screens))('%s', async (name) => {
      await using scene = await open(stuckWorld(), {
        colorScheme,
        viewport: { width, height: 800 },
        ...(name === desktop ? { init: standInBridge } : {}),
      });
      await detailOf(scene.page, 'Deploy web-eu');
      await screens[name]?.(scene.page, scene.host);
      const found = await new AxeBuilder({ page: scene.page }).withTags(rules).analyze();
      expect(
        found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(' ')}`),
      ).toEqual([]);
      expect(unexplained(found.incomplete)).toEqual([]);
      expect(
        await scene.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      ).toBe(0);
    });
  });
});

it('has no target smaller than 24 by 24 px, and no verb lower than 32 px', async () => {
  await using scene = await open(stuckWorld());
  await detailOf(scene.page, 'Deploy web-eu');
  const small = await scene.page
    .locator('button:visible, input:visible, select:visible, summary:visible, [role=row][data-ticket]')
    .evaluateAll((all) =>
      all
        .map((one) => ({
          what: one.textContent?.trim() ?? '',
          box: one.getBoundingClientRect(),
          least: one.hasAttribute('data-verb') ? 32 : 24,
        }))
        .filter(({ box, least }) => box.height < least || box.width < 24)
        .map(({ what }) => what),
    );
  expect(small).toEqual([]);
});
