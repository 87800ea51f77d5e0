/** The one-time address of the console lets in whoever comes first. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openInBrowser } from '../../app/cli/open-browser.ts';

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
