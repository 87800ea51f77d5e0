/** What a host keeps of its fleet's engine. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forgetSeen, Seen } from '../../app/fleet/seen.ts';

let folder: string;
let said: string[];
const open = (fleet = 'f'): Seen => new Seen(folder, fleet, (line) => said.push(line));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unjam-seen-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a number that does not grow is kept as a fact by every process, until a person takes it', async () => {
  await open().compare(0, 7, true);
  expect(open().beat).toBe(7);
  expect(open('another').beat).toBe(0);
  expect(statSync(join(folder, 'fleet-seen.json')).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0);
  await open().compare(7, 8, false); // a runner's
  expect(open().beat).toBe(7);
  await open().compare(7, 7, false);
  expect(() => open().check()).toThrow(expect.objectContaining({ code: 'fleet-went-back' }) as Error);
  await open().compare(7, 900, true); // it has caught up
  expect(open().problem).toContain('sign of life 7 after 7');
  expect(open().beat).toBe(7);
  await open().restored(3);
  expect(open()).toMatchObject({ beat: 3, problem: null });
  await open().compare(7, 4, true); // asked before the person took it
  expect(open().problem).toBeNull();
  await open().compare(3, 2, true);
  expect(open().problem).not.toBeNull();
  forgetSeen(folder);
  expect(open()).toMatchObject({ beat: 0, problem: null, restoredAt: null });
});

test('a damaged file counts as nothing seen, and is said once', async () => {
  for (const text of ['', '{"schema":1,"fleet":"f","beat":-1}', '[]']) {
    writeFileSync(join(folder, 'fleet-seen.json'), text);
    writeFileSync(join(folder, 'fleet-went-back.json'), text);
    said = [];
    const seen = open();
    expect([seen.beat, seen.problem, seen.beat, seen.problem]).toEqual([0, null, 0, null]);
    expect(said).toEqual([
      expect.stringMatching(/^W396 .*fleet-seen/),
      expect.stringMatching(/^W396 .*fleet-went-back/),
    ]);
  }
  expect(open()).toMatchObject({ beat: 0 });
});

test('a fact that the disk does not take counts all the same in that process', async () => {
  const seen = open();
  await seen.compare(0, 7, true);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, ''); // no folder any more
  await seen.compare(0, 0, true);
  expect(seen.problem).not.toBeNull();
  expect(said.some((line) => line.startsWith('W396'))).toBe(true);
});
