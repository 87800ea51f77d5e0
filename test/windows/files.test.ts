/** What Unjam relies on outside of processes: names and links, watches, the named pipe, texts. */
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FileSecurity, strangers } from '../../app/processes/windows/file-security.ts';
import { pairs932, upperHalves } from '../support/code-pages.ts';
import { isWindows, useWindows } from './support/runtime.ts';

const run = useWindows();
const good = { refused: null, said: null };

describe('the local API’s named pipe', () => {
  test('is closed to other users, and goes on carrying HTTP, in pieces and from another process', async () => {
    const { restricted, own, other, ms } = await run.scenario<{
      restricted: string | null;
      own: string;
      other: unknown;
      ms: number;
    }>('files', 'pipe');
    expect(restricted).toBeNull();
    expect(own).toBe('first /own');
    expect(other).toEqual({ text: 'first /other' });
    console.log(`100 requests on a named pipe, ${run.windows.version}: ${ms} ms`);
  });
});

describe('files', () => {
  test('cannot be renamed over an open one: state files are linked, not replaced', async () => {
    expect(await run.scenario('files', 'names')).toEqual({
      renameOverOpen: 'EPERM',
      deleteOpen: 'ok',
      link: 'ok',
      linkAgain: 'EEXIST',
      renameOver: 'ok',
      content: 'first',
    });
  });

  test('of a mutex are looked at by two names: its folder is listed to begin with, and once in 16 changes', async () => {
    const seen = await run.scenario<{ state: unknown; lists: number; ms: number }>('files', 'versions');
    expect(seen.state).toEqual({ version: 160, n: 160 });
    expect(seen.lists).toBeLessThanOrEqual(2 + 160 / 16);
    console.log(`a change of a mutex, ${run.windows.version}: ${seen.ms.toFixed(2)} ms`);
  });

  test('are created once: of six processes one is first, and its content stays', async () => {
    expect(await run.scenario('files', 'create once')).toEqual({ winners: 1, same: true, left: [] });
  });

  test('stand when they have been linked, though a scanner holds the temporary one; the sweep takes what is left', async () => {
    const { wereHeld, ...seen } = await run.scenario<{ wereHeld: boolean }>('files', 'scanner on temporary files');
    expect(seen).toEqual({ first: true, second: false, inBackground: true, content: { code: 7 }, left: [] });
    console.log(`a file that is held can${wereHeld ? 'not' : ''} be deleted, ${run.windows.version}`);
  });

  test('that are renamed into a watched folder are seen by the watch', async () => {
    // It resolves with the event; without one the scenario fails by its own time-out.
    await run.scenario<{ ms: number }>('files', 'watch');
  });

  test('are replaced while others read them', async () => {
    expect(await run.scenario('files', 'host file')).toEqual({ ok: 300 });
  });

  test('of a running script: its folder stays, its log can be renamed', async () => {
    const { whileIn, log } = await run.scenario<{ whileIn: string; log: string }>('files', 'deletion');
    expect(['EBUSY', 'EPERM']).toContain(whileIn);
    expect(log).toBe('ok');
  });
});

describe('the state folder', () => {
  test('belongs to the user, SYSTEM and administrators alone, and inherits nothing', async () => {
    const seen = await run.scenario<{ content: string; list: string; volume: unknown }>('files', 'folder');
    expect(seen).toMatchObject({ first: good, again: good, content: 'secret' });
    // Wine keeps a mode, not a list: no mark of protection, no administrators.
    if (isWindows) expect(seen.list).toMatch(/^D:P/);
    expect(seen.list).not.toMatch(/;;;(?:WD|BU|AU)\)/);
    expect(seen).toMatchObject({
      missing: { refused: null, said: expect.stringContaining('cannot be read') as string },
    });
    // Wine names no volume where the root of the file system was exchanged, as in the view of a bare machine.
    if (isWindows || seen.volume !== null)
      expect(seen.volume).toMatchObject({ keepsAccessLists: true, isRemote: false });
  });

  test('is refused when others could have filled it, and closed when it is empty', async (context) => {
    context.skip(isWindows, 'the test sets modes, which Wine shows as access lists');
    const path = join(run.windows.folder, 'everybody');
    await mkdir(path);
    const close = (): Promise<unknown> =>
      run.scenario('files', 'folder of everybody', { path: run.windows.path(path) });
    await chmod(path, 0o777);
    expect(await close()).toEqual({ closing: good });
    expect((await stat(path)).mode & 0o007).toBe(0);
    await writeFile(join(path, 'host.json'), '{}');
    await chmod(path, 0o777);
    expect(await close()).toEqual({ closing: { refused: 'Everyone can write it', said: null } });
  });
});

