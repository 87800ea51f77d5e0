/** The one-time address of the console lets in whoever comes first. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openInBrowser } from '../../app/cli/open-browser.ts';
import { World } from '../support/world.ts';

test.runIf(process.platform === 'linux')(
  'gives the browser a file that only its user can read, and no address',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unjam-browser-'));
    const seen = join(folder, 'seen');
    const opener = join(folder, 'xdg-open');
    // A stand-in for the desktop's opener, as a browser is not opened by a test: it notes what it was given.
    writeFileSync(
      opener,
      `#!/bin/sh\necho "$1" > ${seen}.new\nstat -c %a "\${1#file://}" >> ${seen}.new\ncat "\${1#file://}" >> ${seen}.new\nmv ${seen}.new ${seen}\n`,
    );
    chmodSync(opener, 0o755);
    const saved = { ...process.env };
    Object.assign(process.env, { PATH: `${folder}:${process.env['PATH']}`, DISPLAY: ':0', HOME: folder });
    try {
      const url = 'http://127.0.0.1:1/login?t=the-one-time-token';
      expect(await openInBrowser(url)).toBe(true);
      await vi.waitFor(() => expect(existsSync(seen)).toBe(true), { timeout: 20_000 });
      const [argument = '', mode, ...page] = readFileSync(seen, 'utf8').split('\n');
      expect(argument).toMatch(/^file:\/\/.*\/unjam-console-[0-9a-f]{16}\.html$/);
      expect(argument).not.toContain('the-one-time-token');
      expect(mode).toBe('600');
      expect(page.join('')).toContain(url);
    } finally {
      process.env = saved;
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test.runIf(process.platform === 'linux')(
  'unjam open says that the console is open when a browser has come, and leaves no file; without a desktop it prints the address',
  async () => {
    await using world = await World.open();
    const { home } = world;
    const browser = join(home, 'browser.cjs');
    // A browser that follows the file, as far as signing in.
    writeFileSync(
      browser,
      `const [, url] = /url=([^"]+)"/.exec(require('fs').readFileSync(new URL(process.argv[2]), 'utf8'));
      fetch(url);`,
    );
    writeFileSync(join(home, 'xdg-open'), `#!/bin/sh\nexec "${process.execPath}" "${browser}" "$1"\n`, { mode: 0o755 });
    const desktop = { DISPLAY: ':0', HOME: home, PATH: `${home}:${process.env['PATH']}` };
    expect(await world.cliWith(desktop, 'open')).toEqual({
      status: 0,
      stdout: 'The console is open in your browser. You are an owner on this host.\n',
      stderr: '',
    });
    expect(readdirSync(home).filter((name) => name.startsWith('unjam-console-'))).toEqual([]);

    const { stdout, stderr } = await world.cliWith({ DISPLAY: '', WAYLAND_DISPLAY: '' }, 'open');
    const { port } = new URL(stdout);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login\?t=[\w-]{43}\n$/);
    const name = userInfo().username;
    expect(stderr).toContain(`within 60 s, in a browser of ${name}. You are an owner on this host.`);
    expect(stderr).toContain(`ssh -L ${port}:127.0.0.1:${port} ${name}@${hostname()}`);
    const again = await world.cliWith(desktop, 'open', '--print');
    expect(new URL(again.stdout).port).toBe(port);
    expect(again.stdout).not.toBe(stdout);
  },
);
