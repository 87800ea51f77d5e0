/**
 * Speed of the console with 1,000 scripts that are refreshed four times a second, in the browser that the specs use:
 * `npm run bench -- console`. Prints the figures beside their bars (ui.md 6.1) and exits with 1 when one is missed.
 */
import { availableParallelism, loadavg } from 'node:os';
import type { Page } from 'playwright-core';
import { ready, row } from '../support/browser-console.ts';
import { BrowserHost } from '../support/browser-host.ts';
import { stuckWorld } from '../support/browser-stuck-world.ts';
import { listView, manyScripts } from '../support/browser-worlds.ts';
import { ensureBuilt, launchBrowser, openConsole } from '../support/browser.ts';

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly bar: number;
}

const percentile = (values: readonly number[], p: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil((values.length * p) / 100) - 1)] ?? NaN;

/** From the key's event to the frame that shows what it did. */
async function keyToPaint(page: Page, host: BrowserHost): Promise<number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    Object.assign(window, { times });
    addEventListener(
      'keydown',
      (event) =>
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => times.push(performance.now() - event.timeStamp);
          channel.port2.postMessage(0);
        }),
      { capture: true },
    );
  });
  const refresh = setInterval(() => churn(host), 250);
  for (let n = 0; n < 300; n += 1) {
    await page.keyboard.press('ArrowDown');
    await page.waitForTimeout(15);
  }
  clearInterval(refresh);
  return page.evaluate(() => (window as unknown as { times: number[] }).times);
}

let round = 0;
/** Every script changes, as when all of them ran for another minute. */
function churn(host: BrowserHost): void {
  round += 1;
  host.push((world) => {
    for (const [ticket, one] of world.scripts)
      world.change(ticket, { condition: { ...one.condition, label: `Running ${round} min` } });
  });
}

/** In the page, before its own code: times each snapshot from its arrival until the page is laid out again. */
function timeSnapshots(): void {
  const costs: number[] = [];
  Object.assign(window, { costs });
  const { addEventListener: add } = EventSource.prototype;
  EventSource.prototype.addEventListener = function (this: EventSource, type: string, listener: unknown) {
    add.call(this, type, (event: Event) => {
      const began = performance.now();
      (listener as (event: Event) => void)(event);
      // Svelte works in a microtask; this one comes after it.
      queueMicrotask(() =>
        queueMicrotask(() => {
          void document.body.offsetHeight;
          if (type === 'snapshot') costs.push(performance.now() - began);
        }),
      );
    });
  } as typeof add;
}

interface RefreshCosts {
  /** Wall clock: what a person waits, and what other programs on a busy machine add. */
  readonly wall: readonly number[];
  /** Time that the main thread really ran: script, style and layout. */
  readonly cpu: readonly number[];
}

async function refreshCosts(page: Page, host: BrowserHost): Promise<RefreshCosts> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return (of('ScriptDuration') + of('LayoutDuration') + of('RecalcStyleDuration')) * 1_000;
  };
  await page.evaluate(() => (window as unknown as { costs: number[] }).costs.splice(0));
  const cpu: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const before = await busy();
    churn(host);
    await page.waitForTimeout(100);
    cpu.push((await busy()) - before);
  }
  return { wall: await page.evaluate(() => (window as unknown as { costs: number[] }).costs), cpu };
}

/** From Enter in the dialog to "Cancel requested…" on screen. */
async function verbToChange(page: Page, host: BrowserHost): Promise<number[]> {
  const times: number[] = [];
  host.answers.set('scripts.cancel', async (input) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return listView(host.world.scripts.get(String(input['ticket']))!);
  });
  for (let n = 0; n < 10; n += 1) {
    await page.keyboard.press('Delete');
    await ready(page);
    await page.evaluate(() => {
      addEventListener(
        'keydown',
        (event) => {
          const look = (): void => {
            if (document.querySelector('.lead')?.textContent?.includes('requested') === true)
              requestAnimationFrame(() => Object.assign(window, { took: performance.now() - event.timeStamp }));
            else requestAnimationFrame(look);
          };
          look();
        },
        { capture: true, once: true },
      );
    });
    await page.keyboard.press('Enter');
    await page.locator('.lead', { hasText: 'requested' }).waitFor();
    await page.locator('.lead', { hasText: 'requested' }).waitFor({ state: 'detached' });
    times.push(await page.evaluate(() => (window as unknown as { took: number }).took));
  }
  return times;
}

await ensureBuilt();
const browser = await launchBrowser();
const figures: Figure[] = [];
{
  await using host = await BrowserHost.start(manyScripts(1_000));
  await using opened = await openConsole(browser, host.address, { init: timeSnapshots });
  await row(opened.page, 't0').click();
  const keys = await keyToPaint(opened.page, host);
  figures.push({ what: `P5 key to paint, p95 of ${keys.length}`, value: percentile(keys, 95), bar: 50 });
  figures.push({ what: `P5 key to paint, p99 of ${keys.length}`, value: percentile(keys, 99), bar: 100 });
  const { wall, cpu } = await refreshCosts(opened.page, host);
  figures.push({ what: `P6 refresh of 1,000 rows, wall, p95 of ${wall.length}`, value: percentile(wall, 95), bar: 16 });
  figures.push({ what: 'P6 the same, median', value: percentile(wall, 50), bar: 16 });
  figures.push({ what: `P6 the same, CPU of the page, p95 of ${cpu.length}`, value: percentile(cpu, 95), bar: 16 });
}
{
  await using host = await BrowserHost.start(stuckWorld());
  await using opened = await openConsole(browser, host.address);
  await opened.page.locator('[data-verb=cancel]').waitFor();
  const times = await verbToChange(opened.page, host);
  figures.push({ what: `P15 verb to visible change, p95 of ${times.length}`, value: percentile(times, 95), bar: 100 });
}
await browser.close();
// Figures of a machine that has other work say little about the console.
console.log(`load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`);
for (const { what, value, bar } of figures)
  console.log(`${value <= bar ? 'ok  ' : 'MISS'} ${what}: ${value.toFixed(1)} ms (bar ${bar} ms)`);
if (figures.some(({ value, bar }) => !(value <= bar))) process.exitCode = 1;
