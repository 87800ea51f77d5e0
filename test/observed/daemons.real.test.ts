/**
 * Observed scripts of agents that are daemons of the system, or whose command comes over ssh, on real processes: the
 * script part ends, whoever waits for it reports, and the job beside it goes on to its own end.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ObservedView } from '../../app/contract/methods.ts';
import type { ProcessIdentity } from '../../app/domain/identity.ts';
import { canMount } from '../support/small-disk.ts';
import { World } from '../support/world.ts';
import { Daemons } from './daemons.ts';
import { ansible, ansibleAsync, calamari, gitlab, type Report } from './stand-ins-below-daemons.ts';

/** What each of the four jobs of an agent does. */
const scripts = {
  polite: 'exec "$sleep" 3600',
  deaf: 'trap "" TERM; "$sleep" 3600 & wait; wait; "$sleep" 3600',
  /** Something that keeps its output open has left its tree. */
  daemon:
    '(setsid sh -c \'echo $$ > "$0.tmp"; mv "$0.tmp" "$0"; exec "$1" 3600\' "$0.daemon" "$sleep" &); "$sleep" 3600',
  /** Nobody touches it: it goes on until it is told to. */
  bystander: 'read -r _ < "$0.release"; exit 7',
} as const;
type Kind = keyof typeof scripts;
const kinds = Object.keys(scripts) as Kind[];

interface Agent {
  readonly key: string;
  readonly title: (job: string) => string;
  readonly start: (jobs: Readonly<Record<Kind, string>>, folder: string) => Readonly<Record<Kind, Report>>;
  /** What whoever waits for it reports of a script that Cancel, and one that Force Kill has ended. */
  readonly cancelled: string;
  readonly killed: string;
  /** It waits for the end of the output, whoever keeps that open. */
  readonly readsToTheEnd: boolean;
}

const user = userInfo().username;
let world: World;
let daemons: Daemons;

const each = (start: (job: string, kind: Kind) => Report) => (jobs: Readonly<Record<Kind, string>>) =>
  Object.fromEntries(kinds.map((kind) => [kind, start(jobs[kind], kind)])) as Record<Kind, Report>;

const agents: Record<string, Agent> = {
  cron: {
    key: 'cron',
    title: (job) => `${job} of ${user}`,
    start(jobs) {
      daemons.startCron(Object.values(jobs));
      const mail = (job: string) => () => daemons.mails().some((text) => text.includes(`${job}\n`)) ? 'mailed' : null; // prettier-ignore
      return each(mail)(jobs);
    },
    cancelled: 'mailed',
    killed: 'mailed',
    // Debian's cron keeps the output in a file, and mails it when the first process of the job has ended.
    readsToTheEnd: false,
  },
  sshd: {
    key: 'ssh',
    title: () => `ssh command of ${user}`,
    // With a shell above the script, as every command of more than one word may have it.
    start: each((job) => daemons.ssh(`${job}; exit $?`).code),
    cancelled: '255',
    killed: '255',
    readsToTheEnd: true,
  },
  'Calamari below sshd': {
    key: 'octopus-ssh',
    title: () => 'Octopus deployment over SSH',
    start: each((job) => daemons.ssh(calamari(world.home, job)).code),
    cancelled: '143',
    killed: '137',
    readsToTheEnd: true,
  },
  'the GitLab runner of root': gitlabAs(user),
  'the GitLab runner of a user': gitlabAs(null),
  'Ansible below sshd': {
    key: 'ansible',
    title: () => 'Ansible command',
    start: (jobs, folder) =>
      each((job, kind) => {
        const { output } = daemons.ssh(ansible(join(folder, `${kind}-agent`), job));
        return () => /"rc": (-?\d+)/.exec(output())?.[1] ?? null;
      })(jobs),
    cancelled: '-15',
    killed: '-9',
    readsToTheEnd: false,
  },
  'Ansible’s async jobs': {
    key: 'ansible',
    title: () => 'Ansible command (async j4711)',
    start: (jobs, folder) => each((job, kind) => ansibleAsync(join(folder, `${kind}-agent`), job))(jobs),
    cancelled: '-15',
    killed: '-9',
    readsToTheEnd: false,
  },
};

