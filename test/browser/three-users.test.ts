/** The console of three users of the machine, each in a browser of their own, at one host of root. Needs root. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, findChromium } from '../support/browser.ts';
import { dialog, ready, row, verb } from '../support/browser-console.ts';
import { group, MachineHost, operator, owner, program, viewer } from '../support/machine-host.ts';

/** The page in a browser that runs as a user: of the host's own console, or of one that the user runs. */
class Desk implements AsyncDisposable {
  readonly page: Page;
  readonly #server: ChildProcess;
  readonly #context: BrowserContext;

  private constructor(server: ChildProcess, context: BrowserContext, page: Page) {
    this.#server = server;
    this.#context = context;
    this.page = page;
  }

  static async open(host: MachineHost, uid: number, console_: 'of the host' | 'of their own'): Promise<Desk> {
    const home = host.folderOf(uid);
    const words = console_ === 'of the host' ? ['open', '--print'] : ['serve', '--console', '--no-open'];
    const server = host.start(uid, [process.execPath, program, ...words], { HOME: home });
    let printed = '';
    for await (const text of server.stdout?.setEncoding('utf8') ?? []) if (/http:\S+\n/.test((printed += String(text)))) break; // prettier-ignore
    const browser = join(home, 'browser');
    const user = host.asUser(uid).map((word) => `'${word}'`);
    writeFileSync(browser, `#!/bin/sh\nexec ${user.join(' ')} '${findChromium()}' "$@"\n`, { mode: 0o755 });
    const context = await chromium.launchPersistentContext(host.folderOf(uid), {
      executablePath: browser,
      viewport: { width: 1280, height: 800 },
      env: { PATH: process.env['PATH'] ?? '', HOME: home },
    });
    context.setDefaultTimeout(50_000);
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(/http:\S+/.exec(printed)?.[0] ?? '');
    await page.waitForSelector('[role=row][data-ticket]');
    return new Desk(server, context, page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    if (this.#server.exitCode !== null) return;
    const gone = once(this.#server, 'exit');
    this.#server.kill('SIGTERM');
    await gone;
  }
}

describe.skipIf(process.getuid?.() !== 0)('at a host of root (needs root)', () => {
  let host: MachineHost;
  beforeAll(async () => {
    await ensureBuilt();
    host = await MachineHost.open();
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  it(
    'each sees their role, what they may not is explained in its place, and what one begins the others see with the name',
    { timeout: 300_000 },
    async () => {
      const ticket = await host.started();
      await using looks = await Desk.open(host, viewer, 'of the host');
      await using acts = await Desk.open(host, operator, 'of the host');
      await using owns = await Desk.open(host, owner, 'of their own');
      for (const [desk, role] of [
        [looks, 'viewer'],
        [acts, 'operator'],
        [owns, 'owner'],
      ] as const) {
        await desk.page.locator('.badge', { hasText: role }).waitFor();
        await row(desk.page, ticket).click();
      }
      // The verb stays where it is, and says who may.
      for (const name of ['cancel', 'kill', 'abandon'] as const)
        expect(await verb(looks.page, name).getAttribute('aria-disabled')).toBe('true');
      await looks.page
        .getByText(
          `You are a viewer on this host; this takes an operator: gid:${group}, uid:${owner}, and administrators.`,
        )
        .first()
        .waitFor();

      await verb(acts.page, 'cancel').click();
      await ready(acts.page);
      await dialog(acts.page).getByRole('button', { name: 'Cancel script' }).click();
      for (const desk of [looks, owns])
        await desk.page
          .getByText(new RegExp(`Cancel requested by uid ${operator}`))
          .first()
          .waitFor();
      // The log may show the line before the host has taken the event in.
      await expect
        .poll(async () => (await host.world.get(ticket)).attempts[0]?.actor ?? '')
        .toContain(`uid ${operator}`);
      await host.world.client.call('scripts.kill', { ticket });
    },
  );
});
