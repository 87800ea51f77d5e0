/**
 * The lines of docs/recipes, taken from there, launched as the agent launches them, cancelled as it cancels, and read as
 * it reads. Stand-ins for the agents: research is in app/agents/recognisers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { words } from '../../app/cli/script-options.ts';
import { root, World } from '../support/world.ts';
import { untilFile } from '../support/wreck.ts';

interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Recipe {
  readonly file: string;
  /** What is taken from the recipe: the first group. */
  readonly line: RegExp;
  /** Launches `line` in the folder, where deploy.sh lies. */
  readonly launch: (line: string, folder: string) => Launch;
  /** Cancels as the agent does; null: the agent cannot. */
  readonly cancel: ((child: ChildProcess, folder: string) => void) | null;
  /** What the agent takes for the result of a run that exited with 5, and of one that was cancelled. */
  readonly result?: (code: number | null, folder: string) => number | null;
  readonly cancelled?: number | null;
  readonly name: string;
  /** In the job's log when the run was cancelled by asking. */
  readonly said?: string;
}

/** What Octopus exports as a step template, as far as it is used. */
const StepTemplate = z.object({
  Name: z.string().min(1),
  ActionType: z.literal('Octopus.Script'),
  Version: z.int(),
  Properties: z.object({
    'Octopus.Action.Script.ScriptSource': z.literal('Inline'),
    'Octopus.Action.Script.Syntax': z.literal('Bash'),
    'Octopus.Action.Script.ScriptBody': z.string(),
  }),
  Parameters: z.array(
    z.object({
      Id: z.uuid(),
      Name: z.string(),
      DefaultValue: z.string(),
      DisplaySettings: z.object({ 'Octopus.ControlType': z.enum(['SingleLineText', 'MultiLineText']) }),
    }),
  ),
  $Meta: z.object({ Type: z.literal('ActionTemplate') }),
});

const write = (path: string, text: string, mode = 0o644): string => {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const sentTo = (child: ChildProcess, signal: NodeJS.Signals, group = false): void =>
  void process.kill(group ? -(child.pid ?? NaN) : (child.pid ?? NaN), signal);
/** As Tentacle and Azure kill: by parent, the children after their parent, once. */
function killTree(pid: number): void {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);
  process.kill(pid, 'SIGKILL');
  for (const child of children) killTree(child);
}
function parentOf(pid: string): number | null {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]);
  } catch {
    return null; // it has ended
  }
}
/** As Jenkins aborts: every process that carries the cookie. */
function signalCookie(cookie: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`JENKINS_SERVER_COOKIE=${cookie}`))
        process.kill(Number(pid), 'SIGTERM');
    } catch {
      // It has ended.
    }
}

