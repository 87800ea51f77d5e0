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

describe('docs/windows-checklist.md', () => {
  test('tells only commands that the command line has', () => {
    const lines = inCode(checklist);
    expect(lines.length).toBeGreaterThan(40);
    expect(lines.map((line) => [line, refusal(line)]).filter(([, why]) => why !== null)).toEqual([]);
  });

  test('has every step once, each with what to do and what to expect; the five first ones with what to send back', () => {
    const rows = checklist.split('\n').filter((line) => /^\| (?:[IV]+|\d+\.\d+\w?) \|/.test(line));
    const cells = rows.map((row) => row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim())); // prettier-ignore
    const numbers = cells.map(([number = '']) => number);
    expect(numbers.slice(0, 5)).toEqual(['I', 'II', 'III', 'IV', 'V']);
    expect(new Set(numbers).size).toBe(numbers.length);
    const wrong = cells.filter((row, i) => row.length !== (i < 5 ? 4 : 3) || row.some((cell) => cell === ''));
    expect(wrong).toEqual([]);
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
    const steps = [...text.matchAll(/\(checklist ([^)]+)\)/g)].flatMap(([, all = '']) => all.split(', '));
    expect(steps.filter((step) => !checklist.includes(`\n| ${step} |`))).toEqual([]);
  });
});
