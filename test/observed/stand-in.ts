/** Agents that cannot be had here: copies of bash under their names, in folders of their shape, on real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObservedView } from '../../app/contract/methods.ts';
import type { World } from '../support/world.ts';

export interface StandIn extends AsyncDisposable {
  /** The carrier: it waits for the script, records its code, and lives on. */
  readonly carrier: ChildProcess;
  /** What the carrier got of its script; null while it still waits. */
  code(): string | null;
}

const guid = '7a1c2a30-3b52-4c7e-9d52-0e6b1f6c2a11';

/** `Runner.Worker` with one step, whose output it reads through a pipe to the end, as the real one does. */
export function runner(world: World, script: string): StandIn {
  const home = join(world.home, 'actions-runner');
  const step = write(join(home, `_work/_temp/${guid}.sh`), script);
  const program = copyOf('bash', join(home, 'bin/Runner.Worker'));
  return carry(world, program, ['-c', waiting(`bash -e '${step}'`, world), 'spawnclient', '1', '2'], {
    GITHUB_REPOSITORY: 'octo/shop',
    GITHUB_JOB: 'deploy',
    GITHUB_TOKEN: 'secret-token',
  });
}

/** `buildkite-agent bootstrap`. */
export function buildkite(world: World, script: string): StandIn {
  const step = write(join(world.home, 'buildkite/step.sh'), script);
  const program = copyOf('bash', join(world.home, 'buildkite/buildkite-agent'));
  const carrier = write(join(world.home, 'bootstrap'), waiting(`bash '${step}'`, world));
  return carry(
    world,
    program,
    ['bootstrap'],
    { BUILDKITE_PIPELINE_SLUG: 'shop', BUILDKITE_BUILD_NUMBER: '5' },
    dirname(carrier),
  );
}

/** Tentacle, its bootstrap script, Calamari, and the script below that. */
export function tentacle(world: World, script: string): StandIn {
  const home = join(world.home, 'Octopus');
  const work = join(home, 'Work/20260115030000-8-1');
  const step = write(join(work, 'Configure.step.sh'), script);
  const calamari = copyOf('bash', join(home, 'Tools/Calamari'));
  const inner = write(join(work, 'calamari-program'), waiting(`bash '${step}'`, world));
  const bootstrap = write(join(work, 'Bootstrap.sh'), `'${calamari}' '${inner}'; exit $?\n`);
  write(
    join(work, 'Output.log'),
    '["stdout","Acquiring isolation mutex RunningScript with FullIsolation in ServerTasks-4711","2026-01-15T03:00:00Z"]\n',
  );
  const program = copyOf('bash', join(home, 'Tentacle'));
  const service = write(join(home, 'run'), `/bin/bash '${bootstrap}'; while :; do sleep 1; done\n`);
  return carry(world, program, ['run', '--instance=web'], { TentacleInstanceName: 'web' }, dirname(service));
}

/**
 * A Pipeline step of Jenkins: the agent, and beside it what the durable-task plugin has launched (BourneShellScript.java).
 * The agent waits for nobody; the carrier writes the code into the folder of the step, which the agent reads.
 */
export function jenkins(world: World, script: string): StandIn {
  const control = join(world.home, 'workspace/deploy-web@tmp/durable-1f2e3d4c');
  write(join(control, 'script.sh.copy'), script);
  const log = `${control}/jenkins-log.txt`;
  const result = `${control}/jenkins-result.txt`;
  const heartbeat = `{ while [ -d '${control}' -a \\! -f '${result}' ]; do touch '${log}'; sleep 3; done } & jsc=durable-1;`;
  const step = `JENKINS_SERVER_COOKIE=$jsc 'sh' -xe  '${control}/script.sh.copy' > '${log}' 2>&1; echo $? > '${result}.tmp';`;
  const launch = `(${heartbeat} ${step} mv '${result}.tmp' '${result}'; wait) >&- 2>&- &`;
  const launcher = write(join(world.home, 'launch'), `nohup sh -c "$LAUNCH"; while :; do sleep 1; done\n`);
  const program = copyOf('bash', join(world.home, 'jenkins/java'));
  const variables = { JOB_NAME: 'deploy-web', BUILD_NUMBER: '93', STAGE_NAME: 'Copy', LAUNCH: launch };
  const standIn = carry(world, program, [launcher, '-jar', '/home/jenkins/agent.jar'], variables);
  return { ...standIn, code: () => read(result) };
}

function carry(
  world: World,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd = world.home,
): StandIn {
  const carrier = spawn(program, args, {
    cwd,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: 'ignore',
    detached: true,
  });
  const gone = new Promise((resolve) => carrier.once('exit', resolve));
  return {
    carrier,
    code: () => read(join(world.home, 'code')),
    async [Symbol.asyncDispose]() {
      if (carrier.pid !== undefined && carrier.exitCode === null) process.kill(-carrier.pid, 'SIGKILL');
      await gone;
    },
  };
}

/** Reads the output of `command` to its end, records the code, and goes on. */
const waiting = (command: string, { home }: World): string =>
  `${command} | while read -r line; do :; done; echo \${PIPESTATUS[0]} > '${join(home, 'code.tmp')}'; mv '${join(home, 'code.tmp')}' '${join(home, 'code')}'; while :; do sleep 1; done`;

const read = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8').trim() : null);

function copyOf(name: string, to: string): string {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(`/bin/${name}`, to);
  return to;
}

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The first list in which a script of that agent is as wanted. */
export async function untilObserved(
  world: World,
  agent: string,
  wanted: (script: ObservedView) => boolean = (s) => s.pid !== null,
): Promise<ObservedView> {
  for (;;) {
    const list = await world.client.call('observed.list', {});
    // Other agents of this machine are none of the test's business.
    const found = list.find((s) => s.agent.key === agent && wanted(s));
    if (found) return found;
    await delay(50);
  }
}

export async function untilCode(standIn: StandIn): Promise<string> {
  for (;;) {
    const code = standIn.code();
    if (code !== null) return code;
    await delay(20);
  }
}