describe.runIf(canMount)('of', () => {
  beforeAll(async () => {
    world = await World.open();
    daemons = await Daemons.open(folderOf('daemons'));
  }, 180_000);
  afterAll(async () => {
    await endJobs();
    await daemons[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  }, 60_000);

  test.concurrent.each(Object.entries(agents))(
    '%s: Cancel, Force Kill and the end of who keeps the output open reach one script, and each is reported',
    async (about, agent) => {
      const folder = folderOf(about.replaceAll(/\W/g, '-'));
      symlinkSync('/usr/bin/sleep', join(folder, 'sleep'));
      const jobs = Object.fromEntries(kinds.map((kind) => [kind, jobOf(folder, kind)])) as Record<Kind, string>;
      const reports = agent.start(jobs, folder);
      const seen = async (kind: Kind): Promise<Seen> => {
        const script = await untilPid(jobs[kind]);
        const found = await untilSeen(agent.key, script.pid);
        expect(found.name).toBe(agent.title(jobs[kind]));
        return { id: found.id, agent: found.agent.pid, script };
      };
      const [polite, deaf, daemon, bystander] = await Promise.all(kinds.map(seen));
      await Promise.all([
        endPolite(polite!, reports.polite, agent),
        endDeaf(deaf!, reports.deaf, agent),
        endDaemon(daemon!, reports.daemon, agent, `${jobs.daemon}.daemon`),
      ]);
      expect(reports.bystander()).toBeNull();
      expect(world.control.liveness(bystander!.script)).toBe('alive');
      if (bystander!.agent !== null) expect(world.control.identify(bystander!.agent)).not.toBeNull();
      writeFileSync(`${jobs.bystander}.release`, '\n');
      expect(await untilReported(reports.bystander)).toBe(agent.key === 'cron' ? 'mailed' : '7');
    },
  );
});

interface Seen {
  readonly id: string;
  readonly agent: number | null;
  readonly script: ProcessIdentity;
}

async function endPolite({ id, script }: Seen, report: Report, agent: Agent): Promise<void> {
  await world.client.call('observed.cancel', { id });
  expect(await untilReported(report)).toBe(agent.cancelled);
  expect(world.control.liveness(script)).toBe('dead');
}

async function endDeaf({ id, script }: Seen, report: Report, agent: Agent): Promise<void> {
  await world.client.call('observed.cancel', { id, graceMs: 200 });
  await until(id, 'cancel-ignored');
  if (agent.readsToTheEnd) expect(report()).toBeNull();
  await world.client.call('observed.kill', { id });
  // A shell above it may have ended by Cancel.
  expect([agent.killed, agent.cancelled]).toContain(await untilReported(report));
  expect(world.control.liveness(script)).toBe('dead');
}

async function endDaemon({ id, script }: Seen, report: Report, agent: Agent, pidFile: string): Promise<void> {
  const daemon = await untilPid(pidFile, '');
  await world.client.call('observed.cancel', { id });
  if (agent.readsToTheEnd) {
    await until(id, 'carrier-waits');
    const { outputHolders } = await world.client.call('observed.get', { id });
    expect(outputHolders.map((h) => h.pid)).toEqual([daemon.pid]);
    expect(report()).toBeNull();
    await world.client.call('observed.kill', { id, outputHolders: true });
    expect(await untilReported(report)).toBe(agent.cancelled);
  } else {
    expect(await untilReported(report)).toBe(agent.cancelled);
    expect(world.control.liveness(daemon)).toBe('alive');
    world.control.end(daemon);
  }
  while (world.control.liveness(daemon) === 'alive') await delay(10);
  expect(world.control.liveness(script)).toBe('dead');
}

/** `as`: for whom the runner of root starts its jobs; null for a runner that is a user’s own. */
function gitlabAs(as: string | null): Agent {
  return {
    key: 'gitlab',
    title: () => 'infra/net / apply (job 4242)',
    start: (jobs, folder) => each((job, kind) => gitlab(join(folder, `${kind}-agent`), job, as))(jobs),
    cancelled: '143',
    killed: '137',
    readsToTheEnd: true,
  };
}

function folderOf(name: string): string {
  const folder = join(world.home, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** What a failed test has left: every program of the jobs has the folder of this world on its command line. */
async function endJobs(): Promise<void> {
  const left = (): ProcessIdentity[] =>
    world.control.snapshot().flatMap(({ identity, state }) => {
      if (state === 'zombie') return [];
      try {
        return readFileSync(`/proc/${identity.pid}/cmdline`, 'latin1').includes(`${world.home}/`) ? [identity] : [];
      } catch {
        return []; // it has ended
      }
    });
  for (let all = left(); all.length > 0; all = left()) {
    for (const identity of all) world.control.end(identity);
    await delay(10);
  }
}

/** An executable that writes its pid beside itself. */
function jobOf(folder: string, kind: Kind): string {
  const path = join(folder, kind);
  if (kind === 'bystander') execFileSync('mkfifo', [`${path}.release`]);
  const text = `#!/bin/bash\nsleep="\${0%/*}/sleep"\necho copying\necho $$ > "$0.tmp"; mv "$0.tmp" "$0.pid"\n${scripts[kind]}\n`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

async function untilPid(path: string, suffix = '.pid'): Promise<ProcessIdentity> {
  while (!existsSync(path + suffix)) await delay(20);
  return world.control.identify(Number(readFileSync(path + suffix, 'utf8')))!;
}

/** Of the agents of this machine, too, only the one of the test counts: its script stands above that process, or is it. */
async function untilSeen(key: string, pid: number): Promise<ObservedView> {
  for (;;) {
    const list = await world.client.call('observed.list', {});
    const parents = new Map(world.control.snapshot().map((p) => [p.identity.pid, p.parentPid]));
    const line = new Set<number>();
    for (let up: number | undefined = pid; up !== undefined && !line.has(up); up = parents.get(up)) line.add(up);
    const found = list.find((s) => s.agent.key === key && s.pid !== null && line.has(s.pid));
    if (found) return found;
    await delay(250);
  }
}

async function until(id: string, condition: string): Promise<void> {
  for (;;) {
    const list = await world.client.call('observed.list', {});
    if (list.some((s) => s.id === id && s.condition.key === condition)) return;
    await delay(250);
  }
}

async function untilReported(report: Report): Promise<string> {
  for (;;) {
    const found = report();
    if (found !== null) return found;
    await delay(20);
  }
}
