/**
 * Every program that Unjam starts, with what its command line and its environment may contain. A command line can be
 * read by everybody (proc(5)); an environment by whoever runs as the same account.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { root, World } from '../support/world.ts';

/** What in each file of the source can start a program, and what that program is given. */
const sites: Readonly<Record<string, string>> = {
  'app/cli/bin.js spawn': 'Node, with the words of the command line as they are',
  'app/cli/open-browser.ts spawn': 'the opener of the desktop, with the name of a file that holds the address',
  'app/outgoing/command.ts execa':
    'the notify command of a script, the command of an alert, or sendmail with addresses; with the host’s environment and UNJAM_…',
  'app/processes/background.ts spawn': 'a host, with the short list of variables',
  'app/processes/linux/accounts.ts execFile': 'getent, with a table and a name, and no environment',
  'app/processes/linux/launch.ts spawn': 'the gate in front of a command, of a script or of its clean-up',
  'app/processes/linux/launch.ts spawnSync': 'in the gate of Node: true and prlimit, with no environment',
  'app/processes/linux/native-stack.ts spawn': 'a debugger, with a pid; PATH and HOME of the host',
  'app/processes/linux/output.ts spawn': 'the pipes of a script’s output, with the paths of its files',
  'app/processes/linux/presence.ts spawnSync': 'mkfifo, with a path of the state directory',
  'app/processes/service.ts execFile': 'systemctl or schtasks, with the name of the service and the path of its file',
  'app/processes/surroundings.ts spawn': 'a relay of standard input, with the path of a pipe',
  'app/processes/windows/console-signal.ts spawn': 'the helper of a runner, with pids',
  'app/processes/windows/create-process.ts CreateProcessW': 'the command of a script, or a host; with its environment',
  'app/processes/windows/start-through-wmi.ts spawnSync': 'PowerShell, with a fixed program; what it starts comes on stdin',
  'app/scripts/runner-pool.ts execa': 'a runner, with a short list of variables; its order comes on stdin',
  'main/electron-download.ts spawnSync': 'a checkout only: Electron’s own installer',
  'main/start.ts spawn': 'a checkout only: Electron or the command line',
  'main/start.ts spawnSync': 'a checkout only: npm run build',
}; // prettier-ignore

test('everything in the source that can start a program is known', () => {
  const imports =
    /(?:import|const) \{([^}]*)\}\s*(?:from|= require\(|= await import\()\s*'(?:node:child_process|execa)'/g;
  const found = new Set<string>();
  for (const folder of ['app', 'main'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|js|cjs)$/.test(name)) continue;
      const path = `${folder}/${name.replaceAll('\\', '/')}`;
      const text = readFileSync(join(root, path), 'utf8');
      const names = [...text.matchAll(imports)].flatMap(([, list = '']) => list.split(',').map((one) => one.trim()));
      const native = [...text.matchAll(/'(CreateProcess\w*|ShellExecute\w*|WinExec)'/g)].map(([, one = '']) => one);
      for (const one of [...names, ...native]) if (!/^type |^$/.test(one)) found.add(`${path} ${one}`);
      // Any other way to get at these modules would not be found above.
      const uses = text.match(/'(?:node:child_process|execa)'/g)?.length ?? 0;
      const known =
        [...text.matchAll(imports)].length +
        (text.match(/import type [^;]*child_process|await import\('execa'\);/g)?.length ?? 0);
      if (uses > known) found.add(`${path}: ${uses - known} more`);
    }
  expect([...found].toSorted()).toEqual(Object.keys(sites).toSorted());
});

interface Started {
  readonly words: readonly string[];
  readonly environment: readonly string[];
}

/** What the kernel was asked to run, of every process: strace(1) writes a file for each. */
function startedPrograms(folder: string): Started[] {
  const texts = (list: string): string[] =>
    [...list.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
      text.replace(/\\(n|t|"|\\)/g, (_all, c: string) => ({ n: '\n', t: '\t' })[c] ?? c),
    );
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'latin1').split('\n'))
    .flatMap((line) => {
      const [, words, environment] = /^execve\("(?:[^"\\]|\\.)*", \[(.*)\], \[(.*)\](?: \/\*.*\*\/)?\) = 0$/.exec(line) ?? []; // prettier-ignore
      return words === undefined ? [] : [{ words: texts(words), environment: texts(environment ?? '') }];
    });
}

const node = process.execPath;
const short = ['HOME', 'LANG', 'PATH', 'TMPDIR', 'UNJAM_RUN'];
const ofHost = ['LANGUAGE', 'LC_\\w+', 'LOGNAME', 'SHELL', 'TZ', 'UNJAM_HOME', 'USER', 'XDG_RUNTIME_DIR', ...short];
const ofShell = ['PWD', 'OLDPWD', 'SHLVL', '_'];
const completion = [
  'COMPLETION_ID',
  'EXIT_CODE',
  'LAST_OUTPUT',
  'NAME',
  'RESULT_CODE',
  'SIGNAL',
  'TICKET',
  'VERDICT',
].map((name) => `UNJAM_${name}`);

const alert = ['ID', 'INCIDENT', 'PHASE', 'KIND', 'TITLE', 'TEXT'].map((name) => `UNJAM_ALERT_${name}`);

