/** What a debugger is asked for, shown by a stand-in that prints its words. Linux. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openProcessControl } from '../../app/processes/index.ts';

test.skipIf(process.platform !== 'linux')(
  'gdb reads no script of its user or of the program, loads nothing, and prints no values of arguments',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unjam-gdb-'));
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(folder, { recursive: true, force: true });
    });
    writeFileSync(join(folder, 'gdb'), '#!/bin/sh\nprintf "%s|" "$@"\n');
    chmodSync(join(folder, 'gdb'), 0o755);
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    const control = await openProcessControl();
    onTestFinished(() => control.close());
    const stack = await control.nativeStack?.(control.self, new AbortController().signal);
    expect(stack).toMatchObject({ tool: 'gdb', problem: null });
    const words = stack?.text.split('|') ?? [];
    // Before and behind -p: what comes first holds while the program is loaded (gdb(1), -iex).
    for (const [option, word] of [
      ['-iex', 'set auto-load off'],
      ['-iex', 'set debuginfod enabled off'],
      ['-ex', 'set print frame-arguments none'],
      ['-ex', 'set print entry-values no'],
    ] as const)
      expect([option, words[words.indexOf(word) - 1]]).toEqual([option, option]);
    expect(words).toContain('-nx');
    expect(words.slice(-3, -1)).toEqual(['-p', String(process.pid)]);
  },
);
