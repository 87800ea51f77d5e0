/** What a person reads cannot lie: one rule for the page, the terminal and files. */
import { describe, expect, test } from 'vitest';
import { visible, visibleLine, visibleOutput } from '../../app/domain/visible.ts';

test.each([
  ['Deploy web', 'Deploy web'],
  ['Bühne 舞台 🚀', 'Bühne 舞台 🚀'],
  ['\u001b[31mred', '⟨ESC⟩[31mred'],
  ['\u009b2J', '⟨U+009B⟩2J'],
  ['a\u0000b\u007f', 'a⟨NUL⟩b⟨DEL⟩'],
  ['\u202egnp.exe', '⟨RLO⟩gnp.exe'],
  ['in\u200bvisible', 'in⟨ZWSP⟩visible'],
])('%j reads %j', (text, seen) => {
  expect(visible(text)).toBe(seen);
});

test.each([
  ['sleep 3\ntrue', 'sleep 3 ↵ true'],
  ['a\r\n  b\n', 'a ↵ b ↵'],
  ['a\tb', 'a b'],
  ['a\rb', 'a⟨CR⟩b'],
])('a cell of a table is one line: %j reads %j', (text, seen) => {
  expect(visibleLine(text)).toBe(seen);
});

describe('output on a terminal', () => {
  test('keeps lines and colours', () => {
    expect(visibleOutput('\u001b[1;31mred\u001b[0m\r\nnext\r50 %\n')).toBe('\u001b[1;31mred\u001b[0m\r\nnext\r50 %\n');
  });

  test('cannot move the cursor, clear the screen, set the title or forge a line above', () => {
    expect(visibleOutput('\u001b[2J\u001b[1A\u001b]0;title\u0007\u009b1A\b')).toBe(
      '⟨ESC⟩[2J⟨ESC⟩[1A⟨ESC⟩]0;title⟨BEL⟩⟨U+009B⟩1A⟨BS⟩',
    );
  });
});
