/** What stands beside the verbs: evidence. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, row } from '../support/browser-console.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago } from '../support/browser-worlds.ts';

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
