/**
 * Two hosts of a fleet, each behind a wire of its own to one engine: their processes are killed and frozen, their wires
 * cut, reset and stalled, the engine is killed, an operator abandons. Then everything must drain.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { abandonInFleet, joinFleet } from '../../app/fleet/admin.ts';
import { FleetStore } from '../../app/fleet/fleet-store.ts';
import { Engine } from '../../app/fleet/postgres.ts';
import { schema } from '../../app/fleet/schema.ts';
import { Postgres } from '../support/postgres.ts';
import { hostOf, hosts, isAgent, mutexName, type Often, planOf, type Trouble } from './fleet-plan.ts';
import { type Counters, judge } from './locks-oracle.ts';
import { Wire } from './wire.ts';

export interface FleetOptions extends Often {
  readonly seed: number;
  readonly seconds: number;
  readonly perHost: number;
  readonly mutexes: number;
  /** Whoever waits longer after the end is lost. */
  readonly drainMs: number;
}

/** How often each trouble came. */
export type Troubles = Record<Trouble['what'], number>;

/** An engine with a fleet and its hosts. */
export async function openEngine(): Promise<Postgres> {
  const postgres = await Postgres.open();
  await postgres.sql(schema);
  for (const host of hosts) await postgres.sql(`create role "${host}" login in role unjam_host`);
  await postgres.sql('create role oncall login in role unjam_operator');
  return postgres;
}

export const socketOf = (postgres: Postgres): string => join(postgres.folder, `.s.PGSQL.${postgres.port}`);

export async function fleetChaos(
  postgres: Postgres,
  o: FleetOptions,
): Promise<Counters & { troubles: Troubles; crashes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'unjam-fleet-chaos-'));
  await using open = new AsyncDisposableStack();
  open.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const log = join(folder, 'log');
  writeFileSync(log, '');
  const say = (line: string): void => appendFileSync(log, `${line}\n`);
  const troubles: Troubles = { kill: 0, freeze: 0, abandon: 0, reset: 0, cut: 0, stall: 0, engine: 0 };

  const wires = new Map<string, Wire>();
  for (const host of hosts) {
    const wire = open.use(await Wire.to(socketOf(postgres)));
    wires.set(host, wire);
    mkdirSync(join(folder, host));
    const address = { host: '127.0.0.1', port: wire.port, database: 'postgres', user: host };
    await joinFleet(join(folder, host), address, '0.1.0');
  }
  const operator = new Engine(
    { host: postgres.folder, port: postgres.port, database: 'postgres', user: 'oncall' },
    'torture',
  );
  open.defer(() => operator.close());
  const stateOf = (mutex: number) => new FleetStore(operator, mutexName(mutex), Date.now).refresh();

  const slots = hosts.length * (o.perHost + 1);
  const living = new Map<number, ChildProcess>();
  const generations = new Map<number, number>();
  let isDraining = false;
  let crashes = 0;
  const start = (slot: number): void => {
    const generation = generations.get(slot) ?? 0;
    generations.set(slot, generation + 1);
    const words = [folder, o.mutexes, o.seed, slot, generation].map(String);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'fleet-participant.ts'), ...words], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin.on('error', () => undefined); // it has been killed
    living.set(slot, child);
    child.on('exit', (code) => {
      living.delete(slot);
      if (code !== null && code !== 0) {
        crashes += 1;
        say(`X ${hostOf(slot)} ${child.pid} has crashed`);
      }
      if (!isDraining) start(slot);
    });
  };
  const endAll = async (): Promise<void> => {
    isDraining = true;
    for (const child of living.values()) child.kill('SIGKILL');
    while (living.size > 0) await delay(10);
  };
  open.defer(endAll);

  let engine: Promise<void> = Promise.resolve();
  const killEngine = async (ms: number): Promise<void> => {
    await postgres.stop('SIGKILL');
    await delay(ms);
    await postgres.start();
  };
  const abandon = async (mutex: number, pick: number): Promise<void> => {
    const { holders, queue } = await stateOf(mutex);
    const entry = [...holders, ...queue].at(pick % Math.max(1, holders.length + queue.length));
    if (entry?.host === undefined) return;
    say(`A ${entry.id}`);
    const { ticket, host } = entry;
    await abandonInFleet(operator, mutexName(mutex), { ticket, host }, { by: { user: 'oncall', via: 'cli' }, reason: 'chaos' }); // prettier-ignore
  };
  const carryOut = async (trouble: Trouble): Promise<void> => {
    troubles[trouble.what] += 1;
    const wire = 'host' in trouble ? wires.get(trouble.host) : undefined;
    const child = 'slot' in trouble ? living.get(trouble.slot) : undefined;
    if (trouble.what !== 'kill' && trouble.what !== 'abandon') say(`X ${JSON.stringify(trouble)}`);
    switch (trouble.what) {
      case 'kill':
        say(`K ${child?.pid ?? 0}`);
        child?.kill('SIGKILL');
        break;
      case 'freeze':
        child?.kill('SIGSTOP');
        await delay(trouble.ms);
        child?.kill('SIGCONT');
        break;
      case 'abandon':
        await abandon(trouble.mutex, trouble.pick).catch(() => undefined); // the engine is away, or it has just ended
        break;
      case 'reset':
        wire?.reset();
        break;
      case 'cut':
        wire?.cut();
        await delay(trouble.ms);
        wire?.mend();
        break;
      case 'stall':
        wire?.stall(trouble.directions);
        await delay(trouble.ms);
        if (trouble.loses) wire?.reset();
        wire?.mend();
        break;
      case 'engine':
        engine = engine.then(() => killEngine(trouble.ms));
        await engine;
        break;
    }
  };
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = performance.now() + o.drainMs; !(await isSo()) && performance.now() < end;) await delay(50);
  };

  for (let slot = 0; slot < slots; slot += 1) start(slot);
  await until(() => readFileSync(log, 'utf8').split('begins').length > slots);
  const began = performance.now();
  const underWay: Promise<void>[] = [];
  for (const trouble of planOf(o.seed, o.seconds, slots, o.mutexes, o)) {
    await delay(Math.max(0, began + trouble.at - performance.now()));
    underWay.push(carryOut(trouble));
  }
  await Promise.all(underWay);

  isDraining = true;
  writeFileSync(join(folder, 'stop'), '');
  const players = (): number[] => [...living.keys()].filter((slot) => !isAgent(slot));
  await until(() => players().length === 0);
  for (const slot of players()) say(`X ${hostOf(slot)} ${living.get(slot)?.pid} does not end`);
  // Its agent takes out who was killed.
  let left: string[] = [];
  await until(async () => {
    const states = await Promise.all(Array.from({ length: o.mutexes }, (_, i) => stateOf(i)));
    left = states.flatMap((s) => [...s.holders, ...s.queue]).map((entry) => entry.id);
    return left.length === 0;
  });
  const stranded = players().length;
  writeFileSync(join(folder, 'stop agents'), '');
  await until(() => living.size === 0);
  const counters = judge(readFileSync(log, 'utf8'));
  return {
    ...counters,
    lostWaiters: counters.lostWaiters + stranded + left.length,
    details: [...counters.details, ...left.map((id) => `${id} is still there at the end`)],
    troubles,
    crashes,
  };
}