describe('access lists', () => {
  test('are read as Windows writes them: the owner, who may change, and what is only handed down', async () => {
    const lists = [
      'O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)',
      // C:\ and C:\Tools of a fresh Windows.
      'O:SYD:AI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;CI;LC;;;AU)(A;OICIIO;SDGXGWGR;;;AU)',
      'O:BAD:AI(A;OICI;FA;;;BA)(A;OICIID;0x1301bf;;;AU)(D;;FA;;;BG)',
      'O:S-1-5-21-1-2-3-1001D:P(A;;GA;;;WD)',
    ];
    const { read, program, self } = await run.scenario<{ read: FileSecurity[]; program: string | null; self: string }>(
      'files',
      'access lists',
      { lists: JSON.stringify(lists) },
    );
    expect(read.map((one) => [one.owner, one.isProtected, strangers(one)])).toEqual([
      ['S-1-5-32-544', true, []],
      ['S-1-5-18', false, ['S-1-5-11']],
      ['S-1-5-32-544', false, ['S-1-5-11']],
      ['S-1-5-21-1-2-3-1001', true, ['S-1-5-21-1-2-3-1001', 'S-1-1-0']],
    ]);
    expect(strangers(read[3]!, ['S-1-5-21-1-2-3-1001', 'S-1-1-0'])).toEqual([]);
    expect(self).toMatch(/^S-1-5-21-/);
    // Under Wine every file belongs to the user: nothing that SYSTEM may run.
    if (!isWindows) expect(program).toMatch(/node\.exe" can be changed by .+\\.+/);
  });
});

test('the code pages 437, 850 and 932 become Unicode, byte by byte; a script’s output does in the machine’s own', async () => {
  const { own, output, ascii, ...pages } = await run.scenario<Record<string, string>>('files', 'code pages');
  const { text } = pairs932();
  expect(text.length).toBeGreaterThan(9_000);
  expect(pages).toEqual({ ...upperHalves, 932: text });
  expect(output).toBe(own);
  expect(ascii).toBe('abc\r\n');
});

test('a batch file writes into the log as it is, and its exit code arrives', async () => {
  const { exit, output, file } = await run.scenario<{ exit: unknown; output: string; file: string }>(
    'files',
    'batch output',
  );
  expect(exit).toEqual({ code: 5, signal: null });
  expect(output).toContain('plain\r\n');
  expect(file).toBe('cmd.exe');
});

test('a command is found as cmd.exe finds it: PATH and PATHEXT without case', async () => {
  const found = await run.scenario<Record<string, string | null>>('files', 'executables');
  expect(found['byName']).toMatch(/tool\.cmd$/);
  expect(found['withExtension']).toMatch(/TOOL\.CMD$/);
  expect(found['cmd']?.toLowerCase()).toBe('c:\\windows\\system32\\cmd.exe');
  expect(found['relative']).toMatch(/tool\.cmd$/);
  expect(found['missing']).toBeNull();
  expect(found['fromWorkingFolder']).toBeNull();
});

test('a clean-up command is found on the PATH, never in the working folder: who may write there does not choose what runs', async () => {
  const { output, said } = await run.scenario<{ output: string; said: string[] }>('files', 'clean-up command');
  expect(output).toBe('meant');
  expect(said).toEqual([
    expect.stringContaining('finished with exit code 0') as string,
    expect.stringContaining('"tidy" was not found on the PATH') as string,
  ]);
});
