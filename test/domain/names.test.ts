import { describe, expect, test } from 'vitest';
import { mutexNameProblem, nameKey, ticketProblem } from '../../app/domain/names.ts';

describe('a ticket', () => {
  test.each([
    'a',
    '9f2c-41aa',
    'web_eu.4',
    'A'.repeat(64),
    'console',
    'com',
    'com10',
    'nul-1',
    'a..b',
    '0',
    'auxiliary.log',
  ])('may be called %j', (ticket) => {
    expect(ticketProblem(ticket)).toBeNull();
  });

  test.each([
    ['', 'cannot be empty'],
    ['a'.repeat(65), 'at most 64 characters, this one has 65'],
    ['.', 'starts with a letter or digit'],
    ['..', 'starts with a letter or digit'],
    ['.hidden', 'starts with a letter or digit'],
    ['-rf', 'starts with a letter or digit'],
    ['_a', 'starts with a letter or digit'],
    ['a/b', 'safe as a folder name'],
    ['..\\..\\windows', 'safe as a folder name'],
    ['C:', 'safe as a folder name'],
    ['a b', 'safe as a folder name'],
    ['a\n', 'safe as a folder name'],
    ['a\0', 'safe as a folder name'],
    ['straße', 'safe as a folder name'],
    ['a*', 'safe as a folder name'],
    ['a$(id)', 'safe as a folder name'],
    ['a.', 'cannot end with a dot'],
    ['con', 'device name on Windows'],
    ['NUL', 'device name on Windows'],
    ['PrN.txt', 'device name on Windows'],
    ['aux.tar.gz', 'device name on Windows'],
    ['com1', 'device name on Windows'],
    ['LPT9.log', 'device name on Windows'],
    ['com0', 'device name on Windows'],
  ])('%j is refused: %s', (ticket, why) => {
    expect(ticketProblem(ticket)).toContain(why);
  });
});

describe('a mutex', () => {
  test.each([
    'RunningScript',
    'a',
    'web eu/04'.replace('/', '-'),
    'x'.repeat(128),
    'release@prod #4',
    '.',
    '..',
    'con',
    '-',
    'web (prod)',
    'Bühne',
    'a+b',
    'a/b',
    'a\\b',
    'a"b',
    'a*b',
    'größe',
    'デプロイ',
    '🚀 release',
  ])('may be called %j', (name) => {
    expect(mutexNameProblem(name)).toBeNull();
  });

  test.each([
    ['', 'cannot be empty'],
    ['x'.repeat(129), 'at most 128 characters, this one has 129'],
    ['a\nb', 'one line of visible characters'],
    ['a\tb', 'one line of visible characters'],
    [' a', 'begin or end with a space'],
    ['a ', 'begin or end with a space'],
    [' ', 'begin or end with a space'],
  ])('%j is refused: %s', (name, why) => {
    expect(mutexNameProblem(name)).toContain(why);
  });

  test('names that differ only in case, or in how an accent is written, are one', () => {
    expect(nameKey('Bühne')).toBe(nameKey('BÜHNE'.normalize('NFD')));
    expect(nameKey('RunningScript')).toBe(nameKey('RUNNINGSCRIPT'));
  });
});
