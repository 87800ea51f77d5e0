/**
 * `npm test`: installs what the tests need where it may, builds, checks, runs every test and ends with one line
 * `N passed, N failed, N skipped`. A static check counts as one test. `npm test -- quick` runs types, lint, unit and
 * property tests; `npm test -- real browser` only the projects of these names; `npm test -- test/cli` only these files.
 *
 * Everything but the preparation runs in a view of this machine as a bare one, see test/support/bare-machine.ts.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { bareEnvironment, bareMachine, whyNoBareMachine } from './support/bare-machine.ts';
import type { TestEvent } from './support/live-reporter.ts';
import { installTools, installWine, toolPackages } from './support/prepare.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const began = performance.now();
const isFile = (word: string): boolean => word.includes('/') || word.endsWith('.ts');
const wanted = process.argv.slice(2).filter((word) => !isFile(word));
const files = process.argv.slice(2).filter(isFile);
const isQuick = wanted.includes('quick');
const isWhole = process.argv.length === 2;
const chosen = (project: string): boolean =>
  isWhole ||
  wanted.includes(project) ||
  (wanted.length === 0 && files.length > 0) ||
  (isQuick && (project === 'unit' || project === 'property'));

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const skips: string[] = [];
const durations: [string, number][] = [];
/** What runs now, and since when. */
const running = new Map<string, number>();
const children = new Set<ChildProcess>();

const tsc = (project: string): string => `node node_modules/typescript-7/bin/tsc -p tsconfig.${project}.json`;
const checks: readonly (readonly [name: string, command: string])[] = [
  ['types of app', tsc('node')],
  ['types of main', tsc('main')],
  ['types of tests', tsc('test')],
  ['types of renderer', 'svelte-check --tsconfig tsconfig.renderer.json --output human'],
  ['lint', 'oxlint --type-aware'],
  ['format', 'prettier --check --log-level warn .'],
  ['layers', 'depcruise --config .dependency-cruiser.cjs --output-type err app main renderer'],
  ['unused code', 'knip'],
];

const clock = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;

function say(line: string): void {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  process.stdout.write(`${line}\n`);
}

/** What runs, what has passed, and the clock: rewritten each second on a terminal, elsewhere a line every 30 s. */
function showProgress(): void {
  const now = performance.now();
  const names = [...running].map(([name, since]) => `${name} ${clock(now - since)}`).join(', ');
  const line = `${clock(now - began)}  ${totals.passed} passed, ${totals.failed} failed so far; running ${names}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, (process.stdout.columns || 80) - 1)}`);
  else process.stdout.write(`${line}\n`);
}

/** A group of tests that tells nothing for so long hangs: longer than any test's own limit, see vitest.config.ts. */
const SILENCE_MS = 12 * 60_000;

interface Ended {
  readonly ok: boolean;
  readonly hung: boolean;
  readonly output: string;
  readonly ms: number;
}

/**
 * Runs a command line in the bare view. `onEvent`: what it tells on file descriptor 3; one that tells nothing for
 * `SILENCE_MS` is ended, and its output says which of its processes were left.
 */
async function run(name: string, command: string, onEvent?: (line: string) => void): Promise<Ended> {
  const since = performance.now();
  running.set(name, since);
  const [file, ...args] = bare?.command ?? ['sh', '-c', 'exec "$@"', 'sh'];
  const events = onEvent ? { UNJAM_TEST_EVENTS: '1' } : {};
  const child =
    process.platform === 'win32'
      ? spawn(command, {
          cwd: root,
          shell: true,
          env: { ...env, ...events },
          stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        })
      : spawn(file, [...args, 'sh', '-c', command], {
          cwd: root,
          env: { ...env, ...events },
          stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
          detached: true,
        });
  children.add(child);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  let begun = '';
  let silence: NodeJS.Timeout | undefined;
  let hung = false;
  // Not readline: it ends a line at U+2028 too, which a name may have.
  (child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => {
    const lines = `${begun}${text}`.split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) onEvent?.(line);
    silence?.refresh();
  });
  const code = await new Promise<number | null>((done) => {
    child.on('error', (error) => {
      output += error.message;
      done(null);
    });
    child.on('close', done);
    if (onEvent)
      silence = setTimeout(() => {
        const processes = spawnSync('ps', ['-eo', 'pid,ppid,pgid,stat,wchan:20,etimes,args'], { encoding: 'utf8' });
        say(`${name} has told nothing for ${clock(SILENCE_MS)} and is ended. The processes of this machine:`);
        for (const line of processes.stdout.split('\n')) if (!line.endsWith(']')) say(line.slice(0, 200)); // No kernel threads.
        end(child, 'SIGKILL');
        hung = true;
        done(null); // A process in an uninterruptible wait would keep its pipes open.
      }, SILENCE_MS);
  });
  clearTimeout(silence);
  children.delete(child);
  running.delete(name);
  return { ok: code === 0, hung, output, ms: performance.now() - since };
}

/** Ends a command line with its process group. */
function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (process.platform === 'win32' || child.pid === undefined) child.kill(signal);
  else
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
}

