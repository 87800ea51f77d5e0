/** Starts scripts through the command line while hosts and callers are killed or frozen; then counts what came of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readHostFile } from '../../app/host/host-files.ts';
import { RunDirectory } from '../../app/run-directory/run-directory.ts';
import { root, type World } from '../support/world.ts';

export interface Tally {
  /** Starts whose ticket was given to a caller. */
  readonly acknowledged: number;
  readonly hostKills: number;
  readonly callerKills: number;
  readonly freezes: number;
  /** Acknowledged tickets whose script never ran. */
  readonly lost: string[];
  /** Tickets whose script ran more than once, whether acknowledged or not. */
  readonly duplicated: string[];
  /** Tickets without a verdict at the end, or with another one than their exit code says. */
  readonly wrong: string[];
  /** Tickets without a completion, or with two that carry different ids. */
  readonly completions: string[];
  /** Completions that were repeated with the same id. */
  readonly repeated: number;
}

interface Options {
  readonly seconds: number;
  readonly callers: number;
  readonly killHostEveryMs: number;
  readonly freezeEveryMs: number;
}

const program = join(root, 'dist/cli.js');
const random = (max: number): number => Math.random() * max;

export async function hostsChaos(world: World, o: Options): Promise<Tally> {
  const end = performance.now() + o.seconds * 1_000;
  const tally = { hostKills: 0, callerKills: 0, freezes: 0 };
  const acknowledged = new Set<string>();
  const asked: string[] = [];

  const caller = async (id: number): Promise<void> => {
    for (let n = 0; performance.now() < end; n += 1) {
      const ticket = `t-${id}-${n}`;
      asked.push(ticket);
      // A caller that was killed or refused asks again with its ticket, as an orchestrator does.
      for (let tries = 0; tries < 3 && performance.now() < end && !acknowledged.has(ticket); tries += 1)
        await ask(ticket, n % 2 === 0 ? `m${n % 4}` : null);
    }
  };

  const ask = async (ticket: string, mutex: string | null): Promise<void> => {
    const script = `echo ${ticket} >> ${world.home}/ran; sleep 0.0$((RANDOM % 9)); exit 3`;
    const notify = `sh ${world.home}/completed.sh`;
    const isolation = mutex === null ? [] : ['--mutex', mutex];
    const options = ['--ticket', ticket, '--notify', notify, ...isolation, '--json'];
    const child = spawn(process.execPath, [program, 'start', ...options, '--', 'bash', '-c', script], {
      env: { ...process.env, UNJAM_HOME: world.home },
      cwd: world.home,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const kill = random(1) < 0.2 ? setTimeout(() => kills(child), random(400)) : null;
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (kill) clearTimeout(kill);
    if (code === 0 && output.includes(ticket)) acknowledged.add(ticket);
  };

  const kills = (child: ChildProcess): void => {
    tally.callerKills += 1;
    child.kill('SIGKILL');
  };

  const hostPid = (): number | null => {
    const host = readHostFile(world.home)?.host;
    return host && world.control.liveness(host) === 'alive' ? host.pid : null;
  };
  const signal = (pid: number, what: NodeJS.Signals): boolean => {
    try {
      return process.kill(pid, what);
    } catch {
      return false;
    }
  };

  const killer = async (): Promise<void> => {
    while (performance.now() < end) {
      await delay(random(2 * o.killHostEveryMs));
      const pid = hostPid();
      if (pid !== null && signal(pid, 'SIGKILL')) tally.hostKills += 1;
    }
  };
  const freezer = async (): Promise<void> => {
    while (performance.now() < end) {
      await delay(random(2 * o.freezeEveryMs));
      const pid = hostPid();
      if (pid === null || !signal(pid, 'SIGSTOP')) continue;
      tally.freezes += 1;
      await delay(random(1_000));
      signal(pid, 'SIGCONT');
    }
  };
  await Promise.all([...Array.from({ length: o.callers }, (_, i) => caller(i)), killer(), freezer()]);

  await settled(world);
  const ran = count(lines(world, 'ran'));
  const told = new Map<string, string[]>();
  for (const line of lines(world, 'completed')) {
    const [ticket = '', id = ''] = line.split(' ');
    told.set(ticket, [...(told.get(ticket) ?? []), id]);
  }
  const known = readdirSync(join(world.home, 'runs')).filter((t) => directoryOf(world, t).readRunner() !== null);
  return {
    ...tally,
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((t) => !ran.has(t)).map((t) => tell(world, t, 0)),
    duplicated: asked.filter((t) => (ran.get(t) ?? 0) > 1),
    wrong: known.flatMap((t) => {
      const verdict = directoryOf(world, t).readVerdict();
      const isRight = ran.has(t) ? verdict?.kind === 'exited' && verdict.exitCode === 3 : verdict?.kind !== 'exited';
      return isRight ? [] : [tell(world, t, ran.get(t) ?? 0)];
    }),
    completions: known.filter((t) => new Set(told.get(t)).size !== 1),
    repeated: [...told.values()].reduce((sum, ids) => sum + ids.length - 1, 0),
  };
}

/** Everything that is known of a script on which something is wrong. */
function tell(world: World, ticket: string, ran: number): string {
  const directory = directoryOf(world, ticket);
  const events = directory.readEvents(0).events.map(({ event }) => JSON.stringify(event));
  const records = [directory.readRunner(), directory.readStarted(), directory.readExit(), directory.readVerdict()];
  return [`${ticket}, which ran ${ran} times`, ...records.map((r) => JSON.stringify(r)), ...events].join('\n');
}

const directoryOf = (world: World, ticket: string): RunDirectory => new RunDirectory(join(world.home, 'runs', ticket));

/** A last host concludes and delivers what is left. A start that no runner has is given up after a minute: not waited for. */
async function settled(world: World): Promise<void> {
  await world.cli('ps');
  const open = (): string[] =>
    readdirSync(join(world.home, 'runs')).filter((t) => {
      const directory = directoryOf(world, t);
      return (
        directory.readRunner() !== null && (directory.readVerdict() === null || directory.readDelivered() === null)
      );
    });
  for (const until = performance.now() + 90_000; open().length > 0 && performance.now() < until;) await delay(100);
}

function lines(world: World, file: string): string[] {
  const path = join(world.home, file);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

function count(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
