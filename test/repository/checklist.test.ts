/** What the Windows checklist and the workflows tell a person or a machine to run is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createProgram } from '../../app/cli/program.ts';

const repository = join(import.meta.dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(repository, ...path), 'utf8');
const checklist = read('docs', 'windows-checklist.md');
const workflows = readdirSync(join(repository, '.github', 'workflows'));

/** The words of a command line of cmd.exe or PowerShell, as far as these two agree. */
const words = (line: string): string[] =>
  [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/^(["'])(.*)\1$/, '$2'));

/** The real parser, which does nothing. */
function parser(): Command {
  const program = createProgram();
  const still = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(still);
  };
  still(program);
  return program;
}

function refusal(line: string): string | null {
  try {
    parser().parse(words(line), { from: 'user' });
    return null;
  } catch (error) {
    return error instanceof CommanderError && error.exitCode === 0 ? null : (error as Error).message;
  }
}

/** What stands behind `unjam`, to the end of its code or of its command. */
const inCode = (text: string): string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => {
    const line = /(?:^|\s)unjam (\S.*)$/.exec(code)?.[1];
    return line === undefined ? [] : [line];
  });
const inScripts = (text: string): string[] =>
  [...text.matchAll(/& \$unjam ([^;|)\n]+)/g)].map(([, line = '']) => line.trim());

const stepsIn = (text: string): string[] =>
  [...text.matchAll(/\(checklist ([^)]+)\)/g)].flatMap(([, all = '']) => all.split(', '));

describe('docs/windows-checklist.md', () => {
  test('tells only commands that the command line has', () => {
    const lines = inCode(checklist);
    expect(lines.length).toBeGreaterThan(40);
    expect(lines.map((line) => [line, refusal(line)]).filter(([, why]) => why !== null)).toEqual([]);
  });

  const rows = checklist.split('\n').filter((line) => /^\| (?:[IV]+|\d+\.\d+) \|/.test(line));
  const steps = rows.map((row) => row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim())); // prettier-ignore
  const numbers = steps.map(([number = '']) => number);

  test('has the five steps first, then the sections, numbered as they come', () => {
    const sections = [...checklist.matchAll(/^## (\d+)\. /gm)].map(([, n]) => Number(n));
    expect(sections).toEqual(sections.map((_, i) => i + 1));
    const wanted = sections.flatMap((n) =>
      numbers.filter((number) => number.startsWith(`${n}.`)).map((_, i) => `${n}.${i + 1}`),
    );
    expect(numbers).toEqual(['I', 'II', 'III', 'IV', 'V', ...wanted]);
  });

  test('says of each step what to do, with the words or keys to type, what to expect, and what to send back', () => {
    const wrong = steps.filter((row) => row.length !== 4 || row.some((cell) => cell === '') || !row[1]?.includes('`'));
    expect(wrong).toEqual([]);
  });

  test('says which of its steps the workflows run, and other documents name steps that are there', () => {
    const run = workflows.flatMap((name) => stepsIn(read('.github', 'workflows', name)));
    const said = /what needs no person of these steps[^:]*:\n(.*)\./.exec(checklist)?.[1]?.split(', ');
    expect([...new Set(said)].sort()).toEqual([...new Set(run)].sort());
    const named = readdirSync(join(repository, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) => [...read('docs', name).matchAll(/windows-checklist ((?:\d+\.\d+(?:, )?)+)/g)])
      .flatMap(([, all = '']) => all.split(', '))
      .filter((step) => step !== '');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((step) => !numbers.includes(step))).toEqual([]);
  });
});

describe.each(workflows)('.github/workflows/%s', (name) => {
  const text = read('.github', 'workflows', name);

  test('is a workflow whose every step runs or uses something', () => {
    const [document, ...others] = parseAllDocuments(text);
    expect([document?.errors, document?.warnings, others]).toEqual([[], [], []]);
    const workflow = document?.toJS() as { on: unknown; jobs: Record<string, { steps: Record<string, unknown>[] }> };
    expect(workflow.on).toBeTruthy();
    for (const { steps } of Object.values(workflow.jobs))
      for (const step of steps) expect('run' in step ? 'uses' in step : !('uses' in step), JSON.stringify(step)).toBe(false); // prettier-ignore
  });

  test('names scripts, commands and steps of the checklist that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const run = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script);
    expect(run.filter((script) => scripts[script] === undefined)).toEqual([]);
    expect(inScripts(text).map((line) => [line, refusal(line)]).filter(([, why]) => why !== null)).toEqual([]); // prettier-ignore
    expect(stepsIn(text).filter((step) => !checklist.includes(`\n| ${step} |`))).toEqual([]);
  });
});
