/** Which rule fits a script, and what it leaves as it is for all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultThresholds } from '../../app/domain/condition-facts.ts';
import { nameFits, thresholdsFor } from '../../app/domain/script-rules.ts';

test.each([
  ['Backup*', 'Backup sql-02', true],
  ['Backup*', 'Backup', true],
  ['Backup*', 'My Backup', false],
  ['*sql*', 'backup SQL-02', true],
  ['step ?', 'Step 4', true],
  ['step ?', 'Step 42', false],
  ['step ?', 'step ', false],
  ['a.b', 'axb', false],
  ['*', '', true],
  ['a*b*c', 'a-b-b-c-c', true],
  ['a*b*c', 'a-c-b', false],
  ['?', '🚀', true],
])('"%s" and "%s": %s', (pattern, name, fits) => {
  expect(nameFits(pattern, name)).toBe(fits);
});

test('fits what an expression of the runtime fits', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '*', '?', '.'), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      const expression = pattern.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*');
      expect(nameFits(pattern, name)).toBe(new RegExp(`^${expression}$`, 's').test(name));
    }),
  );
});

test('is answered at once for a pattern of stars alone', () => {
  expect(nameFits(`${'*a'.repeat(99)}b`, 'a'.repeat(200))).toBe(false);
});

test('the first rule that fits wins; what it leaves out is as for all', () => {
  const rules = [
    { name: 'Backup *', silentAfterMinutes: 120 },
    { name: '*', overdueFactor: 5 },
  ];
  expect(thresholdsFor('Backup sql', rules, defaultThresholds)).toEqual({ ...defaultThresholds, silentMs: 7_200_000 });
  expect(thresholdsFor('Deploy', rules, defaultThresholds)).toEqual({
    ...defaultThresholds,
    overdueFactor: 5,
  });
  expect(thresholdsFor('Deploy', rules.slice(0, 1), defaultThresholds)).toEqual(defaultThresholds);
});
