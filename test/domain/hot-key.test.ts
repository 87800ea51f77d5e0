import { expect, test } from 'vitest';
import { isHotKey } from '../../app/domain/hot-key.ts';

test.each(['Ctrl+Alt+U', 'Ctrl+Shift+1', 'Alt+Shift+Win+Z', 'Ctrl+F12', 'Win+F24', 'Shift+Win+A'])(
  '%s is a hot key',
  (text) => {
    expect(isHotKey(text)).toBe(true);
  },
);

test.each([
  '',
  'U',
  'F5',
  'Shift+F5',
  'Shift+A',
  'Ctrl+C',
  'Win+L',
  'Alt+Ctrl+U',
  'Ctrl+Alt+u',
  'Ctrl+Alt+F25',
  'Ctrl+Alt+Delete',
  'Ctrl+Alt+',
  'Ctrl+Ctrl+U',
])('"%s" is none: people type it, or it is not one', (text) => {
  expect(isHotKey(text)).toBe(false);
});