async function check(name: string, command: string): Promise<void> {
  const { ok, output, ms } = await run(name, command);
  say(`${ok ? 'ok  ' : 'FAIL'} ${name} (${clock(ms)})`);
  if (ok) totals.passed += 1;
  else {
    totals.failed += 1;
    failures.push(name);
    say(output);
  }
}

/** Projects that may share the machine run in one go. */
async function test(...projects: string[]): Promise<void> {
  const names = projects.filter(chosen);
  if (names.length === 0) return;
  const group = names.join(', ');
  const own = { passed: 0, failed: 0, skipped: 0, files: 0 };
  let last = 'nothing';
  const { ok, hung, output, ms } = await run(
    group,
    `vitest run ${names.map((name) => `--project ${name}`).join(' ')} ${files.join(' ')} --passWithNoTests`,
    (line) => {
      const event = JSON.parse(line) as TestEvent;
      if (event.kind === 'begin') {
        last = event.name;
        return;
      }
      if (event.kind === 'file') {
        own.files += 1;
        durations.push([event.file, event.ms]);
        return;
      }
      const state = event.kind === 'test' ? event.state : 'failed';
      totals[state] += 1;
      own[state] += 1;
      if (state === 'failed') {
        const where = event.kind === 'test' ? event.name : event.where;
        const errors = event.kind === 'test' ? event.errors : [];
        const why = errors.map((error) => stripVTControlCharacters(error).slice(0, 2_000)).join('\n');
        // Again at the end: who reads only that, or gets only that, knows why.
        failures.push([where, ...(why === '' ? [] : why.split('\n'))].join('\n    '));
        say(`FAIL ${where}\n${why}`); // At once: the run may not come to its end.
      }
      if (event.kind === 'test' && state === 'skipped') skips.push(event.name);
    },
  );
  if (hung || (!ok && own.failed === 0)) {
    totals.failed += 1;
    failures.push(
      `${group}: the test runner ${hung ? 'hung' : 'failed without naming a test'}; the last to begin was ${last}`,
    );
  }
  say(
    `${ok ? 'ok  ' : 'FAIL'} ${group}: ${own.passed} passed, ${own.failed} failed, ${own.skipped} skipped in ${own.files} files (${clock(ms)})`,
  );
  if (ok) return;
  // Its own account of each failure, with what was expected and what was found.
  const text = stripVTControlCharacters(output);
  say(text.slice(Math.max(0, text.search(/⎯+ (Failed Tests|Failed Suites|Unhandled Errors)/))).slice(0, 20_000));
}

mkdirSync(`${root}/.cache`, { recursive: true });
if (!isQuick) installTools(say);
const needsWine = chosen('windows') || chosen('packaged');
const wine = needsWine ? installWine(say) : Promise.resolve();
const whyNot = whyNoBareMachine();
if (whyNot !== null) say(`The tests see this whole machine, not a bare one: ${whyNot}.`);
const browser = process.env['CHROMIUM'];
const bare = whyNot === null ? bareMachine(root, toolPackages, browser ? [browser] : []) : null;
const env: NodeJS.ProcessEnv =
  bare?.env ??
  (process.platform === 'win32'
    ? process.env
    : { ...bareEnvironment(root, process.env), HOME: process.env['HOME'] ?? '/' });
process.on('exit', () => bare?.remove());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    for (const child of children) end(child, 'SIGTERM');
    process.exit(130);
  });
const progress = setInterval(showProgress, process.stdout.isTTY ? 1_000 : 30_000);

const build = async (): Promise<void> => {
  if (isWhole || !existsSync(`${root}/dist/cli.js`)) await check('build', 'npm run --silent build');
};
const built = build();

const checked = async (): Promise<void> => {
  if (isWhole || isQuick) for (const [name, command] of checks) await check(name, command);
};

/** Two lanes for two cores: one mostly computes, the other mostly waits for processes to do what they promise. */
await Promise.all([
  (async () => {
    if (isWhole) await checked();
    await built;
    await test('unit', 'property');
    await test('browser');
  })(),
  (async () => {
    await built;
    if (isQuick) await checked();
    await test('real');
    await wine;
    await test('windows');
    await test('packaged');
  })(),
]);
await test('torture');
if (bare && isWhole) {
  const left = bare.leftovers();
  const ok = left.length === 0;
  totals[ok ? 'passed' : 'failed'] += 1;
  say(`${ok ? 'ok  ' : 'FAIL'} nothing of the tests is left in /tmp or the home directory`);
  if (!ok) failures.push(`left in /tmp or the home directory: ${left.join(', ')}`);
}
clearInterval(progress);

durations.sort(([, a], [, b]) => b - a);
writeFileSync(`${root}/.cache/test-durations.json`, `${JSON.stringify(durations, null, 1)}\n`);
if (skips.length > 0) say(`\nSkipped:\n${skips.map((s) => `  ${s}`).join('\n')}`);
if (failures.length > 0) say(`\nFailed:\n${failures.map((f) => `  ${f}`).join('\n')}`);
say(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;
