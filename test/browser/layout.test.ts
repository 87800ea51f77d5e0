/** The window itself never scrolls: list, pane and log do. Looked at with the scroll bars that people have. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consoleSpecs, detailOf, row, rows } from '../support/browser-console.ts';
import { unkillable } from '../support/browser-states.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { ago, manyScripts, script, type World } from '../support/browser-worlds.ts';

const open = consoleSpecs();

/** What may scroll; each is a list, a pane, a log or a form. */
const mayScroll = '.grid, .detail, .detail .body, .preview, [role=log], .names, .entries, .settings, .groups, .empty';

/** Forty mutexes, three hundred scripts, a long queue, and names of every length. */
function crowded(): World {
  const world = stuckWorld();
  for (const one of manyScripts(300).scripts.values()) world.add(one);
  world.change('9f2c-41aa', unkillable);
  const waiters = Array.from({ length: 40 }, (_, n) => ({
    ticket: `w${n}`,
    name: `Deploy customer-portal release 2026.11.${n} / step ${n}: migrate the database`,
    level: 'full' as const,
    since: ago(60_000 * n),
    position: n + 1,
    why: 'Waits for the holder and those ahead of it.',
  }));
  world.mutexes = [
    { ...world.mutexes[0]!, waiters },
    ...Array.from({ length: 40 }, (_, n) => ({ ...world.mutexes[1]!, name: `Mutex ${n} of a host with many` })),
  ];
  world.history = Array.from({ length: 2_139 }, (_, n) => ({ ...world.history[0]!, id: n + 1, at: ago(n * 1_000) }));
  return world;
}

const overflow = (page: Page): Promise<string[]> =>
  page.evaluate((allowed) => {
    const found: string[] = [];
    for (const one of [document.documentElement, ...document.querySelectorAll<HTMLElement>('body, body *')]) {
      if (one.closest('svg') !== null || one.closest('.unseen') !== null || !one.checkVisibility()) continue;
      const style = getComputedStyle(one);
      const isRoot = one === document.documentElement || one === document.body;
      const canScroll = isRoot || /auto|scroll/.test(style.overflowX + style.overflowY);
      if (!canScroll || one instanceof HTMLTextAreaElement) continue;
      const name = `${one.tagName.toLowerCase()}.${one.className}`;
      if (one.scrollWidth > one.clientWidth && one.getAttribute('role') !== 'log')
        found.push(`${name} sideways by ${one.scrollWidth - one.clientWidth}`);
      if (one.scrollHeight > one.clientHeight && !one.matches(allowed))
        found.push(`${name} by ${one.scrollHeight - one.clientHeight}`);
    }
    return found;
  }, mayScroll);

const sizes = {
  '1280x800': { viewport: { width: 1280, height: 800 } },
  '1366x640': { viewport: { width: 1366, height: 640 } },
  '480 px': { viewport: { width: 480, height: 800 } },
  // 1280x800 at 200 % is a window of half the size with twice the pixels.
  '200 %': { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
} as const;

const views: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  scripts: async () => {},
  details: async (page) => {
    const details = page.getByRole('button', { name: 'Details', exact: true });
    if (await details.isVisible()) await details.click();
    await page.locator('details summary').click();
  },
  'the log': async (page) => {
    await page.keyboard.press('Shift+L');
    await page.locator('[role=log] [data-seq]').first().waitFor();
  },
  mutexes: async (page) => {
    await page.keyboard.press('Control+2');
    await page.getByText('Timeline, last').waitFor();
    await page.keyboard.press('t');
  },
  history: async (page) => {
    await page.keyboard.press('Control+3');
    await page.getByText('of 2,139').waitFor();
    await page.getByRole('row').nth(1).click();
  },
  settings: async (page) => {
    await page.keyboard.press('Control+4');
    await page.locator('[data-setting=theme]').waitFor();
  },
};

describe.each(Object.keys(views))('in %s', (view) => {
  it.each(Object.keys(sizes))('nothing scrolls but what should, at %s', async (size) => {
    await using scene = await open(crowded(), { ...sizes[size as keyof typeof sizes], waitFor: '.row' });
    await detailOf(scene.page, 'Deploy web-eu');
    await views[view]?.(scene.page);
    expect(await overflow(scene.page)).toEqual([]);
    await scene.page.mouse.move(200, 300);
    await scene.page.mouse.wheel(0, 4_000);
    expect(await scene.page.evaluate(() => [scrollX, scrollY, document.body.scrollTop])).toEqual([0, 0, 0]);
  });
});

it.each([1280, 1440, 1920])(
  'at %d px a state takes one line, with a note below it where there is one',
  async (width) => {
    const world = stuckWorld();
    const { condition } = world.scripts.get('a1')!;
    world.change('a1', { condition: { ...condition, label: 'Blocked 59 min, 10 of 12' } });
    const start = { from: ago(-175_000), to: ago(-295_000), runs: 12 };
    world.change('a2', {
      estimate: start,
      condition: { ...condition, key: 'waiting', label: 'Waiting 59 min, 12 of 12' },
    });
    await using scene = await open(world, { viewport: { width, height: 800 } });
    await row(scene.page, 'a2').getByText('usually in 2 to 4 min').waitFor();
    const broken = await rows(scene.page)
      .locator('.text')
      .evaluateAll((all) =>
        all.flatMap((one) => {
          const range = document.createRange();
          range.selectNodeContents(one.firstChild ?? one);
          return range.getClientRects().length > 1 ? [one.textContent] : [];
        }),
      );
    expect(broken).toEqual([]);
  },
);

describe.each([1280, 1920, 480])('at %d px with 300 scripts', (width) => {
  it('every name can be read in full, and every state', async () => {
    const world = manyScripts(300);
    world.add(
      script({ ticket: 'long', name: 'Deploy customer-portal release 2026.11.41 / step 12: migrate the database' }),
    );
    await using scene = await open(world, { viewport: { width, height: 800 } });
    await scene.page.getByRole('searchbox').fill('step');
    await row(scene.page, 'long').waitFor();
    const cut = await rows(scene.page)
      .locator('.name, .text')
      .evaluateAll((all) =>
        all
          .filter((one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1)
          .map((one) => one.textContent),
      );
    expect(cut).toEqual([]);
  });
});
