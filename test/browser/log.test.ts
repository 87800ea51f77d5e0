import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, dialog, focused } from '../support/browser-console.ts';
import { sequenced } from '../support/browser-host.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago, hostileLines, type World } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';
const lines = (page: Page) => page.locator('[role=log] [data-seq]');
const line = (text: string) => ({ stream: 'stdout' as const, at: ago(1_000), code: null, text });

async function openLog(world: World = stuckWorld()) {
  const scene = await open(world);
  await detailOf(scene.page, 'Deploy web-eu');
  await scene.page.keyboard.press('Shift+L');
  await lines(scene.page).first().waitFor();
  return scene;
}

function longLog(count: number): World {
  const world = stuckWorld();
  world.logs.set(
    stuck,
    sequenced(
      Array.from({ length: count }, (_, n) =>
        line(`line ${n + 1} of ${count}${(n + 1) % 1_000 === 0 ? ' needle' : ''}`),
      ),
    ),
  );
  return world;
}

describe('the log', () => {
  it('opens with L at its end, and Esc returns to the row', async () => {
    await using scene = await openLog();
    expect(await lines(scene.page).last().textContent()).toContain('looks stuck');
    await scene.page.keyboard.press('Escape');
    await expect.poll(() => focused(scene.page)).toBe(stuck);
  });

  it('is read at once for a script that is selected, and not for those that are passed on the way', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.clock.install();
    await scene.page.clock.pauseAt(Date.now() + 10_000);
    const asked = (): readonly unknown[] =>
      scene.host.calls.filter(({ method }) => method === 'logs.lines').map(({ input }) => input['ticket']);
    const before = asked().length;
    await scene.page.keyboard.press('ArrowDown');
    await expect.poll(() => asked().slice(before)).toEqual(['orphan-1']); // though no time goes by
    for (let n = 0; n < 3; n += 1) await scene.page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(scene.page)).toBe('a3');
    await scene.page.clock.runFor(160);
    await expect.poll(() => asked().includes('a3')).toBe(true);
    expect(asked()).not.toContain('a1');
    expect(asked()).not.toContain('a2');
  });

  it('marks stderr with a letter and lines of Unjam with a bar and their code', async () => {
    await using scene = await openLog();
    expect(await scene.page.locator('.line.stderr .mark').textContent()).toContain('E');
    expect(await scene.page.locator('.line.unjam strong').textContent()).toBe('Unjam W102');
  });

  it('shows what a script printed as text, whatever it is', async () => {
    const world = stuckWorld();
    world.logs.set(stuck, sequenced(hostileLines));
    await using scene = await openLog(world);
    const text = (await lines(scene.page).allTextContents()).join('\n');
    expect(text).toContain('<script>document.title=2</script>');
    expect(text).toContain('RLOuserLRI// admin');
    expect(text).toContain('NUL');
    expect(text).not.toContain('own the title');
    expect(text).toContain('progress 100 %(2 overwritten updates)');
    expect(text).not.toContain('progress 50 %');
    expect(await scene.page.locator('[role=log] img, [role=log] script').count()).toBe(0);
    expect(await scene.page.title()).toBe('1 stuck, blocks 3 - Unjam');
    expect(await scene.page.locator('.line.unjam').count()).toBe(0);
    expect(await scene.page.locator('.ansi-1').first().textContent()).toBe('red');
  });

  it('cuts very long lines and shows all of them on demand', async () => {
    const world = stuckWorld();
    world.logs.set(stuck, sequenced([line('x'.repeat(30_000))]));
    await using scene = await openLog(world);
    expect((await lines(scene.page).textContent())?.length).toBeLessThan(11_000);
    const showAll = scene.page.getByRole('button', { name: /show all/ });
    // On screen, though the line goes on far beyond it.
    expect((await showAll.boundingBox())?.x).toBeLessThan(1_280);
    await showAll.click();
    await expect.poll(async () => (await lines(scene.page).textContent())?.length).toBeGreaterThan(30_000);
  });

  it('follows what comes, and stops when the person scrolls up', async () => {
    await using scene = await openLog();
    scene.host.appendLog(stuck, [line('one more')]);
    await lines(scene.page).filter({ hasText: 'one more' }).waitFor();
    await scene.page.locator('[role=log]').focus();
    await scene.page.keyboard.press('PageUp');
    await scene.page.getByRole('button', { name: /^Follow/, pressed: false }).waitFor();
    const top = await scene.page.locator('[role=log]').evaluate((box) => box.scrollTop);
    scene.host.appendLog(stuck, [line('unseen 1'), line('unseen 2')]);
    await scene.page.getByRole('button', { name: '2 new lines below (End)' }).waitFor();
    expect(await scene.page.locator('[role=log]').evaluate((box) => box.scrollTop)).toBe(top);
    await scene.page.keyboard.press('End');
    await lines(scene.page).filter({ hasText: 'unseen 2' }).waitFor();
    await scene.page.getByRole('button', { name: /^Follow/, pressed: true }).waitFor();
  });

  it('says how long nothing was printed', async () => {
    await using scene = await openLog();
    await scene.page.locator('.gap', { hasText: 'no output for 44 min 57 s' }).waitFor();
  });

  it('draws only what is on screen of a long log and reaches its first line', async () => {
    await using scene = await openLog(longLog(40_000));
    expect(await lines(scene.page).count()).toBeLessThan(120);
    await lines(scene.page).filter({ hasText: 'line 40000 of' }).waitFor();
    await scene.page.locator('[role=log]').focus();
    await scene.page.keyboard.press('Home');
    await lines(scene.page).filter({ hasText: 'line 1 of' }).waitFor();
    expect(await scene.page.locator('.foot .place').textContent()).toMatch(/^Lines 1-\d+ of 40,000$/);
  });

  it('reads what is missing on a screen that is higher than a page of lines', async () => {
    await using scene = await open(longLog(2_000), {
      viewport: { width: 900, height: 4_600 },
      hash: `#scripts/${stuck}/log`,
      waitFor: '[role=log] [data-seq]',
    });
    await scene.page.locator('[role=log]').focus();
    await scene.page.keyboard.press('Home');
    for (const n of [1, 220])
      await lines(scene.page)
        .filter({ hasText: `line ${n} of` })
        .waitFor();
    await expect.poll(() => scene.page.locator('[role=log] .line:not([data-seq])').count()).toBe(0);
  });

  it('folds groups, which stay folded while it grows, open for a hit, and change nothing that is copied', async () => {
    const world = stuckWorld();
    const texts = ['first', '::group::Restore', 'a', 'b', '::endgroup::', '##[group]Build', 'needle', 'c'];
    world.logs.set(stuck, sequenced(texts.map(line)));
    await using scene = await openLog(world);
    const { page, host } = scene;
    const shown = async () => (await page.locator('[role=log] .text').allTextContents()).map((text) => text.trim());
    const group = (n: number) => page.getByRole('button', { name: 'Group of', exact: false }).nth(n);
    expect(await group(0).getAttribute('aria-label')).toBe('Group of 2 lines');
    await page.locator('[role=log]').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(shown).toEqual(['first', '::group::Restore', '##[group]Build', 'needle', 'c']);
    expect(await group(0).getAttribute('aria-expanded')).toBe('false');
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await expect.poll(shown).toEqual(['first', '::group::Restore', '##[group]Build']);
    host.appendLog(stuck, ['d', '##[endgroup]', 'last'].map(line));
    await lines(page).filter({ hasText: 'last' }).waitFor();
    expect(await shown()).toEqual(['first', '::group::Restore', '##[group]Build', 'last']);
    expect(await group(1).getAttribute('aria-label')).toBe('Group of 3 lines');
    await page.keyboard.press('/');
    await page.keyboard.type('needle');
    await page.keyboard.press('Enter');
    await page.locator('.current', { hasText: 'needle' }).waitFor();
    expect(await shown()).toEqual(['first', '::group::Restore', ...texts.slice(5), 'd', '##[endgroup]', 'last']);
    await page.evaluate(() => getSelection()?.selectAllChildren(document.querySelector('[data-line="2"]')!));
    expect(await page.evaluate(() => getSelection()?.toString().trim())).toBe('::group::Restore');
  });

  it('counts every hit in the whole log and walks through them, also in parts that are not loaded', async () => {
    await using scene = await openLog(longLog(40_000));
    await scene.page.keyboard.press('/');
    await scene.page.keyboard.type('needle');
    await scene.page.getByText('40 lines', { exact: true }).waitFor();
    await scene.page.keyboard.press('Enter');
    await scene.page.getByText('1 of 40 lines').waitFor();
    await scene.page.locator('.current', { hasText: 'line 1000 of 40000 needle' }).waitFor();
    await scene.page.keyboard.press('F3');
    await scene.page.locator('.current', { hasText: 'line 2000 of' }).waitFor();
    await scene.page.keyboard.press('Shift+F3');
    await scene.page.locator('.current', { hasText: 'line 1000 of' }).waitFor();
    await scene.page.getByRole('button', { name: 'Go to the end (End)' }).click();
    await lines(scene.page).filter({ hasText: 'line 40000 of' }).waitFor();
  });

  it('wraps long lines with W and remembers it', async () => {
    await using scene = await openLog();
    await scene.page.locator('[role=log]').focus();
    await scene.page.keyboard.press('w');
    await scene.page.getByRole('button', { name: /^Wrap/, pressed: true }).waitFor();
    expect(await scene.page.evaluate(() => localStorage.getItem('log-wrap'))).toBe('on');
  });

  it('leaves letters to the text in the find box', async () => {
    await using scene = await openLog();
    await scene.page.keyboard.press('/');
    await scene.page.keyboard.type('few');
    expect(await scene.page.getByRole('searchbox').inputValue()).toBe('few');
    await scene.page.keyboard.press('Delete');
    expect(await dialog(scene.page).count()).toBe(0);
  });

  it('goes on after the host was away', async () => {
    await using scene = await openLog();
    scene.host.goDown();
    await scene.page.getByText('unreachable since').waitFor();
    scene.host.comeBack();
    scene.host.appendLog(stuck, [line('after the break')]);
    await lines(scene.page).filter({ hasText: 'after the break' }).waitFor();
  });
});
