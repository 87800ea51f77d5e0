/** P7 to P11 and P16: the log view in a real browser over a log of a million lines, read by the host's own reader. */
import { loadavg } from 'node:os';
import type { CDPSession, Page } from 'playwright-core';
import type { Method, Parsed } from '../../app/contract/methods.ts';
import { ensureBuilt, launchBrowser, openConsole } from '../support/browser.ts';
import { BrowserHost } from '../support/browser-host.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { LogFiles } from '../support/log-files.ts';
import { fill, lineCount, type Measurement, report } from './log-file.ts';

const total = lineCount + 10;
const measurements: Measurement[] = [];
const add = (bar: string, what: string, value: number, unit: string, limit: number): void => {
  measurements.push({ bar, what, value, unit, limit });
};
const share = (all: readonly number[], part: number): number =>
  all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))] ?? 0;

/** Frames while something moves: their length, and how long script and layout took in them. */
async function frames(page: Page, count: number, pxPerFrame: number): Promise<{ gaps: number[]; work: number[] }> {
  return await page.evaluate(
    async ({ count, pxPerFrame }) => {
      const box = document.querySelector('[role=log]') as HTMLElement;
      const gaps: number[] = [];
      const work: number[] = [];
      let last = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      for (let n = 0; n < count; n += 1) {
        const begin = performance.now();
        box.dispatchEvent(new WheelEvent('wheel', { deltaY: pxPerFrame, bubbles: true, cancelable: true }));
        await Promise.resolve();
        await Promise.resolve();
        void box.getBoundingClientRect().height;
        work.push(performance.now() - begin);
        const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
        gaps.push(now - last);
        last = now;
      }
      return { gaps, work };
    },
    { count, pxPerFrame },
  );
}

await ensureBuilt();
using log = new LogFiles();
fill(log);
await using host = await BrowserHost.start(stuckWorld());
const answer = (method: Method, read: (input: never) => unknown): void => {
  host.answers.set(method, (input) => read({ ...input, ticket: 't' } as never));
};
answer('logs.lines', (input: Parsed<'logs.lines'>) =>
  input.after === undefined ? log.reader.lines(input, false) : new Promise((resolve) => setTimeout(resolve, 60_000)),
);
answer('logs.search', (input: Parsed<'logs.search'>) => log.reader.search(input, false));
answer('logs.line', (input: Parsed<'logs.line'>) => log.reader.line(input, false));

const browser = await launchBrowser();
const place = (page: Page) => page.locator('.foot .place');
const shows = (line: number) => `[role=log] [data-line="${line}"]`;

/** Processor time of the page's main thread, in ms: what is left of a measurement on a busy machine. */
async function processorMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  const names = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'];
  return metrics.filter(({ name }) => names.includes(name)).reduce((sum, { value }) => sum + value * 1_000, 0);
}

async function openLog(scale: number) {
  const opened = await openConsole(browser, host.address, {
    deviceScaleFactor: scale,
    viewport: { width: Math.round(1280), height: 800 },
  });
  await opened.page.locator('#detail-name', { hasText: 'Deploy web-eu' }).waitFor();
  await opened.page.keyboard.press('Shift+L');
  await opened.page.locator('[role=log] [data-seq]').first().waitFor();
  return opened;
}

{
  log.reader = log.newReader();
  await using opened = await openConsole(browser, host.address, {});
  const { page } = opened;
  await page.locator('.preview .line').first().waitFor();
  // Nobody walks through the list: then the console would wait for the last selection.
  await page.waitForTimeout(500);
  log.reader = log.newReader();
  const opening = await page.evaluate(async () => {
    const begin = performance.now();
    location.hash = '#scripts/a2/log';
    while (document.querySelector('[role=log] [data-seq]') === null)
      await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - begin;
  });
  add('P11', 'address changed to last screen painted', opening, 'ms', 150);
}

for (const scale of [1, 1.25, 1.5, 1.75, 2, 2.5, 3]) {
  await using opened = await openLog(scale);
  const { page } = opened;
  await place(page)
    .filter({ hasText: `of ${total.toLocaleString('en')}` })
    .waitFor();
  await page.locator('[role=log]').focus();
  await page.keyboard.press('Home');
  await page.locator(shows(1)).waitFor();
  await page.keyboard.press('End');
  await page.locator(shows(total)).waitFor();
  const [bottom, edge] = await page.evaluate((selector) => {
    const box = document.querySelector('[role=log]') as HTMLElement;
    return [
      document.querySelector(selector)?.getBoundingClientRect().bottom ?? Infinity,
      box.getBoundingClientRect().top + box.clientHeight,
    ];
  }, shows(total));
  // By the scroll bar alone: both ends and the middle.
  for (const [part, line] of [
    [0, 1],
    [1, total],
  ] as const) {
    await page.locator('[role=log]').evaluate((box, part) => (box.scrollTop = part * box.scrollHeight), part);
    await page.locator(shows(line)).waitFor();
  }
  add('P10', `line 1 and ${total} reached at ${scale * 100} %`, (bottom ?? 0) <= (edge ?? 0) + 1 ? 1 : 0, 'of 1', 1);
}

{
  await using opened = await openLog(1);
  const { page } = opened;
  await place(page)
    .filter({ hasText: `of ${total.toLocaleString('en')}` })
    .waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.locator('[role=log]').focus();
  for (const px of [54, 720]) {
    await page.keyboard.press('Home');
    await page.locator(shows(1)).waitFor();
    const before = await processorMs(session);
    const { gaps, work } = await frames(page, 600, px);
    const perFrame = ((await processorMs(session)) - before) / 600;
    add('P8', `${px} px a frame: processor time for script, style and layout, mean`, perFrame, 'ms', 8);
    add(
      'P7',
      `${px} px a frame: frames within 17.5 ms`,
      (gaps.filter((ms) => ms <= 17.5).length / gaps.length) * 100,
      '%',
      98,
    );
    add('P7', `${px} px a frame: p99`, share(gaps, 0.99), 'ms', 34);
    add('P8', `${px} px a frame: script and layout, p95`, share(work, 0.95), 'ms', 8);
  }
  const jumps = await page.evaluate(async (total) => {
    const box = document.querySelector('[role=log]') as HTMLElement;
    const work: number[] = [];
    const painted: number[] = [];
    for (let n = 0; n < 300; n += 1) {
      const begin = performance.now();
      box.scrollTop = Math.random() * box.scrollHeight;
      box.dispatchEvent(new Event('scroll'));
      await Promise.resolve();
      void box.getBoundingClientRect().height;
      work.push(performance.now() - begin);
      while (box.querySelector('[data-line]') === null || box.querySelector('.text.muted') !== null)
        await new Promise((resolve) => setTimeout(resolve, 0));
      painted.push(performance.now() - begin);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    void total;
    return { work, painted };
  }, total);
  add('P9', 'jump to a random line: script and layout, p95', share(jumps.work, 0.95), 'ms', 16);
  add('P9', 'jump to a random line: until its lines are there, p95', share(jumps.painted, 0.95), 'ms', 100);

  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  add('P16', 'JavaScript heap of the page', usedSize / 1024 / 1024, 'MB', 150);
}
await browser.close();
report(measurements);
console.log(
  `load average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')} while this ran`,
);
log[Symbol.dispose](); // an exit does not wait for the end of the block
process.exit(0);
