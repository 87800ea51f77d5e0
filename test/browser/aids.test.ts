/** What stands beside the verbs: evidence, the end of one process, who is on it. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, focused, ready, row } from '../support/browser-console.ts';
import { standInBridge } from '../support/browser-bridge.ts';
import { refuse } from '../support/browser-host.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago, processOf } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const file = 'evidence-20261201-144501.zip';
const saved = { ticket: stuck, file, path: `/runs/${file}`, bytes: 4, at: ago(0), collected: true, missing: ['a: b'] };

describe('evidence', () => {
  it('is saved with one key, says what came of it, and can be downloaded byte by byte', async () => {
    await using scene = await open(stuckWorld(), { acceptDownloads: true });
    const { page, host } = scene;
    host.answers.set('scripts.evidence', () => saved);
    host.answers.set('evidence.read', (input) => {
      const { from } = input as { from: number };
      return { base64: from === 0 ? 'UEs=' : '/wA=', next: from === 0 ? 2 : null, bytes: 4 };
    });
    await detailOf(page, 'Deploy web-eu');
    await page.keyboard.press('v');
    const said = `Evidence saved as ${file} in the run directory. 1 part could not be read`;
    await page.locator('.toast', { hasText: said }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download evidence (4 bytes)' }).click();
    const taken = await download;
    expect(taken.suggestedFilename()).toBe(file);
    expect(await readFile(await taken.path())).toEqual(Buffer.from([0x50, 0x4b, 0xff, 0x00]));
    await row(page, 'done-1').click();
    await detailOf(page, 'Deploy');
    expect(await page.getByRole('button', { name: /^Download evidence/ }).count()).toBe(0);
  });

  it('is refused to a viewer with the sentence who may', async () => {
    const world = stuckWorld();
    const no = 'Only operators may do this.';
    world.host = { you: { user: 'eve', role: 'viewer', refused: { 'scripts.evidence': no } } };
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.getByRole('button', { name: /^Save evidence/ }).click({ force: true });
    await scene.page.locator('.toast', { hasText: no }).waitFor();
    expect(scene.host.commands()).toEqual([]);
  });
});

describe('one process', () => {
  const tree = () => {
    const world = stuckWorld();
    world.change(stuck, {
      processes: [
        processOf(7312, 'bash', 60_000),
        processOf(8120, 'sleep', 50_000, { depth: 1, parentPid: 7312, waits: 'is in a timed sleep' }),
      ],
    });
    return world;
  };

  it('is ended after a question with Go back first, aimed at what was shown; the script itself has no such button', async () => {
    await using scene = await open(tree());
    const { page, host } = scene;
    await detailOf(page, 'Deploy web-eu');
    expect(await page.getByRole('button', { name: /^End PID 7312/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'End PID 8120 (sleep)…' }).click();
    await ready(page);
    expect(await focused(page)).toBe('Go back Esc');
    await dialog(page).getByText('The rest of the script keeps running').waitFor();
    await dialog(page).getByRole('button', { name: 'End this process' }).click();
    await page.locator('.toast', { hasText: 'PID 8120 of Deploy web-eu' }).waitFor();
    expect(host.commands()).toMatchObject([
      { method: 'scripts.endProcess', input: { ticket: stuck, process: { pid: 8120, startTime: 't8120' } } },
    ]);
  });

  it('says on its row what it waits for', async () => {
    await using scene = await open(tree());
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.locator('li', { hasText: 'sleep 8120' }).getByText('is in a timed sleep').waitFor();
  });

  it('that has ended meanwhile leaves nothing to press', async () => {
    const world = tree();
    await using scene = await open(world);
    const { page, host } = scene;
    await detailOf(page, 'Deploy web-eu');
    await page.getByRole('button', { name: 'End PID 8120 (sleep)…' }).click();
    await ready(page);
    world.change(stuck, { processes: [processOf(7312, 'bash', 60_000)] });
    host.push();
    await dialog(page).getByText('PID 8120 has ended by itself.').waitFor();
    expect(await dialog(page).getByRole('button', { name: 'End this process' }).count()).toBe(0);
  });
});

describe('in the desktop application', () => {
  it('Cancel asks once: main asks, the page does not; who goes back finds no notice', async () => {
    await using scene = await open(stuckWorld(), { init: standInBridge });
    const { page, host } = scene;
    host.answers.set('scripts.cancel', () =>
      refuse({ code: 'not-confirmed', message: 'Cancel was not confirmed. Nothing was done.', next: 'Ask again.' }),
    );
    await detailOf(page, 'Deploy web-eu');
    await page.keyboard.press('Delete');
    await page.getByText('Cancel was not confirmed.').waitFor({ state: 'attached' });
    expect(await dialog(page).count()).toBe(0);
    expect(await page.locator('.notice').count()).toBe(0);
    expect(host.commands()).toMatchObject([{ method: 'scripts.cancel', input: { ticket: stuck, escalate: false } }]);
  });

  it('a reason that this host requires is typed before main asks', async () => {
    const world = stuckWorld();
    world.settings = { requireReason: true };
    await using scene = await open(world, { init: standInBridge });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.keyboard.press('Delete');
    await ready(scene.page);
    expect(scene.host.commands()).toEqual([]);
  });
});

describe('a host whose program was replaced', () => {
  it('is told of in the status bar, also when that happens later', async () => {
    const world = stuckWorld();
    await using scene = await open(world);
    await detailOf(scene.page, 'Deploy web-eu');
    world.host = { outdated: '"/opt/unjam/cli.js" was replaced' };
    await scene.page.keyboard.press('F5');
    await scene.page.locator('footer', { hasText: 'This host cannot start scripts: its program "/opt/unjam/cli.js" was replaced.' }).waitFor(); // prettier-ignore
  });
});

describe('I am on it', () => {
  it('is said with one key and seen in row and pane; another person is named; it ends by its time', async () => {
    const world = stuckWorld();
    await using scene = await open(world);
    const { page, host } = scene;
    const taken = { by: 'CONTOSO\\oncall', since: ago(60_000), until: new Date(Date.now() + 3_600_000).toISOString() };
    await detailOf(page, 'Deploy web-eu');
    await page.keyboard.press('i');
    await expect.poll(() => host.commands()).toMatchObject([
      { method: 'scripts.take', input: { ticket: stuck, release: false } },
    ]); // prettier-ignore
    world.change(stuck, { taken });
    host.push();
    await row(page, stuck).getByText('oncall is on it').waitFor();
    await page.locator('.taken', { hasText: 'CONTOSO\\oncall is on it, since' }).waitFor();
    await page.getByRole('button', { name: /^I am on it/ }).waitFor();
    world.change(stuck, { taken: { ...taken, by: 'CONTOSO\\kim' } });
    host.push();
    await page.getByRole('button', { name: /^No longer on it/ }).waitFor();
    world.change(stuck, { taken: { ...taken, until: ago(1) } });
    host.push();
    await page.locator('.taken').waitFor({ state: 'detached' });
    expect(await row(page, stuck).getByText('is on it').count()).toBe(0);
  });
});
