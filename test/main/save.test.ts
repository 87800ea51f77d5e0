/** What a page can have written: a file that a person chose, of a kind that nothing runs. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Dispatch } from '../../app/contract/dispatcher.ts';
import type { Reply } from '../../app/contract/methods.ts';
import { oneQuestion } from '../../main/page/question.ts';
import { createSave, fileName } from '../../main/page/save.ts';
import { withWindowMethods } from '../../main/page/door.ts';
import { FakeSaveDialog } from './fakes.ts';

const caller = { user: 'kim', via: 'window', role: 'owner' } as const;
let folder: string;
let dialog: FakeSaveDialog;
let clock: number;
let host: Dispatch;
let call: (method: string, input: unknown) => Promise<Reply>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-save-'));
  dialog = new FakeSaveDialog();
  clock = 0;
  host = async () => ({ ok: false, error: { code: 'internal', message: 'nobody was to ask the host', next: '' } });
  const save = createSave({
    dispatch: (...asked) => host(...asked),
    dialog,
    parent: () => null,
    exclusively: oneQuestion(() => clock),
  });
  const dispatch = withWindowMethods(async () => ({ ok: true, value: 'the host' }), {
    'window.openLog': () => ({ ok: true, value: {} }),
    'window.saveLog': save.log,
    'window.saveEvidence': save.evidence,
    'window.saveText': save.text,
    'window.testNotification': () => ({ ok: true, value: {} }),
    'window.signIn': () => ({ ok: true, value: {} }),
    'window.openFolder': () => ({ ok: true, value: {} }),
  });
  call = (method, input) => dispatch(method, input, caller);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = { name: 'unjam-history-2026-11-20', kind: 'csv', text: 'id,at\r\n1,grün' };

test('a text is written as it is, where the person wants it', async () => {
  dialog.path = join(folder, 'mine.csv');
  expect(await call('window.saveText', text)).toEqual({ ok: true, value: { file: 'mine.csv', bytes: 14 } });
  expect(readFileSync(dialog.path, 'utf8')).toBe(text.text);
  expect(dialog.asked).toMatchObject([
    { defaultPath: 'unjam-history-2026-11-20.csv', filters: [{ extensions: ['csv'] }] },
  ]);
});

test.each(['start.bat', 'evil.exe', 'profile.ps1', 'no-extension', 'notes.json'])(
  'what is chosen as %s is written with the extension of its kind',
  async (name) => {
    dialog.path = join(folder, name);
    expect(await call('window.saveText', text)).toMatchObject({ ok: true, value: { file: `${name}.csv` } });
    expect(existsSync(dialog.path)).toBe(false);
    // The dialog did not ask about that longer name: what has it already stays.
    writeFileSync(`${dialog.path}.csv`, 'somebody’s');
    clock += 5_000;
    expect(await call('window.saveText', text)).toMatchObject({ ok: false, error: { code: 'not-possible' } });
    expect(readFileSync(`${dialog.path}.csv`, 'utf8')).toBe('somebody’s');
  },
);

test.each([
  ['another kind', { ...text, kind: 'exe' }],
  ['a path of its own', { ...text, path: '/etc/passwd' }],
  ['no text', { name: 'a', kind: 'csv' }],
  ['more than 64 MB', { ...text, text: 'x'.repeat(64 * 1_048_576 + 1) }],
])('%s is refused without a question', async (_what, input) => {
  expect(await call('window.saveText', input)).toMatchObject({ ok: false, error: { code: 'bad-input' } });
  expect(dialog.asked).toEqual([]);
});

test('a page that asks for ever gets one dialog at a time', async () => {
  const replies = await Promise.all(Array.from({ length: 20 }, () => call('window.saveText', text)));
  expect(replies.filter((reply) => reply.ok)).toHaveLength(1);
  expect(dialog.asked).toHaveLength(1);
});

test('a folder that cannot be written is said', async () => {
  dialog.path = join(folder, 'missing', 'a.csv');
  expect(await call('window.saveText', text)).toMatchObject({
    ok: false,
    error: { code: 'not-possible', message: expect.stringContaining('ENOENT') as string },
  });
});

describe('a log', () => {
  /** Pages of a log that grows by one page whenever it is read. */
  const growing = (pages: number, failsAt = Infinity): Dispatch => {
    let read = 0;
    return async (_method, input) => {
      const { from } = input as { from: number };
      read += 1;
      if (read >= failsAt)
        return { ok: false, error: { code: 'unknown-ticket', message: 'It was removed.', next: '' } };
      const entry = { base64: Buffer.from([read]).toString('base64') };
      return { ok: true, value: { entries: [entry], next: from + 1, size: pages + read - 1 } };
    };
  };

  test('that grows while it is saved is saved as far as it reached', async () => {
    host = growing(3);
    dialog.path = join(folder, 'a.log');
    expect(await call('window.saveLog', { ticket: 'a' })).toMatchObject({ ok: true, value: { bytes: 3 } });
    expect(readFileSync(dialog.path)).toEqual(Buffer.from([1, 2, 3]));
  });

  test('that the host cannot read to its end leaves no half file, and its words reach the page', async () => {
    host = growing(5, 3);
    dialog.path = join(folder, 'a.log');
    expect(await call('window.saveLog', { ticket: 'a' })).toMatchObject({
      ok: false,
      error: { code: 'unknown-ticket', message: 'It was removed.' },
    });
    expect(existsSync(dialog.path)).toBe(false);
  });
});

test('a proposed name is one that every file system takes', () => {
  expect(fileName('Deploy web-eu / step 4')).toBe('Deploy web-eu _ step 4');
  expect(fileName('../../etc/passwd')).toBe('_.._etc_passwd');
  expect(fileName('con')).toBe('unjam-con');
  expect(fileName('...')).toBe('unjam-');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      expect(fileName(name)).toMatch(/^[\p{L}\p{N}_-][\p{L}\p{N} ._-]{0,110}$/u);
    }),
  );
});

test('every other method goes on to the host', async () => {
  for (const method of ['scripts.list', 'window.unknown', '__proto__', 'constructor', 'toString'])
    expect(await call(method, {})).toEqual({ ok: true, value: 'the host' });
});

test('a bundle of evidence is written as the host hands it out, as a zip and nothing else', async () => {
  const parts = [Buffer.from([0x50, 0x4b]), Buffer.from([0xff, 0x00])];
  host = async (method, input) => {
    const { from } = input as { from: number };
    const part = method === 'evidence.read' ? parts[from] : undefined;
    const next = from + 1 < parts.length ? from + 1 : null;
    return { ok: true, value: { base64: part?.toString('base64'), next, bytes: 4 } };
  };
  dialog.path = join(folder, 'evil.exe');
  const asked = { ticket: 'a', file: 'evidence-20261201-144501.zip' };
  expect(await call('window.saveEvidence', asked)).toEqual({ ok: true, value: { file: 'evil.exe.zip', bytes: 4 } });
  expect(dialog.asked).toMatchObject([{ defaultPath: asked.file }]);
  expect(readFileSync(join(folder, 'evil.exe.zip'))).toEqual(Buffer.concat(parts));
});
