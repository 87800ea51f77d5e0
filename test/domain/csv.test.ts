import { describe, expect, test } from 'vitest';
import { csv } from '../../app/domain/csv.ts';

const row = (changes: Partial<Record<'at' | 'name' | 'text', string | null>>) => ({
  at: '2026-11-20T03:12:50.000Z',
  name: 'Deploy',
  text: 'Cancel requested',
  ...changes,
});
const columns = ['at', 'name', 'text'] as const;

describe('a table as CSV', () => {
  test('has a header, and a line per row, ended as RFC 4180 wants it', () => {
    expect(csv(columns, [row({ name: null })])).toBe('at,name,text\r\n2026-11-20T03:12:50.000Z,,Cancel requested');
    expect(csv(columns, [])).toBe('at,name,text');
  });

  test.each([
    ['a, b', '"a, b"'],
    ['say "no"', '"say ""no"""'],
    ['plain; text', '"plain; text"'],
    ['two\nlines', 'two ↵ lines'],
    ['two\r\nlines', 'two ↵ lines'],
    ['\u001b[2Jgone', '⟨ESC⟩[2Jgone'],
  ])('keeps %j in one cell of one line', (text, cell) => {
    expect(csv(columns, [row({ text })]).endsWith(`,${cell}`)).toBe(true);
  });

  test.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'=1"],
    [';=1+1', `"';=1+1"`],
    [' =1', "'=1"],
  ])('hands no formula to a spreadsheet: %j', (text, cell) => {
    expect(csv(columns, [row({ name: text })])).toContain(`,${cell},`);
  });
});