/** Which words, and which variables; null: those that the caller gave to the script, and no others of Unjam's. */
const outgoing: readonly (readonly [words: RegExp, environment: readonly string[] | null])[] = [
  [/^\S+node \S+dist\/cli\.js start --ticket traced -- true$/, null],
  [/^\S+node \S+dist\/cli\.js serve --background$/, ofHost],
  [/^\S+node \S+dist\/runner\.cjs$/, short],
  [/^mkfifo -m 600 \S+\/places\/[\w-]+$/, ['PATH']],
  [/^\/bin\/sh -c \{ ulimit [^]* unjam \S+node \S+dist\/cli\.js serve --background$/, ofHost],
  [/^\/usr\/bin\/env --default-signal \/bin\/true$/, []],
  [/^\/bin\/true$/, []],
  [/^\/usr\/bin\/prlimit --pid \d+( --\w+=\w+:\w+)+$/, []],
  [/^\/bin\/sh -c trap [^]* unjam-output$/, short],
  [/^chmod 622 \/proc\/self\/fd\/6 \/proc\/self\/fd\/7$/, [...short, ...ofShell]],
  [/^(cat|sleep \.1)$/, [...short, ...ofShell]],
  [/^\/bin\/sh -c read -r unjam_gate [^]* unjam \S+\/(true|sh -c echo up; exec sleep 3600|touch \S+\/cleaned)$/, null],
  [/^\S+ --no-warnings -e \/\/ unjam\n[^]*$/, ['UNJAM_RUN']],
  [/^\/usr\/bin\/env --default-signal \S+\/(sh -c echo up; exec sleep 3600|touch \S+\/cleaned)$/, null],
  [/^(\S+\/true|\S+\/sh -c echo up; exec sleep 3600|sleep 3600)$/, null],
  [/^\S+\/touch \S+\/cleaned$/, null],
  [/^\S+\/touch \S+\/told$/, [...ofHost, ...completion]],
  [/^touch \S+\/alerted$/, [...ofHost, ...alert, 'UNJAM_TICKET', 'UNJAM_NAME', 'UNJAM_MUTEX']],
];

const value = 'hunter2-in-the-environment';

test.skipIf(!existsSync('/usr/bin/strace'))(
  'what is really started has the words and the variables that are listed, and no value of a variable among the words (strace)',
  async () => {
    await using world = await World.empty();
    const folder = mkdtempSync(join(tmpdir(), 'unjam-outgoing-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'seen'));
    const trace = ['-ff', '-I', '2', '--seccomp-bpf', '-qq', '-e', 'trace=execve', '-v', '-s', '100000', '-o', join(folder, 'seen', 'p')]; // prettier-ignore
    const start = [node, world.program, 'start', '--ticket', 'traced', '--', 'true'];
    const traced = spawn('/usr/bin/strace', [...trace, ...start], {
      env: { PATH: process.env['PATH'], HOME: '/root', LANG: 'C.UTF-8', UNJAM_HOME: world.home, DB_PASSWORD: value },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(traced, 'exit');
    await once(traced.stdout, 'data'); // the ticket, from a host that it has started
    world.connect();
    await world.untilFinal('traced');
    for (const [ticket, name] of [['plain', 'DB_PASSWORD'], ['dotted', 'db.password']] as const) {
      await world.client.call('scripts.start', {
        ticket,
        command: ['sh', '-c', 'echo up; exec sleep 3600'],
        cwd: '/',
        environment: { PATH: process.env['PATH'] ?? '', [name]: value },
        cleanup: { command: ['touch', join(folder, 'cleaned')], timeoutMs: 60_000 },
        notify: ['touch', join(folder, 'told')],
      });
      await world.untilLogged(ticket, 'up');
      await world.client.call('scripts.cancel', { ticket });
    } // prettier-ignore
    for (const ticket of ['plain', 'dotted'])
      await expect.poll(() => existsSync(join(world.home, 'runs', ticket, 'delivered.json')), { timeout: 60_000 }).toBe(true); // prettier-ignore
    const alerts = [{ to: 'command' as const, name: 'ops', command: ['touch', join(folder, 'alerted')] }];
    await world.client.call('settings.set', { values: { alerts } });
    const tested = await world.client.call('alerts.test', {});
    expect(tested).toEqual({ outcomes: [{ target: 'ops', failure: null }] });
    traced.kill(); // it lets go of all that was started
    await gone;

    const seen = startedPrograms(join(folder, 'seen'));
    const unlisted = seen.flatMap(({ words, environment }) => {
      const line = words.join(' ');
      const entry = outgoing.find(([pattern]) => pattern.test(line));
      if (entry === undefined) return [`not listed: ${line}`];
      const [, names] = entry;
      const strange = environment
        .map((variable) => variable.split('=', 1)[0] ?? '')
        .filter((name) => names !== null && !names.some((known) => new RegExp(`^${known}$`).test(name)));
      return [
        ...strange.map((name) => `${name} for: ${line}`),
        ...(line.includes(value) ? [`the value among the words: ${line}`] : []),
        ...(names !== null && environment.join('\n').includes(value) ? [`the value for: ${line}`] : []),
      ];
    });
    expect(unlisted).toEqual([]);
    const lines = seen.map(({ words }) => words.join(' '));
    for (const expected of ['runner.cjs', '// unjam\n', 'unjam_gate', 'unjam-output', '/cleaned', '/told', '/alerted'])
      expect(lines.filter((line) => line.includes(expected)).length, expected).toBeGreaterThan(0);
  },
);
