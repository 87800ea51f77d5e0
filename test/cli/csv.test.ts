import { describe, expect, test } from 'vitest';
import { csv } from '../../app/cli/history.ts';
import type { HistoryEntry } from '../../app/contract/methods.ts';

const entry = (changes: Partial<HistoryEntry>): HistoryEntry => ({
  id: 1,
  at: '2026-11-20T03:12:50.000Z',
  ticket: 'web-eu-4',
  name: 'Deploy',
  mutex: null,
  who: 'kim',
  via: 'cli',
  kind: 'cancel',
  code: 'W201',
  text: 'Cancel requested',
  data: null,
  ...changes,
});

describe('the history as CSV', () => {
  test('has a header, and a line per entry, ended as RFC 4180 wants it', () => {
    expect(csv([entry({})])).toBe(
      'id,at,who,via,kind,code,ticket,name,mutex,text\r\n1,2026-11-20T03:12:50.000Z,kim,cli,cancel,W201,web-eu-4,Deploy,,Cancel requested',
    );
    expect(csv([])).toBe('id,at,who,via,kind,code,ticket,name,mutex,text');
  });

  test.each([
    ['a, b', '"a, b"'],
    ['say "no"', '"say ""no"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['plain; text', 'plain; text'],
  ])('quotes %j', (text, cell) => {
    expect(csv([entry({ text })]).endsWith(`,${cell}`)).toBe(true);
  });

  test.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', `"'\r=1"`],
  ])('hands no formula to a spreadsheet: %j', (text, cell) => {
    expect(csv([entry({ name: text })])).toContain(`,${cell},`);
  });
});
