/** The state directory in the file manager, and what the system says when it does not show it. */
import { expect, test } from 'vitest';
import { folderOpener } from '../../main/page/door.ts';

test.each([
  ['', ''],
  ['Failed to open path', 'D:\\Unjam could not be shown: Failed to open path.'],
  ['The path does not exist.', 'D:\\Unjam could not be shown: The path does not exist.'],
])('what the system answers is what the page hears (%j)', async (error, text) => {
  const opened: string[] = [];
  const shell = { openPath: async (path: string) => (opened.push(path), error) };
  const open = folderOpener(shell, 'D:\\Unjam', () => 0);
  expect(await open()).toEqual({ ok: true, value: { text } });
  expect(opened).toEqual(['D:\\Unjam']);
});

test('a page that asks for ever gets one window in two seconds', async () => {
  let opened = 0;
  let now = 0;
  const open = folderOpener({ openPath: async () => ((opened += 1), '') }, '/state', () => now);
  const replies = await Promise.all(Array.from({ length: 20 }, open));
  expect([opened, new Set(replies.map((reply) => reply.ok))]).toEqual([1, new Set([true])]);
  now = 2_000;
  await open();
  expect(opened).toBe(2);
});
