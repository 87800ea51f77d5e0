/**
 * The measurable bars of the console: keyboard only, told apart without colour, slips that must do nothing, longer
 * texts and the other reading direction, target sizes, how much is announced. `test/bench/console.ts` has those of speed.
 */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { icons } from '../../app/contract/schemas.ts';
import { standInBridge } from '../support/browser-bridge.ts';
import { consoleSpecs, detailOf, dialog, focused, ready, row, rows, verb } from '../support/browser-console.ts';
import { cancelIgnored, unkillable } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { manyScripts, script, World } from '../support/browser-worlds.ts';

const open = consoleSpecs();
const stuck = '9f2c-41aa';

describe('by keyboard alone', () => {
  it('the whole ladder: Cancel in 2 keys, Force Kill in 3, Abandon in 2 and the digits', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    let keys = 0;
    const press = async (key: string): Promise<void> => {
      keys += 1;
      await page.keyboard.press(key);
    };
    await detailOf(page, 'Deploy web-eu');
    await press('Delete');
    await ready(page);
    await press('Enter');
    await expect.poll(() => host.commands().length).toBe(1);
    expect(keys).toBe(2);

    host.push((world) => world.change(stuck, cancelIgnored));
    await page.locator('.condition', { hasText: 'Cancel ignored' }).waitFor();
    await verb(page, 'abandon').and(page.locator('[aria-disabled=false]')).waitFor();
    await press('Shift+Delete');
    await ready(page);
    await press('Tab');
    await press('Enter');
    await expect.poll(() => host.commands().length).toBe(2);
    expect(keys).toBe(5);

    host.push((world) => world.change(stuck, unkillable));
    await page.locator('.condition', { hasText: 'Unkillable' }).waitFor();
    await press('Control+Shift+Delete');
    await ready(page);
    for (const digit of '7312') await press(digit);
    await press('Enter');
    await expect.poll(() => host.commands().length).toBe(3);
    expect(keys).toBe(11);
    expect(host.commands().map((call) => call.method)).toEqual(['scripts.cancel', 'scripts.kill', 'scripts.abandon']);
  });

  it('from a waiter to its holder with B, to the mutex with M, to the log with L, each one key', async () => {
    await using scene = await open(stuckWorld());
    const { page } = scene;
    for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toBe('a2');
    await page.keyboard.press('b');
    await expect.poll(() => focused(page)).toBe(stuck);
    await page.keyboard.press('Shift+L');
    await page.getByRole('log').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page)).toBe(stuck);
    await page.keyboard.press('m');
    await page.getByRole('heading', { name: 'RunningScript', exact: true }).waitFor();
  });

  it('the way out of a paused mutex: to Mutexes, to its name, to Resume', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    await page.keyboard.press('Control+2');
    await expect.poll(() => focused(page)).toContain('RunningScript');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => focused(page)).toContain('Backup');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => host.commands()).toEqual([{ method: 'locks.resume', input: { name: 'Backup' } }]);
  });

  it('a setting is found and changed', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    await page.keyboard.press('Control+4');
    await page.locator('[data-setting=theme]').waitFor();
    await page.locator('[data-part=settings]:focus').waitFor();
    await page.keyboard.press('Tab');
    await page.locator('[data-setting=silentAfterMinutes] input:focus').waitFor();
    await page.keyboard.type('15');
    await page.keyboard.press('Enter');
    await expect.poll(() => host.commands()[0]?.input).toEqual({ values: { silentAfterMinutes: 15 } });
  });
});

/** How many of the 256 pixels of two pictures differ so much that one sees it. */
async function differences(page: Page, pictures: readonly Buffer[]): Promise<{ pair: string; pixels: number }[]> {
  return page.evaluate(
    async ([data, names]) => {
      const light = await Promise.all(
        data.map(async (base64) => {
          const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
          const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
          const canvas = new OffscreenCanvas(16, 16);
          const context = canvas.getContext('2d')!;
          context.drawImage(bitmap, 0, 0);
          const { data: rgba } = context.getImageData(0, 0, 16, 16);
          return Array.from(
            { length: 256 },
            (_, n) => 0.3 * rgba[n * 4]! + 0.59 * rgba[n * 4 + 1]! + 0.11 * rgba[n * 4 + 2]!,
          );
        }),
      );
      return light.flatMap((one, i) =>
        light.slice(0, i).map((other, j) => ({
          pair: `${names[j]} and ${names[i]}`,
          pixels: one.filter((value, n) => Math.abs(value - other[n]!) > 80).length,
        })),
      );
    },
    [pictures.map((picture) => picture.toString('base64')), icons] as const,
  );
}

