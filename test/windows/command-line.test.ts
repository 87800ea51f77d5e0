/** Pure rules of the command line and the environment block; the same arguments go through real programs in launch.test.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  batchCommandLine,
  isBatchFile,
  programCommandLine,
  quoteArgument,
  quoteBatchArgument,
} from '../../app/processes/windows/command-line.ts';
import { environmentBlock } from '../../app/processes/windows/environment.ts';

/** The C runtime's reading of a command line, written down from its documentation. */
function parseCommandLine(line: string): string[] {
  const args: string[] = [];
  let current: string | null = null;
  let quoted = false;
  for (let i = 0; i <= line.length; i++) {
    const slashes = /^\\*/.exec(line.slice(i))![0].length;
    i += slashes;
    const char = line[i];
    if (char === '"') {
      current = (current ?? '') + '\\'.repeat(slashes >> 1);
      if (slashes % 2 === 1) current += '"';
      else if (quoted && line[i + 1] === '"') {
        current += '"';
        i += 1;
      } else quoted = !quoted;
      continue;
    }
    if (slashes > 0) current = (current ?? '') + '\\'.repeat(slashes);
    if (char === undefined || (!quoted && (char === ' ' || char === '\t'))) {
      if (current !== null) args.push(current);
      current = null;
    } else current = (current ?? '') + char;
  }
  return args;
}

const nasty = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '\t', '%', '^', '&', '|', 'ü', '') });

describe('a program', () => {
  test('reads the very arguments that were given, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(nasty), (args) => {
        expect(parseCommandLine(programCommandLine('C:\\a b\\x.exe', args)).slice(1)).toEqual(args);
      }),
    );
  });

  test('gets plain arguments without quotation marks', () => {
    expect(programCommandLine('C:\\x.exe', ['/c', 'dir', '--a=b'])).toBe('"C:\\x.exe" /c dir --a=b');
    expect(quoteArgument('')).toBe('""');
    expect(quoteArgument('C:\\a b\\')).toBe('"C:\\a b\\\\"');
  });

  test('is not started with a zero character or more than 32,766 characters', () => {
    expect(() => quoteArgument('a\0b')).toThrow('zero character');
    expect(() => programCommandLine('x.exe', ['a'.repeat(33_000)])).toThrow('Windows takes 32766');
  });
});

describe('a batch file', () => {
  test('is known by its extension, also with the dots and spaces that Windows ignores', () => {
    for (const name of ['a.bat', 'A.CMD', 'b.bat.', 'b.cmd . ']) expect(isBatchFile(name), name).toBe(true);
    for (const name of ['a.exe', 'bat', 'a.bat.exe', 'a.ps1']) expect(isBatchFile(name), name).toBe(false);
  });

  test('never meets a special character outside quotation marks', () => {
    fc.assert(
      fc.property(nasty, (argument) => {
        const outside = quoteBatchArgument(argument).replace(/"[^"]*"/g, '');
        expect(outside).not.toMatch(/[&|<>^()!"%\s]/);
      }),
    );
  });

  test('gets percent signs that cmd.exe cannot take for a variable', () => {
    expect(quoteBatchArgument('%PATH%')).toBe('"%%cd:~,%PATH%%cd:~,%"');
  });

  test('is refused arguments with a line break, which no quoting can hold', () => {
    for (const bad of ['a\nb', 'a\rb', 'a\0b']) expect(() => quoteBatchArgument(bad)).toThrow('cannot contain');
    expect(() => batchCommandLine('cmd.exe', 'a"b.cmd', [])).toThrow('cannot be the name');
  });
});

describe('the environment block', () => {
  const entries = (block: Buffer): string[] => block.toString('utf16le').split('\0').slice(0, -2);

  test('is sorted without case and ends with two zeros', () => {
    const block = environmentBlock({ b: '1', A: 'ä€😀', _: '2', '=C:': 'C:\\x' });
    expect(entries(block)).toEqual(['=C:=C:\\x', 'A=ä€😀', 'b=1', '_=2']);
    expect(block.toString('utf16le').endsWith('\0\0')).toBe(true);
  });

  test('holds a name once: the later spelling wins', () => {
    expect(entries(environmentBlock({ PATH: 'a', Path: 'b' }))).toEqual(['Path=b']);
  });

  test('brings SystemRoot along when the caller left it out, and keeps the one that the caller gave', () => {
    expect(entries(environmentBlock({}, { SYSTEMROOT: 'C:\\Windows', OTHER: 'x' }))).toEqual([
      'SystemRoot=C:\\Windows',
    ]);
    expect(entries(environmentBlock({ systemroot: 'D:\\W' }, { SystemRoot: 'C:\\Windows' }))).toEqual([
      'systemroot=D:\\W',
    ]);
  });

  test('is two zeros when there is nothing in it', () => {
    expect(environmentBlock({})).toEqual(Buffer.alloc(4));
  });

  test('refuses names and values that would change other entries', () => {
    for (const bad of [{ 'a=b': '' }, { '': 'x' }, { 'a\0': 'x' }, { a: 'x\0y' }])
      expect(() => environmentBlock(bad)).toThrow();
  });
});