const recipes: readonly Recipe[] = [
  {
    file: 'github-actions.md',
    line: /^ {4}shell: (unjam run .*)$/m,
    // ScriptHandler.cs: the first word is the program, {0} the script, which has no extension.
    launch: (line, folder) => {
      const [program = '', ...args] = words(
        line.replace('{0}', write(join(folder, '7a1c2a30-3b52-4c7e-9d52-0e6b1f6c2a11'), 'bash deploy.sh\n')),
        'shell',
      );
      return {
        program,
        args,
        env: { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'acme/shop', GITHUB_WORKFLOW: 'CD', GITHUB_JOB: 'web', GITHUB_RUN_NUMBER: '17' },
      };
    }, // prettier-ignore
    cancel: (child) => sentTo(child, 'SIGINT'),
    cancelled: 171,
    name: 'acme/shop / CD / web #17',
    said: '::error title=Unjam::unjam: ',
  },
  {
    file: 'azure-pipelines.md',
    line: /^ {2}- script: (unjam run .*)$/m,
    launch: (line, folder) => ({
      program: 'bash',
      args: ['--noprofile', '--norc', write(join(folder, 'azure.sh'), `${line}\n`)],
      env: { TF_BUILD: 'True', SYSTEM_TEAMPROJECT: 'Shop', BUILD_DEFINITIONNAME: 'CD', BUILD_BUILDNUMBER: '7', SYSTEM_TASKDISPLAYNAME: 'Deploy web' },
    }), // prettier-ignore
    cancel: (child) => killTree(child.pid ?? NaN),
    name: 'Shop / CD 7 / Deploy web',
  },
  {
    file: 'buildkite.md',
    line: /^shell="(.*)"$/m,
    launch: (line) => {
      const [program = '', ...args] = words(line, 'shell');
      return {
        program,
        args: [...args, 'bash deploy.sh'],
        env: { BUILDKITE: 'true', BUILDKITE_PIPELINE_SLUG: 'shop', BUILDKITE_BUILD_NUMBER: '9', BUILDKITE_LABEL: 'Deploy' },
      };
    }, // prettier-ignore
    cancel: (child) => sentTo(child, 'SIGTERM', true),
    cancelled: 171,
    name: 'shop #9 Deploy',
    said: '^^^ +++',
  },
  {
    file: 'gitlab.md',
    line: /^```bash\n([^]*?)^```$/m,
    launch: (line, folder) => ({
      program: write(join(folder, 'unjam-gitlab'), line, 0o755),
      args: [write(join(folder, 'stage'), 'bash deploy.sh\n'), 'step_script'],
      env: { CUSTOM_ENV_CI_PROJECT_PATH: 'acme/shop', CUSTOM_ENV_CI_JOB_NAME: 'deploy', BUILD_FAILURE_EXIT_CODE: '2', BUILD_EXIT_CODE_FILE: join(folder, 'code') },
    }), // prettier-ignore
    cancel: (child) => sentTo(child, 'SIGTERM', true),
    result: (code, folder) => (code === 2 ? Number(readFileSync(join(folder, 'code'), 'utf8')) : code),
    cancelled: 171,
    name: 'acme/shop / deploy',
  },
  {
    file: 'jenkins.md',
    line: /^sh '(.*)'$/m,
    // BourneShellScript.java, without its heartbeat.
    launch: (line, folder) => {
      write(join(folder, 'script.sh'), `${line}\n`);
      return {
        program: 'sh',
        args: ['-c', "jsc=durable-0123; JENKINS_SERVER_COOKIE=$jsc sh -xe script.sh > jenkins-log.txt 2>&1; echo $? > jenkins-result.txt"],
        env: { JENKINS_SERVER_COOKIE: 'please-do-not-kill-me', JOB_NAME: 'shop/main', BUILD_NUMBER: '4', STAGE_NAME: 'Deploy' },
      };
    }, // prettier-ignore
    cancel: () => signalCookie('durable-0123'),
    result: (_code, folder) => Number(readFileSync(join(folder, 'jenkins-result.txt'), 'utf8')),
    cancelled: 143,
    name: 'shop/main #4 Deploy',
  },
  {
    file: 'ansible.md',
    line: />-\n {4}([^]*?)```/,
    // A module runs its command without a shell; an async limit kills its group.
    launch: (line) => ({
      program: '/bin/sh',
      args: [
        '-c',
        `python3 -c 'import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))' ${line
          .replace(/\s+/g, ' ')
          .replace('{{ ansible_play_name }}', 'Shop')
          .replace('{{ inventory_hostname }}', 'web1')
          .trim()} && sleep 0`,
      ],
    }),
    cancel: (child) => sentTo(child, 'SIGKILL', true),
    name: 'Shop / web1',
  },
  {
    file: 'cron.md',
    line: /^\*\/5 \* \* \* \* (.*)$/m,
    launch: (line, folder) => ({
      program: '/bin/sh',
      args: ['-c', line.replace('/usr/local/bin/nightly.sh', join(folder, 'deploy.sh'))],
    }),
    cancel: null,
    name: 'nightly',
  },
  {
    file: 'systemd.md',
    line: /^ExecStart=(unjam .*)$/m,
    launch: (line, folder) => {
      const [program = '', ...args] = words(line.replace('%N', 'nightly'), 'ExecStart');
      return { program, args: args.map((word) => (word === '/usr/local/bin/nightly.sh' ? join(folder, 'deploy.sh') : word)) };
    }, // prettier-ignore
    cancel: (child) => sentTo(child, 'SIGTERM'),
    cancelled: 171,
    name: 'nightly',
  },
  {
    file: 'windows-task-scheduler.md',
    line: /-Argument '(.*)'$/m,
    launch: (line, folder) => ({
      program: 'unjam',
      args: words(line.replace(/-- .*$/, `-- bash ${join(folder, 'deploy.sh')}`), 'Argument'),
    }),
    cancel: (child) => sentTo(child, 'SIGKILL'),
    name: 'nightly',
  },
  {
    file: 'octopus.md',
    line: /^```bash\n([^]*?)^```$/m,
    // Tentacle's bash, then Calamari's, which defines the function before it runs the step's script.
    launch: (line, folder) => {
      write(join(folder, 'Script.sh'), `get_octopusvariable() { echo "$1 of 4711"; }\n${line}`);
      return {
        program: '/bin/bash',
        args: [write(join(folder, 'Bootstrap.sh'), 'bash Script.sh; exit $?\n')],
        env: { TentacleHome: folder, TentacleInstanceName: 'Tentacle' },
      };
    },
    cancel: (child) => killTree(child.pid ?? NaN),
    name: 'Octopus.Task.Name of 4711 / Octopus.Action.Name of 4711',
  },
  {
    file: 'octopus-step-template.json',
    line: /^([^]*)$/,
    // The parameters have their defaults.
    launch: (line, folder) => {
      const template = StepTemplate.parse(JSON.parse(line));
      const cases = template.Parameters.map(({ Name, DefaultValue }) => `${Name}) echo '${DefaultValue}';;`);
      const standIn = `get_octopusvariable() { case "$1" in ${cases.join(' ')} *) echo "$1 of 4712";; esac; }`;
      write(join(folder, 'Script.sh'), `${standIn}\n${template.Properties['Octopus.Action.Script.ScriptBody']}`);
      return {
        program: '/bin/bash',
        args: [write(join(folder, 'Bootstrap.sh'), 'bash Script.sh; exit $?\n')],
        env: { TentacleHome: folder, TentacleInstanceName: 'Tentacle' },
      };
    },
    cancel: (child) => killTree(child.pid ?? NaN),
    name: 'Octopus.Task.Name of 4712 / Octopus.Action.Name of 4712',
  },
];

test('every recipe is in the table, and every one says what breaks', () => {
  const files = readdirSync(join(root, 'docs/recipes')).filter((name) => name !== 'README.md');
  expect(recipes.map(({ file }) => file).sort()).toEqual(files.sort());
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(root, 'docs/recipes', file), 'utf8');
    expect([
      file,
      /\*\*What breaks\.\*\*/.test(text),
      /^\*\*(?:Cancel|Abort|Ctrl-C|End|`systemctl)|^`systemctl stop`/m.test(text),
    ]).toEqual([file, true, true]);
    expect(readFileSync(join(root, 'docs/recipes/README.md'), 'utf8')).toContain(`(${file})`);
  }
});