describe.each(['greyscale', 'forced colours'] as const)('in %s', (how) => {
  it('the shapes of all states tell apart at 16 px', async () => {
    const world = new World();
    for (const [n, icon] of icons.entries())
      world.add(
        script({
          ticket: `s${n}`,
          condition: { key: icon, label: icon, headline: icon, severity: 'info', icon, next: 'none' },
        }),
      );
    await using scene = await open(world, {
      viewport: { width: 1280, height: 1_000 },
      ...(how === 'greyscale' ? {} : { forcedColors: 'active' as const }),
    });
    const { page } = scene;
    await page.locator('header h1').click(); // no row has hover or focus
    const pictures: Buffer[] = [];
    for (let n = 0; n < icons.length; n += 1) {
      if (n === 0) await row(page, 's1').click();
      if (n === 1) await row(page, 's0').click();
      await page.mouse.move(640, 5);
      pictures.push(await row(page, `s${n}`).locator('.state svg').screenshot());
    }
    const found = await differences(page, pictures);
    const closest = found.sort((a, b) => a.pixels - b.pixels).slice(0, 3);
    console.log(`${how}: closest shapes`, closest);
    expect(closest[0]?.pixels).toBeGreaterThanOrEqual(10);
  });
});

describe('a slip does nothing', () => {
  it('a double click on any row or button', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    await detailOf(page, 'Deploy web-eu');
    for (const ticket of await rows(page).evaluateAll((all) => all.map((one) => one.getAttribute('data-ticket')!))) {
      await row(page, ticket).dblclick();
      await page.keyboard.press('Escape');
      await row(page, ticket).waitFor();
    }
    await row(page, stuck).click();
    const buttons = page.locator('main button:visible');
    const names = await buttons.evaluateAll((all) => all.map((one) => one.textContent?.trim() ?? ''));
    for (const name of names) {
      const button = page.locator('main button:visible', { hasText: name }).first();
      if ((await button.count()) === 0) continue;
      await button.dblclick();
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+1');
    }
    expect(host.commands()).toEqual([]);
  });

  it('Del and Enter one after the other, as fast as a hand can', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.clock.install();
    await scene.page.clock.pauseAt(Date.now() + 10_000);
    await scene.page.keyboard.press('Delete');
    await scene.page.clock.runFor(450);
    await scene.page.keyboard.press('Enter');
    await scene.page.keyboard.press('Enter');
    expect(await dialog(scene.page).count()).toBe(1);
    expect(scene.host.commands()).toEqual([]);
  });

  it('rows that change their order while a key goes down: the key still means the row it was pressed on', async () => {
    await using scene = await open(stuckWorld());
    const { page, host } = scene;
    await detailOf(page, 'Deploy web-eu');
    await page.keyboard.down('Delete');
    host.push((world) => {
      world.change('health', { blocks: 99, stuck: true, condition: cancelIgnored.condition });
    });
    await page.keyboard.up('Delete');
    await ready(page);
    expect(await dialog(page).locator('h2').textContent()).toBe('Cancel "Deploy web-eu / step 4"?');
    await page.keyboard.press('Enter');
    await expect.poll(() => host.commands()[0]?.input['ticket']).toBe(stuck);
  });

  it('keys while the host is away', async () => {
    await using scene = await open(stuckWorld());
    await detailOf(scene.page, 'Deploy web-eu');
    scene.host.goDown();
    await scene.page.getByText('unreachable since').waitFor();
    for (const key of ['Delete', 'Enter', 'Shift+Delete', 'Control+Shift+Delete']) await scene.page.keyboard.press(key);
    expect(await dialog(scene.page).count()).toBe(0);
    expect(scene.host.commands()).toEqual([]);
  });
});

/** Texts 40 % longer and with accents, as in another language. */
async function lengthen(page: Page, selector: string): Promise<void> {
  await page.locator(selector).evaluateAll((all) => {
    const accents: Readonly<Record<string, string>> = { a: 'á', e: 'é', i: 'í', o: 'ö', u: 'ü', n: 'ñ', c: 'ç' };
    for (const element of all) {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
        const text = node.nodeValue ?? '';
        if (text.trim() === '') continue;
        const words = text.replace(/[aeiounc]/g, (c) => accents[c] ?? c);
        node.nodeValue = `${words} ${'lorem ipsum dolor sit amet '.repeat(9).slice(0, Math.ceil(text.trim().length * 0.4))}`;
      }
    }
  });
}

const mustShow = '.state .text, header.verdict h1, header.verdict p, [data-verb], [data-verb] span, .condition span';

const clipped = (page: Page, what = mustShow): Promise<string[]> =>
  page.locator(what).evaluateAll((all) =>
    all
      .filter((one) => one.checkVisibility())
      .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
      .filter((one) => getComputedStyle(one).display !== 'inline')
      .map((one) => one.textContent ?? ''),
  );

