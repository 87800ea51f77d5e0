/** What Unjam relies on outside of processes: names and links, watches, the named pipe, texts. */
import { describe, expect, test } from 'vitest';
import { isWindows, useWindows } from './support/runtime.ts';

const run = useWindows();

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
    const seen = await run.scenario<{
      restricted: string | null;
      content: string;
      list: string;
      missing: string | null;
    }>('files', 'folder');
    expect(seen.restricted).toBeNull();
    expect(seen.content).toBe('secret');
    // Wine keeps a mode, not a list: no mark of protection, no administrators.
    if (isWindows) expect(seen.list).toMatch(/^D:P/);
    expect(seen.list).not.toMatch(/;;;(?:WD|BU|AU)\)/);
    expect(seen.missing).toContain('the access list cannot be set');
  });
});

describe('texts', () => {
  test('of a batch file are read in the console’s code page', async () => {
    const { exit, decoded, file } = await run.scenario<{ exit: unknown; decoded: { text: string }; file: string }>(
      'files',
      'batch output',
    );
    expect(exit).toEqual({ code: 5, signal: null });
    expect(decoded.text).toContain('plain\r\n');
    expect(file).toBe('cmd.exe');
  });

  test('in the code pages 437, 850 and 932 become Unicode', async () => {
    expect(await run.scenario('files', 'code pages')).toEqual({
      german437: 'äöüß',
      german850: 'äöüß',
      japanese932: '日本',
      own: 'abc',
      utf8: { text: 'grün', encoding: 'utf-8' },
      oem: { text: 'grün', encoding: 'oem' },
    });
  });

  test.skipIf(!isWindows)(
    'of a German or Japanese cmd.exe come in its OEM code page (Wine’s cmd writes Windows-1252)',
    async () => {
      const { decoded } = await run.scenario<{ decoded: { text: string } }>('files', 'batch output');
      expect(decoded.text).not.toContain('\ufffd');
    },
  );
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
