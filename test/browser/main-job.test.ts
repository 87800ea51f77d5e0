/** The main job as an operator does it, on real processes: see, cancel, force kill, abandon, read the log. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { dialog, ready, row, verb } from '../support/browser-console.ts';
import { consoleHosts } from '../support/console-hosts.ts';

/** Chooses a verb and waits until its dialog listens. */
async function choose(page: Page, ticket: string, name: 'cancel' | 'kill' | 'abandon'): Promise<void> {
  await row(page, ticket).click();
  await verb(page, name).click();
  await ready(page);
}

async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([]);
}

for (const host of consoleHosts)
  describe.skipIf(host.missing !== null)(
    `on ${host.name}${host.missing === null ? '' : ` (not here: ${host.missing})`}`,
    () => {
      test('the first screen names the stuck script, its pid, its mutex, who waits and the next step', async () => {
        await using opened = await host.open();
        const { page, world } = opened;
        const hung = await world.startHung('web', { ticket: 'hung' });
        await world.start('echo api deployed', {
          ticket: 'waiter',
          name: 'Deploy api / step 1',
          isolation: { level: 'full', mutex: 'web' },
        });
        await row(page, 'waiter').filter({ hasText: 'Waiting' }).waitFor();
        expect(await row(page, 'hung').textContent()).toContain(String(hung.pid));

        await choose(page, 'hung', 'cancel');
        await page.keyboard.press('Enter');
        await row(page, 'hung').filter({ hasText: 'Cancelling' }).waitFor();
        await world.client.call('scripts.cancel', { ticket: 'hung', graceMs: 100, escalate: false });
        await row(page, 'hung').filter({ hasText: 'Stuck: Cancel ignored' }).waitFor();
        await page.getByRole('heading', { level: 1, name: '1 stuck script blocks 1 script on "web"' }).waitFor();
        expect(await page.title()).toContain('1 stuck, blocks 1');
        expect(await page.getByRole('banner').textContent()).toContain('Force Kill');
        await clean(page);
        expect(opened.problems).toEqual([]);
      });

      test('Force Kill ends the tree and the next script runs; both logs tell it', async () => {
        await using opened = await host.open();
        const { page, world } = opened;
        await world.startHung('web', { ticket: 'hung' });
        await world.start('echo api deployed; sleep 600', {
          ticket: 'waiter',
          isolation: { level: 'full', mutex: 'web' },
        });
        await world.untilLogged('hung', 'copying');
        await world.client.call('scripts.cancel', { ticket: 'hung', graceMs: 50, escalate: false });
        await row(page, 'hung').filter({ hasText: 'Cancel ignored' }).waitFor();

        await choose(page, 'hung', 'kill');
        expect(await dialog(page).locator(':focus').textContent()).toContain('Go back');
        await clean(page);
        await dialog(page)
          .getByRole('button', { name: /^End 2/ })
          .click();
        await row(page, 'hung').filter({ hasText: 'Killed' }).waitFor();
        await row(page, 'waiter').filter({ hasText: 'Running' }).waitFor();
        await row(page, 'waiter').click();
        await page.getByText('api deployed').first().waitFor();
        expect(opened.problems).toEqual([]);
      });

      test('Abandon wants the typed pid, frees the mutex, and the orphan stays in sight', async () => {
        await using opened = await host.open();
        const { page, world } = opened;
        const hung = await world.startHung('web', { ticket: 'hung' });
        await world.start('echo api deployed; sleep 600', {
          ticket: 'waiter',
          isolation: { level: 'full', mutex: 'web' },
        });
        await world.untilLogged('hung', 'copying');

        await choose(page, 'hung', 'abandon');
        await page.keyboard.type('1');
        await page.keyboard.press('Enter');
        await dialog(page).getByText(`1 is not this script's PID (${hung.pid}).`).waitFor();
        expect(await world.get('hung')).toMatchObject({ state: 'running' });
        await page.keyboard.press('Backspace');
        await page.keyboard.type(String(hung.pid));
        await clean(page);
        await page.keyboard.press('Enter');
        await row(page, 'hung').filter({ hasText: 'Abandoned, still running' }).waitFor();
        await row(page, 'waiter').filter({ hasText: 'Running' }).waitFor();
        expect((await world.get('hung')).processes).toHaveLength(2);
        expect(opened.problems).toEqual([]);
      });
    },
  );
