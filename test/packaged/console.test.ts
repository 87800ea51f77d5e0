/**
 * The built console as Electron would show it, and the whole way between page and main: the files and headers that
 * `app://ui` serves, the built preload, its channel, the door for the page and the shell. Only Electron's own objects are
 * stand-ins. Chromium does not know the scheme, so it asks an https address that is answered by the same function.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply } from '../../app/contract/methods.ts';
import type { Application } from '../../app/host/application.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import { detail, script, snapshot } from '../main/fixtures.ts';
import { ShellWorld } from '../main/shell-world.ts';
import { launchBrowser } from '../support/browser.ts';
import { buildPreload } from '../support/preload.ts';

const repository = join(import.meta.dirname, '..', '..');
const origin = 'https://ui.test';

let root: string;
let browser: Browser;
let preload: string;
let page: Page;
let shell: ShellWorld;
/** What opening the application comes to. */
let opened: () => Promise<Application>;
let violations: string[];
let calls: { method: string; input: unknown }[];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'unjam-console-'));
  const vite = join(repository, 'node_modules', '.bin', 'vite');
  execFileSync(vite, ['build', '-c', 'vite.config.ts', '--outDir', join(root, 'renderer'), '--emptyOutDir', 'true'], {
    cwd: repository,
    stdio: 'pipe',
  });
  preload = await buildPreload();
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser.close();
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  violations = [];
  calls = [];
  opened = async () => application();
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Types|TrustedHTML|TrustedScript/i.test(message.text()))
      violations.push(message.text());
  });
  page.on('pageerror', (error) => violations.push(String(error)));
  await page.route('**/*', async (route) => {
    const url = route.request().url();
    if (!url.startsWith(origin)) return route.abort();
    const reply = await shell.serve({ method: route.request().method(), url: url.replace(origin, 'app://ui') });
    await route.fulfill({
      status: reply.status,
      headers: Object.fromEntries(reply.headers),
      body: Buffer.from(await reply.arrayBuffer()),
    });
  });
  shell = new ShellWorld({ open: () => opened(), dist: root });
  shell.window.show();
  const contents = shell.windows[0]?.webContents;
  // One event after the other, as Electron's channel keeps them.
  let sending = Promise.resolve();
  contents?.on('sent', (event: string, payload: unknown) => {
    sending = sending
      .then(() =>
        page.evaluate(([name, what]) => (window as unknown as Heard).heard({}, name, what), [event, payload] as const),
      )
      .catch(() => undefined); // as in Electron, a page that is going hears nothing any more
  });
  await page.exposeFunction('invoke', (method: string, input: unknown) => shell.call(method, input));
  await page.addInitScript({
    content:
      `${electronOfPage}\n(function (require, module, exports) {${preload}\n})` +
      `(() => electronOfPage, { exports: {} }, {});`,
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.goto(`${origin}/index.html`);
  shell.windows[0]?.finishLoading();
});
afterEach(async () => {
  await shell?.engine.close();
  await page?.close();
});

/** The channel of the page's process; `invoke` leads to the door of main. */
const electronOfPage = `
  const listeners = new Set();
  window.heard = (...args) => listeners.forEach((listener) => listener(...args));
  const electronOfPage = {
    contextBridge: { exposeInMainWorld: (key, value) => { window[key] = value; } },
    ipcRenderer: {
      invoke: (channel, method, input) => channel === 'rpc' ? window.invoke(method, input) : Promise.reject(channel),
      on: (channel, listener) => { if (channel === 'event') listeners.add(listener); },
      off: (channel, listener) => { if (channel === 'event') listeners.delete(listener); },
    },
  };`;
interface Heard {
  heard(event: object, name: string, payload: unknown): void;
}

/** The application behind the door, with simulated answers. */
const application = (): Application => ({
  ...shell.application(),
  dispatch: async (method, input) => {
    calls.push({ method, input });
    return reply(method);
  },
  subscribe: (listener) => {
    listener(snapshot([script()]));
    return () => undefined;
  },
});
const open = (request: OpenRequest) => shell.window.show(request);

function reply(method: string): Reply {
  switch (method) {
    case 'overview.get':
      return { ok: true, value: snapshot([script()]) };
    case 'scripts.get':
      return { ok: true, value: detail() };
    case 'scripts.list':
      return { ok: true, value: [script()] };
    case 'logs.read':
      return { ok: true, value: { entries: [], next: 0, size: 0, complete: true } };
    case 'locks.list':
    case 'history.list':
      return { ok: true, value: [] };
    default:
      return { ok: false, error: { code: 'not-possible', message: 'not in this test', next: '' } };
  }
}

