/** PowerShell and C# of docs and program, as their grammars have them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wmiProgram } from '../../app/processes/windows/start-through-wmi.ts';
import { faults } from '../support/grammar.ts';

const docs = join(import.meta.dirname, '../../docs');
const page = (name: string): string => readFileSync(join(docs, name), 'utf8');

test('the grammars find what is wrong', async () => {
  expect(await faults('powershell', "$a = 1\nif ($a { 'b' }")).not.toEqual([]);
  expect(await faults('c-sharp', 'class A { void B( { } }')).not.toEqual([]);
});

test('docs/examples/Deploy.cs is C#', async () => {
  expect(await faults('c-sharp', page('examples/Deploy.cs'))).toEqual([]);
});

const blocks = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) =>
    [...page(name).matchAll(/^```powershell\n(.*?)^```/gms)].map(([, block = '']) => [`docs/${name}`, block] as const),
  );

const programs: readonly (readonly [string, string])[] = [
  ['docs/examples/deploy.ps1', page('examples/deploy.ps1')],
  ['the program that is given to WMI', wmiProgram],
  ...blocks,
];

test.each(programs)('%s is PowerShell', async (_name, text) => {
  expect(await faults('powershell', text)).toEqual([]);
});