describe.each([1280, 640, 320])('at %d px', (width) => {
  it('texts that are 40 % longer are not cut off in state, verdict and verbs', async () => {
    await using scene = await open(stuckWorld(), { viewport: { width, height: 800 } });
    await detailOf(scene.page, 'Deploy web-eu');
    await lengthen(
      scene.page,
      mustShow.replace(', [data-verb] span', '').replace('[data-verb]', '[data-verb] span:first-child'),
    );
    expect(await clipped(scene.page)).toEqual([]);
    expect(await scene.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it('texts that are 40 % longer are not cut off in the settings', async () => {
    const world = stuckWorld();
    world.settings = { scriptRules: [{ name: 'Backup *', silentAfterMinutes: 120 }] };
    await using scene = await open(world, { viewport: { width, height: 800 }, init: standInBridge });
    const { page, host } = scene;
    host.answers.set('window.signIn' as never, () => ({ on: true }));
    await page.keyboard.press('Control+4');
    await page.getByText('Start when I sign in').waitFor();
    const words = '.settings :is(label, p, button, h3, .muted, .wrong)';
    await lengthen(page, words);
    expect(await clipped(page, words)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const outside = await page
      .locator('.settings :is(label, p, button, summary, h3, input, select):visible')
      .evaluateAll((all, width) => all.filter((one) => one.getBoundingClientRect().right > width).length, width);
    expect(outside).toBe(0);
  });

  it('the other reading direction loses nothing', async () => {
    await using scene = await open(stuckWorld(), { viewport: { width, height: 800 } });
    await detailOf(scene.page, 'Deploy web-eu');
    await scene.page.evaluate(() => (document.documentElement.dir = 'rtl'));
    expect(await clipped(scene.page)).toEqual([]);
    expect(await scene.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const [icon, name] = await row(scene.page, stuck).evaluate((one) => [
      one.querySelector('.state svg')!.getBoundingClientRect().left,
      one.querySelector('.name')!.getBoundingClientRect().left,
    ]);
    if (width === 1280) expect(icon).toBeLessThan(name);
    await scene.page.keyboard.press('Control+2');
    expect(await scene.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it('every target of every view is 24 px and more, every verb 32 px high and 8 px from the next', async () => {
    const world = stuckWorld();
    world.change(stuck, unkillable);
    await using scene = await open(world, { viewport: { width, height: 800 } });
    const { page } = scene;
    const small = async (where: string): Promise<string[]> =>
      page
        .locator(
          'button:visible, input:visible, select:visible, summary:visible, a:visible, [role=row][data-ticket]:visible',
        )
        .evaluateAll(
          (all, view) =>
            all
              .map((one) => ({ one, box: one.getBoundingClientRect() }))
              .filter(({ one, box }) => box.height < (one.hasAttribute('data-verb') ? 32 : 24) || box.width < 24)
              .map(({ one, box }) => `${view}: ${one.textContent?.trim()} ${box.width}x${box.height}`),
          where,
        );
    await detailOf(page, 'Deploy web-eu');
    const found = await small('list');
    if (width < 861) await page.getByRole('button', { name: 'Details', exact: true }).click();
    found.push(...(await small('details')));
    const edges = await page
      .locator('[data-verb]')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map((box) => [box.left, box.right] as const));
    for (const [index, [left]] of edges.entries())
      if (index > 0) expect(left - edges[index - 1]![1]).toBeGreaterThanOrEqual(8);
    for (const key of [
      'Control+2',
      't',
      'Control+3',
      'Control+4',
      'Control+1',
      'F1',
      'Escape',
      'Control+Shift+Delete',
    ]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(60);
      found.push(...(await small(key)));
    }
    expect(found).toEqual([]);
  });
});

it('announces at most one status in 10 s while 1,000 scripts change, and one alert for an own action', async () => {
  await using scene = await open(manyScripts(1_000));
  const { page, host } = scene;
  await page.evaluate(() => {
    const said: { role: string; at: number; text: string }[] = [];
    Object.assign(window, { said });
    for (const role of ['status', 'alert']) {
      const region = document.querySelector(`body > [role=${role}]`)!;
      new MutationObserver(() => said.push({ role, at: performance.now(), text: region.textContent })).observe(region, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    }
  });
  const heard = () =>
    page.evaluate(() => (window as unknown as { said: { role: string; at: number; text: string }[] }).said);
  const until = Date.now() + 22_000;
  for (let n = 0; Date.now() < until; n += 1) {
    host.push((world) => {
      // The last hundred are those that go.
      for (let k = 0; k < 50; k += 1) world.change(`t${(n * 50 + k) % 900}`, {});
      world.scripts.delete(`t${999 - n}`);
    });
    await page.waitForTimeout(250);
  }
  const status = (await heard()).filter(({ role }) => role === 'status');
  expect(status.length).toBeLessThanOrEqual(3);
  for (const [index, { at }] of status.entries())
    if (index > 0) expect(at - status[index - 1]!.at).toBeGreaterThan(9_900);
  expect((await heard()).filter(({ role }) => role === 'alert')).toEqual([]);

  await row(page, 't0').click();
  await detailOf(page, 'Deploy service-0');
  await page.keyboard.press('Delete');
  await ready(page);
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await heard()).filter(({ role }) => role === 'alert').length).toBe(1);
  host.push();
  await page.waitForTimeout(500);
  expect((await heard()).filter(({ role }) => role === 'alert')).toHaveLength(1);
});
