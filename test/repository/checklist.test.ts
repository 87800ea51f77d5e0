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

const codesIn = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
const ours = /(?:^|\s)(?:unjam|node dist\/cli\.js) (\S.*)$/;
/** What stands behind `unjam`, to the end of its code or of its command. */
const inCode = (text: string): string[] =>
  codesIn(text).flatMap((code) => {
    const line = ours.exec(code)?.[1];
    return line === undefined ? [] : [line.replace(/; if \(.*$/, '')];
  });
const inScripts = (text: string): string[] =>
  [...text.matchAll(/& \$unjam ([^;|)\n]+)/g)].map(([, line = '']) => line.trim());

const stepsIn = (text: string): string[] =>
  [...text.matchAll(/\(checklist ([^)]+)\)/g)].flatMap(([, all = '']) => all.split(', '));

/** Everything that the product is built from, and what its users are told to have. */
const source = ['app', 'main', 'renderer', 'assets', '.github']
  .flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|js|svelte|nsh|yml|cmd|md)$/.test(name))
      .map((name) => read(folder, name)),
  )
  .concat(read('electron-builder.yml'), read('package.json'))
  .join('\n');
const isOurs = (text: string): boolean => source.includes(text) || source.includes(text.replaceAll('\\', '\\\\'));

/** Programs and cmdlets of Windows, of Sysinternals and of PowerShell, by what a code begins with. */
const foreign =
  /^(?:\$|@|\(|\[IO\.|foreach |cmd\.exe$|cd$|chcp$|fsutil |icacls |mkdir |mshta |node -e |npm |ping |powercfg |psexec |pwsh |powershell |query |reg |schtasks |shutdown |ssh A@localhost |start |subst |systeminfo$|tasklist |terraform |testlimit64 |tzutil |where$|whoami$|winver$|[A-Z]\w+-[A-Z]\w+)/;
/** Names, keys and answers that are not of Unjam: of Windows, of other programs, and of the files that the page tells to make. */
const names = [
  'A', 'B', 'X:', 'C:\\Tools', 'C:\\Users', 'C:\\ProgramData\\Unjam', 'C:\\Users\\A\\unjam-test', 'C:\\Users\\A\\AppData\\Local\\Unjam',
  'hang.cmd', 'hang.ps1', 'spawn.ps1', 'body.ps1', '"$args"', "it's a b ü", "node docs\\examples\\tentacle.mjs web body.ps1 \"it's\" 'a b' ü", 'a&b 100%.cmd', 'x.bat', 'x.bat.csv', 'grün', '日本', '%', '*.tmp', '"x & y %PATH%"',
  'MsMpEng', 'conhost.exe', 'explorer.exe', 'secpol.msc', 'Executive', 'UserRequest', 'Process.WaitForExit', 'DisableRegistryTools',
  'requireAdministrator', 'ms-settings:notifications', 'ms-settings:colors', 'nt authority\\system', 'Ctrl+Plus', 'Ctrl+Minus', 'Ctrl+0',
  'test.yml', 'package.yml', 'bare-machine.test.ts', 'files.test.ts', 'HKLM\\SOFTWARE\\Unjam', 'koffi.node', 'resources\\app.asar', 'active, as NT AUTHORITY\\SYSTEM',
  'typeof require', 'window.open()', "location = 'https://example.com'", "fetch('file:///C:/')", 'Object.keys(bridge)', 'undefined',
  "['call', 'on']", "[ 'a b', 'c&d', '100%' ]", 'DOMAIN\\name', 'DOMAIN\\user', 'DOMAIN\\B (browser)',
]; // prettier-ignore

describe('docs/windows-checklist.md', () => {
  test('tells only commands that the command line has', () => {
    const lines = inCode(checklist);
    expect(lines.length).toBeGreaterThan(40);
    expect(lines.map((line) => [line, refusal(line)]).filter(([, why]) => why !== null)).toEqual([]);
  });

  test('has in its code our own commands, those of Windows, and names that stand in our source', () => {
    const unknown = [...new Set(codesIn(checklist))].filter(
      (code) => !ours.test(code) && !foreign.test(code) && !names.includes(code) && !code.split('…').every(isOurs),
    );
    expect(unknown).toEqual([]);
    expect(names.filter((name) => !codesIn(checklist).includes(name))).toEqual([]);
  });

  test('quotes what we say as we say it; what others say is listed', () => {
    const others = [
      'handle is invalid', 'Terminate batch job (Y/N)?', 'Cannot find module',
      // Made of parts: "Ctrl-C" and "the console of PID", joined by ", then".
      'Ctrl-C to the console of PID …, then Ctrl-C again to the console of PID …', 'Ctrl-C to the consoles of PIDs …, …',
      'Resume to 1 suspended process, then Ctrl-C', 'WM_CLOSE to 1 window', 'the machine was restarted',
    ]; // prettier-ignore
    const quoted = checklist
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .flatMap((line) => [...line.replace(/`[^`]*`/g, '').matchAll(/"([^"]+)"/g)].map(([, text = '']) => text));
    expect(quoted.length).toBeGreaterThan(20);
    const parts = (text: string): string[] => text.split(/…B?/).map((part) => part.trim().replace(/^\. /, '')).filter(Boolean); // prettier-ignore
    expect(quoted.filter((text) => !others.includes(text) && !parts(text).every(isOurs))).toEqual([]);
  });

  test('names codes of lines that docs/log-lines.md has', () => {
    const codes = [...checklist.matchAll(/\b[WI]\d{3}\b/g)].map(([code]) => code);
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !read('docs', 'log-lines.md').includes(code))).toEqual([]);
  });

  test('and the installer agree on exit codes, and it and the source on the task, the pipe and the record', () => {
    const installer = read('assets', 'installer', 'installer.nsh');
    const given = [...installer.matchAll(/^!define UNJAM_\w+ (1\d)$/gm)].map(([, code]) => code);
    expect(given.toSorted()).toEqual(['10', '11', '12']);
    for (const code of given) expect(checklist).toMatch(new RegExp(`[Ee]xit code ${code}\\b`));
    for (const name of ['\\Unjam\\Host', 'unjam-machine']) expect([name, isOurs(name), checklist.includes(name)]).toEqual([name, true, true]); // prettier-ignore
    expect(installer).toContain('!define UNJAM_RECORD_KEY "SOFTWARE\\Unjam"');
    expect(read('app', 'processes', 'windows', 'machine-record.ts')).toContain("'SOFTWARE\\\\Unjam', 'Host'");
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
