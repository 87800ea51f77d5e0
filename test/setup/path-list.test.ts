import { expect, test } from 'vitest';
import { withFolder, withoutFolder } from '../../app/setup/path-list.ts';

const bin = 'C:\\Program Files\\Common Files\\Unjam\\bin';

test('a folder is added to the PATH once, whatever its spelling, and nothing else of it changes', () => {
  const path = '%SystemRoot%\\System32;"C:\\a b";;C:\\x\\';
  expect(withFolder(path, bin)).toBe(`${path};${bin}`);
  expect(withFolder('', bin)).toBe(bin);
  expect(withFolder('C:\\x;', bin)).toBe(`C:\\x;${bin}`);
  for (const there of [bin, bin.toUpperCase(), `"${bin}"`, `${bin}\\`])
    expect(withFolder(`C:\\x;${there}`, bin)).toBe(`C:\\x;${there}`);
});

test('it is taken away in every spelling, and a PATH without it stays as it is', () => {
  expect(withoutFolder(`C:\\x;${bin.toLowerCase()}\\;;C:\\y`, bin)).toBe('C:\\x;;C:\\y');
  expect(withoutFolder(';;C:\\x;', bin)).toBe(';;C:\\x;');
});
