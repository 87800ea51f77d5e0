/**
 * `npm test`: installs what the tests need where it may, builds, checks, runs every test and ends with one line
 * `N passed, N failed, N skipped`. A static check counts as one test. `npm test -- unit real` runs only those.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
    }[];
  }[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const skips: string[] = [];

/** Projects that may share the machine run together; those that measure or start many processes run alone. */
const groups = [['unit', 'property'], ['real'], ['browser'], ['windows'], ['packaged'], ['torture']];

const checks: readonly (readonly [string, string])[] = [
  ['types of app', 'tsc -p tsconfig.node.json'],
  ['types of main', 'tsc -p tsconfig.main.json'],
  ['types of tests', 'tsc -p tsconfig.test.json'],
  ['types of renderer', 'svelte-check --tsconfig tsconfig.renderer.json --output human'],
  ['lint', 'eslint .'],
  ['format', 'prettier --check --log-level warn .'],
  ['layers', 'depcruise --config .dependency-cruiser.cjs --output-type err app main renderer'],
  ['unused code', 'knip'],
];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(0)} s`;
}

function run(command: string): { ok: boolean; output: string } {
  const result = spawnSync(command, {
    cwd: root,
    shell: true,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { ok: result.status === 0, output: `${result.stdout}${result.stderr}` };
}

/** What the tests run beside npm's packages: the file that shows it, and Debian's package. */
const tools: readonly (readonly [string, string, string])[] = [
  ['/usr/bin/chromium', 'chromium', 'the browser specs'],
  ['/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 'fonts-dejavu-core', 'screenshots'],
  ['/usr/bin/osslsigncode', 'osslsigncode', 'the packaging tests'],
  ['/usr/bin/makensis', 'nsis', 'the installer test'],
];

/** Installs what is missing where that is possible without asking, else names it. */
function prepare(): void {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) return;
  const missing = tools.filter(
    ([file]) => !existsSync(file) && !(file === '/usr/bin/chromium' && process.env['CHROMIUM']),
  );
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name).join(' ');
  if (process.getuid?.() !== 0) {
    say(`Missing for ${missing.map(([, , what]) => what).join(', ')}: run "apt-get install ${packages}" as root.`);
    return;
  }
  say(`Installing ${packages} …`);
  const installed = run(
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages}`,
  );
  if (!installed.ok) say(`They could not be installed:\n${installed.output.slice(-2_000)}`);
}

function check(name: string, command: string): void {
  const began = performance.now();
  const { ok, output } = run(command);
  say(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds(began)})`);
  if (ok) totals.passed += 1;
  else {
    totals.failed += 1;
    failures.push(name);
    say(output);
  }
}

function test(projects: readonly string[]): void {
  const began = performance.now();
  const report = `${root}.cache/vitest-${projects.join('-')}.json`;
  rmSync(report, { force: true });
  const { ok, output } = run(
    `vitest run ${projects.map((p) => `--project ${p}`).join(' ')} --reporter=default --reporter=json --outputFile.json=${report} --passWithNoTests`,
  );
  if (!existsSync(report)) {
    totals.failed += 1;
    failures.push(`${projects.join(', ')}: the test runner ended without a report`);
    say(output);
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  const all = result.testResults.flatMap((f) => f.assertionResults);
  const skipped = all.filter((t) => t.status === 'pending' || t.status === 'skipped' || t.status === 'todo');
  totals.passed += result.numPassedTests;
  totals.failed += result.numFailedTests;
  totals.skipped += skipped.length;
  // A file that fails to load has no test of its own to count.
  const broken = !ok && result.numFailedTests === 0;
  if (broken) totals.failed += 1;
  failures.push(
    ...all.filter((t) => t.status === 'failed').map((t) => t.fullName),
    ...(broken ? [`${projects.join(', ')}: an error outside of any test`] : []),
  );
  skips.push(...skipped.map((t) => t.fullName));
  say(
    `${ok ? 'ok  ' : 'FAIL'} ${projects.join(', ')}: ${result.numPassedTests} passed, ${result.numFailedTests} failed, ${skipped.length} skipped (${seconds(began)})`,
  );
  if (ok) return;
  // Its own account of each failure, with what was expected and what was found.
  const text = stripVTControlCharacters(output);
  say(text.slice(Math.max(0, text.search(/⎯+ (Failed Tests|Failed Suites|Unhandled Errors)/))).slice(0, 20_000));
}

mkdirSync(`${root}.cache`, { recursive: true });
prepare();
if (wanted.length === 0 || !existsSync(`${root}dist/cli.js`)) check('build', 'npm run --silent build');
if (wanted.length === 0) for (const [name, command] of checks) check(name, command);
for (const group of groups) {
  const chosen = wanted.length === 0 ? group : group.filter((p) => wanted.includes(p));
  if (chosen.length > 0) test(chosen);
}
if (skips.length > 0) say(`\nSkipped:\n${skips.map((s) => `  ${s}`).join('\n')}`);
if (failures.length > 0) say(`\nFailed:\n${failures.map((f) => `  ${f}`).join('\n')}`);
say(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;