describe.each(recipes)('docs/recipes/$file', ({ file, line, launch, cancel, result, cancelled, name, said }) => {
  function start(world: World): { child: ChildProcess; log: Promise<string>; code: Promise<number | null> } {
    const taken = line.exec(readFileSync(join(root, 'docs/recipes', file), 'utf8'))?.[1];
    if (taken === undefined) throw new Error(`${file} has no such line.`);
    const bin = join(world.home, 'bin');
    mkdirSync(bin, { recursive: true });
    write(join(bin, 'unjam'), `#!/bin/sh\nexec '${process.execPath}' '${world.program}' "$@"\n`, 0o755);
    const { program, args, env } = launch(taken, world.home);
    const child = spawn(program === 'unjam' ? join(bin, 'unjam') : program, args, {
      cwd: world.home,
      // What an agent's own environment is; nothing of this test's.
      env: { HOME: world.home, PATH: `${bin}:/usr/bin:/bin`, UNJAM_HOME: world.home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const streams = Promise.all([child.stdout, child.stderr].map((stream) => buffer(stream)));
    const log = streams.then((all) => all.map(String).join(''));
    return { child, log, code: once(child, 'exit').then(([code]) => code as number | null) };
  }
  const jobs = async (world: World) =>
    (await world.client.call('scripts.list', { all: true })).filter((s) => s.name === name);

  test('the job gets the script’s code and output under the agent’s name; Cancel cancels it', async () => {
    await using world = await World.open();
    write(join(world.home, 'deploy.sh'), '#!/bin/bash\necho deployed\nexit 5\n', 0o755);
    const done = start(world);
    const code = await done.code;
    expect(result ? result(code, world.home) : code).toBe(5);
    const log = `${await done.log}${existsSync(join(world.home, 'jenkins-log.txt')) ? readFileSync(join(world.home, 'jenkins-log.txt'), 'utf8') : ''}`;
    expect(log).toContain('deployed\n');
    expect(await jobs(world)).toMatchObject([{ verdict: 'exited', exitCode: 5 }]);

    write(join(world.home, 'deploy.sh'), '#!/bin/bash\ntouch up\nsleep 3600\n', 0o755);
    const second = start(world);
    await untilFile(join(world.home, 'up'));
    const running = (await jobs(world)).find((s) => s.state !== 'final');
    if (cancel === null) {
      const third = start(world);
      expect(await third.code).toBe(172);
      expect(await third.log).toContain(running?.ticket ?? '?');
      await world.cli('cancel', running?.ticket ?? '');
      expect(await second.code).toBe(171);
      return;
    }
    cancel(second.child, world.home);
    const ended = await second.code;
    if (cancelled !== undefined) expect(result ? result(ended, world.home) : ended).toBe(cancelled);
    expect(await world.untilFinal(running?.ticket ?? '')).toMatchObject({ verdict: 'cancelled' });
    if (said !== undefined) expect(await second.log).toContain(said);
  });
});
