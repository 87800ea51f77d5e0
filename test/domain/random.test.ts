import { expect, test } from 'vitest';
import { hashHex, randomHex } from '../../app/domain/random.ts';

test('a random name has the digits that were asked for, and is another one each time', () => {
  const names = Array.from({ length: 10_000 }, () => randomHex(12));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{12}$/);
  expect(randomHex(32)).toMatch(/^[0-9a-f]{32}$/);
});

test('the hash of a name is that of FNV-1a, 64 bit (its published vectors)', () => {
  expect(hashHex('')).toBe('cbf29ce484222325');
  expect(hashHex('a')).toBe('af63dc4c8601ec8c');
  expect(hashHex('foobar')).toBe('85944171f73967e8');
});
