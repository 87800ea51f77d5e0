import { describe, expect, test } from 'vitest';
import { groupEndPattern, groupPattern, lengthOf, type LogGroup, pair, Rows } from '../../../renderer/log/groups.ts';

const groupsOf = (starts: readonly number[], ends: readonly number[]) =>
  [...pair(starts, ends).values()].map(({ start, end }) => [start, end]);

describe('the groups of a log', () => {
  test('begin and end with the lines of GitHub Actions and Azure Pipelines, and with nothing else', () => {
    const [begins, ends] = [new RegExp(groupPattern), new RegExp(groupEndPattern)];
    for (const line of ['::group::Build', '  ::group::', '##[group]Build']) expect(begins.test(line)).toBe(true);
    for (const line of ['::endgroup::', '##[endgroup]']) expect(ends.test(line)).toBe(true);
    for (const line of ['a ::group::b', '::endgroup::', '##[section]x', '::groups::'])
      expect(begins.test(line)).toBe(false);
  });

  test('are paired as brackets are; one that nobody ends goes on, and an end alone is nothing', () => {
    expect(groupsOf([2, 5], [7, 9])).toEqual([
      [2, 9],
      [5, 7],
    ]);
    expect(groupsOf([1, 4], [2])).toEqual([
      [1, 2],
      [4, null],
    ]);
    expect(groupsOf([], [3])).toEqual([]);
    expect(groupsOf([5], [3, 3])).toEqual([[5, null]]);
  });

  test('have the lines between their two lines, or up to the end of the log', () => {
    expect(lengthOf({ start: 2, end: 5 }, 100)).toBe(2);
    expect(lengthOf({ start: 2, end: 3 }, 100)).toBe(0);
    expect(lengthOf({ start: 98, end: null }, 100)).toBe(2);
    expect(lengthOf({ start: 100, end: null }, 100)).toBe(0);
  });
});

describe('the rows of a log', () => {
  test.each<[string, LogGroup[]]>([
    ['nothing is folded', []],
    ['one group', [{ start: 3, end: 6 }]],
    ['the first line begins one, and the last one is in another', [{ start: 1, end: 2 }, { start: 9, end: null }]], // prettier-ignore
    ['two follow each other', [{ start: 2, end: 4 }, { start: 5, end: 7 }]], // prettier-ignore
    ['one lies in another', [{ start: 4, end: 5 }, { start: 2, end: 8 }]], // prettier-ignore
    ['one begins behind the end', [{ start: 30, end: null }]],
  ])('are the lines that are not in a folded group: %s', (_what, folded) => {
    const total = 12;
    const isHidden = (place: number): boolean =>
      folded.some(({ start, end }) => place + 1 > start && place + 1 <= (end ?? Infinity));
    const shown = Array.from({ length: total }, (_, place) => place).filter((place) => !isHidden(place));
    const rows = new Rows(total, folded);
    expect(rows.count).toBe(shown.length);
    expect(shown.map((_, row) => rows.placeOf(row))).toEqual(shown);
    expect(shown.map((place) => rows.rowOf(place))).toEqual(shown.map((_, row) => row));
    expect(rows.placeOf(rows.count)).toBe(total);
  });

  test('a hidden line stands at the row of its group', () => {
    const rows = new Rows(12, [{ start: 3, end: 6 }]);
    expect([2, 3, 4, 5, 6].map((place) => rows.rowOf(place))).toEqual([2, 2, 2, 2, 3]);
  });
});
