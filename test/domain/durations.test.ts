import { describe, expect, test } from 'vitest';
import {
  clockTime,
  fineDuration,
  longDuration,
  parseDuration,
  roughDuration,
  shortDuration,
} from '../../app/domain/durations.ts';

const s = 1_000;
const min = 60 * s;
const h = 60 * min;
const d = 24 * h;

describe('durations that people read', () => {
  test.each([
    [-5 * s, '0 s', '0 s', '0.0 s'],
    [0, '0 s', '0 s', '0.0 s'],
    [400, '0 s', '0 s', '0.4 s'],
    [9_949, '9 s', '9 s', '9.9 s'],
    [10 * s, '10 s', '10 s', '10 s'],
    [59_999, '59 s', '59 s', '59 s'],
    [min, '1 min', '1 min', '1 min'],
    [5 * min + 58 * s, '5 min', '5 min 58 s', '5 min 58 s'],
    [59 * min + 59 * s, '59 min', '59 min 59 s', '59 min 59 s'],
    [h, '1 h 00 min', '1 h 00 min', '1 h 00 min'],
    [9 * h + 4 * min + 59 * s, '9 h 04 min', '9 h 04 min', '9 h 04 min'],
    [d - 1, '23 h 59 min', '23 h 59 min', '23 h 59 min'],
    [3 * d + 2 * h + 59 * min, '3 d 2 h', '3 d 2 h', '3 d 2 h'],
  ])('%i ms is %s in a list, %s in a sentence, %s when it matters', (ms, short, long, fine) => {
    expect([shortDuration(ms), longDuration(ms), fineDuration(ms)]).toEqual([short, long, fine]);
  });

  test.each([
    [12 * s, '12 s'],
    [47 * min, '47 min'],
    [9 * h + 4 * min, '9 h'],
    [3 * d + 2 * h, '3 d'],
  ])('%i ms is %s where there is room for one unit', (ms, rough) => {
    expect(roughDuration(ms)).toBe(rough);
  });

  test('a clock time is local, with leading zeros', () => {
    expect(clockTime(new Date(2026, 10, 20, 3, 2, 9).getTime())).toBe('03:02:09');
  });
});

describe('durations that people type', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10 * s],
    ['1.5s', 1_500],
    ['30m', 30 * min],
    ['30min', 30 * min],
    ['1h', h],
    ['1h30m', h + 30 * min],
    ['1d', d],
    ['1m500ms', min + 500],
    [' 10S ', 10 * s],
    ['90', 90 * s],
    ['0.25', 250],
    ['0', 0],
    ['00:30:00', 30 * min],
    ['1.02:03:04', d + 2 * h + 3 * min + 4 * s],
    ['00:00:00.0100000', 10],
    ['1:00:00', h],
  ])('%j is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    '  ',
    'soon',
    '-5s',
    '+5s',
    '5 s',
    '1h 30m',
    '10x',
    's',
    '1e3',
    'Infinity',
    'NaN',
    '0x10',
    '1,5s',
    '24:00:00',
    '00:60:00',
    '00:00:60',
    '1:2:3',
    '00:30',
    '1.2.03:04:05',
    '10s;',
    '٣s',
  ])('%j is no time', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});
