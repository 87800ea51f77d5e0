/** What a well-known generator makes of the description of the API is what docs/examples/deploy.ts is written against. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openApi } from '../../app/api/open-api.ts';

const root = join(import.meta.dirname, '../..');

test('the types that openapi-typescript makes of /openapi.json fit docs/examples/deploy.ts, and refuse a wrong type and a wrong field', () => {
  // Inside the checkout, where its packages are found.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache', 'client-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);
  const run = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
    return { status, said: stdout + stderr };
  };
  write('openapi.json', JSON.stringify(openApi('1.2.3')));
  const made = run(join(root, 'node_modules/openapi-typescript/bin/cli.js'), 'openapi.json', '-o', 'unjam-api.ts');
  expect(made).toMatchObject({ status: 0 });

  write(
    'tsconfig.json',
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { lib: ['es2024', 'dom'], types: ['node'] },
    }),
  );
  const example = readFileSync(join(root, 'docs/examples/deploy.ts'), 'utf8');
  const check = (program: string) => {
    write('deploy.ts', program);
    return run(join(root, 'node_modules/typescript-7/bin/tsc'), '-p', '.');
  };
  expect(check(example)).toEqual({ status: 0, said: '' });
  expect(check(example.replace('ticket, from,', 'ticket, from: ticket,')).said).toContain(
    "not assignable to type 'number'",
  );
  expect(check(example.replace('script.verdict ===', 'script.result ===')).said).toContain("'result' does not exist");
});
