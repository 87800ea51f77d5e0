/**
 * The built console as Electron would show it: the files and headers that `app://ui` serves, and a bridge in place of the
 * preload's. Chromium does not know the scheme, so it asks an https address that is answered by the same function.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test, type TestContext } from 'vitest';
import type { Reply } from '../../app/contract/methods.ts';
import type { OpenRequest } from '../../app/contract/window.ts';
import { answer } from '../../main/page/protocol.ts';
import { detail, script, snapshot } from '../main/fixtures.ts';

const repository = join(import.meta.dirname, '..', '..');
const executablePath = process.env['UNJAM_CHROMIUM'] ?? '/usr/bin/chromium';
const origin = 'https://ui.test';

let root: string;
let browser: Browser | null = null;
let page: Page;
let violations: string[];
let calls: { method: string; input: unknown }[];

beforeAll(async () => {
  if (!existsSync(executablePath)) return;
  root = mkdtempSync(join(tmpdir(), 'unjam-console-'));
  const vite = join(repository, 'node_modules', '.bin', 'vite');
  execFileSync(vite, ['build', '-c', 'vite.config.ts', '--outDir', root, '--emptyOutDir', 'true'], {
    cwd: repository,
    stdio: 'pipe',
  });
  browser = await chromium.launch({ executablePath });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

beforeEach(async (context: TestContext) => {
  if (browser === null) return context.skip(`there is no Chromium at ${executablePath}`);
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  violations = [];
  calls = [];
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted ?Types|TrustedHTML|TrustedScript/i.test(message.text()))
      violations.push(message.text());
  });
  page.on('pageerror', (error) => violations.push(String(error)));
  await page.route('**/*', async (route) => {
    const url = route.request().url();
    if (!url.startsWith(origin)) return route.abort();
    const reply = await answer(root, { method: route.request().method(), url: url.replace(origin, 'app://ui') });
    await route.fulfill({
      status: reply.status,
      headers: Object.fromEntries(reply.headers),
      body: Buffer.from(await reply.arrayBuffer()),
    });
  });
  await page.exposeFunction('unjamCall', async (method: string, input: unknown): Promise<Reply> => {
    calls.push({ method, input });
    return reply(method);
  });
  await page.addInitScript(() => {
    const listeners = new Set<(name: string, payload: unknown) => void>();
    const host = window as unknown as {
      unjamCall: (m: string, i: unknown) => Promise<unknown>;
      unjamEmit: (n: string, p: unknown) => void;
      bridge: unknown;
    };
    host.unjamEmit = (name, payload) => listeners.forEach((listener) => listener(name, payload));
    host.bridge = {
      call: (method: string, input: unknown) => host.unjamCall(method, input),
      on: (event: string, listener: (payload: unknown) => void) => {
        const heard = (name: string, payload: unknown) => {
          if (name === event) listener(payload);
        };
        listeners.add(heard);
        return () => listeners.delete(heard);
      },
    };
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.goto(`${origin}/index.html`);
  await emit('snapshot', snapshot([script()]));
});

const emit = (event: string, payload: unknown) =>
  page.evaluate(
    ([name, what]) => (window as unknown as { unjamEmit: (n: unknown, p: unknown) => void }).unjamEmit(name, what),
    [event, payload] as const,
  );
const open = (request: OpenRequest) => emit('open', request);

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
  await expect.poll(() => page.locator('body').innerText()).toContain('Deploy web-eu / step 4');
  for (const view of ['settings', 'scripts'] as const) await open({ view });
  await open({ view: 'script', ticket: 'web-eu-4', dialog: 'log' });
  await expect.poll(() => calls.some((call) => call.method.startsWith('logs.'))).toBe(true);
  expect(violations).toEqual([]);
});

test.each(['cancel', 'kill', 'abandon'] as const)(
  'what the tray asks for opens the %s dialog, and nothing is called before a person decides',
  async (dialog) => {
    await open({ view: 'script', ticket: 'web-eu-4', dialog });
    const shown = page.locator('dialog[open]');
    await expect.poll(() => shown.count()).toBe(1);
    expect(await shown.innerText()).toContain('Deploy web-eu / step 4');
    expect(calls.filter((call) => ['scripts.cancel', 'scripts.kill', 'scripts.abandon'].includes(call.method))).toEqual(
      [],
    );
    expect(violations).toEqual([]);
  },
);

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