test('the console runs under the policy of app://ui and violates it nowhere', async () => {
  await shell.engine.start();
  await expect.poll(() => page.locator('body').innerText()).toContain('Deploy web-eu / step 4');
  for (const view of ['settings', 'scripts'] as const) open({ view });
  open({ view: 'script', ticket: 'web-eu-4', dialog: 'log' });
  await expect.poll(() => calls.some((call) => call.method.startsWith('logs.'))).toBe(true);
  expect(violations).toEqual([]);
});

const verbs = ['scripts.cancel', 'scripts.kill', 'scripts.abandon'];

test.each(['kill', 'abandon'] as const)(
  'what the tray asks for opens the %s dialog, and nothing is called before a person decides',
  async (dialog) => {
    await shell.engine.start();
    open({ view: 'script', ticket: 'web-eu-4', dialog });
    const shown = page.locator('dialog[open]');
    await expect.poll(() => shown.count()).toBe(1);
    expect(await shown.innerText()).toContain('Deploy web-eu / step 4');
    expect(calls.filter((call) => verbs.includes(call.method))).toEqual([]);
    expect(violations).toEqual([]);
  },
);

test('what the tray asks for as Cancel is asked once, natively; nothing is called before a person decides', async () => {
  await shell.engine.start();
  open({ view: 'script', ticket: 'web-eu-4', dialog: 'cancel' });
  await expect.poll(() => shell.dialog.asked.length).toBe(1);
  expect(shell.dialog.last.message).toContain('Deploy web-eu / step 4');
  expect(await page.locator('dialog[open]').count()).toBe(0);
  expect(calls.filter((call) => verbs.includes(call.method))).toEqual([]);
  expect(violations).toEqual([]);
});

test('the page learns that no host answers, again when a host goes, and when one is back', async () => {
  const heading = page.locator('h1');
  const link = page.locator('footer > span').first();
  const next = Promise.withResolvers<Application>();
  opened = () => Promise.reject(new Error('The disk is full.'));
  await shell.engine.start();
  await expect.poll(() => link.innerText()).toBe('Not connected; trying again');
  expect(await heading.innerText()).toMatch(/^Unjam has been unreachable since /);

  let isGone = false;
  const gone: Reply = { ok: false, error: { code: 'host-unreachable', message: 'The host has gone.', next: 'Wait.' } };
  opened = async () => ({
    ...application(),
    role: 'client',
    dispatch: async (method) => (isGone ? gone : reply(method)),
  });
  await expect.poll(() => link.innerText()).toBe('Connected');
  expect(await page.locator('main').getAttribute('class')).not.toContain('stale');

  isGone = true;
  opened = () => next.promise;
  await expect.poll(() => link.innerText()).toBe('Not connected; trying again');
  expect(await page.locator('main').getAttribute('class')).toContain('stale');
  expect(await page.locator('body').innerText()).toContain('Deploy web-eu / step 4');

  next.resolve(application());
  await expect.poll(() => link.innerText()).toBe('Connected');
});

test('a page that is opened while no host answers says so at once', async () => {
  opened = () => Promise.reject(new Error('The disk is full.'));
  await shell.engine.start();
  await page.reload();
  shell.windows[0]?.finishLoading();
  await expect.poll(() => page.locator('h1').innerText()).toMatch(/^Unjam has been unreachable since /);
});

test('injected markup and scripts do not run', async () => {
  const outcome = await page.evaluate(async () => {
    const results: Record<string, boolean> = {};
    const refused = (name: string, action: () => void) => {
      try {
        action();
        results[name] = false;
      } catch {
        results[name] = true;
      }
    };
    refused('innerHTML', () => (document.body.innerHTML = '<b>x</b>'));
    // In a task of the page's own: Chromium lets the debugger's own evaluation pass the policy.
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        refused('eval', () => void eval('1'));
        resolve();
      }),
    );
    refused('second policy', () =>
      (
        window as unknown as { trustedTypes: { createPolicy: (n: string, p: object) => unknown } }
      ).trustedTypes.createPolicy('mine', {}),
    );
    results['fetch'] = await fetch('/index.html').then(
      () => false,
      () => true,
    );
    return results;
  });
  expect(outcome).toEqual({ innerHTML: true, eval: true, 'second policy': true, fetch: true });
});
