/** The environment block of CreateProcessW: sorted `NAME=value` texts in UTF-16, each ended by a zero, then one more. */

import { InvalidInputError } from './errors.ts';

/**
 * libuv adds these when they are missing (src/win/process.c, `required_vars`): without SystemRoot a program cannot
 * open a socket or load a side-by-side assembly.
 */
const required = ['SystemDrive', 'SystemRoot', 'windir'] as const;

/**
 * Windows compares names without case and needs the block sorted by upper-case code unit
 * (https://learn.microsoft.com/windows/win32/procthread/changing-environment-variables). Of two names that differ in case
 * only, the later one wins, as in `{ ...process.env, path }`.
 */
export function environmentBlock(
  environment: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string | undefined>> = {},
): Buffer {
  const entries = new Map<string, string>();
  const put = (name: string, value: string): void => {
    const key = name.toUpperCase();
    entries.delete(key);
    entries.set(key, `${name}=${value}`);
  };
  const given = new Map(Object.entries(inherited).map(([name, value]) => [name.toUpperCase(), value]));
  for (const name of required) {
    const value = given.get(name.toUpperCase());
    if (value !== undefined) put(name, value);
  }
  for (const [name, value] of Object.entries(environment)) {
    // Names such as `=C:` hold the current folder of a drive; any other "=" would end the name.
    if (name === '' || name.includes('\0') || name.indexOf('=', 1) !== -1)
      throw new InvalidInputError(`"${name}" cannot be the name of an environment variable.`);
    if (value.includes('\0'))
      throw new InvalidInputError(`The environment variable ${name} contains a zero character.`);
    put(name, value);
  }
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, text]) => text);
  return Buffer.from(sorted.length === 0 ? '\0\0' : `${sorted.join('\0')}\0\0`, 'utf16le');
}
