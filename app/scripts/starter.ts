/** Starts scripts: at most one run per ticket, acknowledged only when a runner has it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { UnjamError } from '../contract/errors.ts';
import type { Parsed } from '../contract/methods.ts';
import * as lines from '../domain/lines.ts';
import { nameKey } from '../domain/names.ts';
import type { Actor } from '../domain/script.ts';
import type { Mutexes } from '../locks/index.ts';
import { home, type ProcessControl } from '../processes/index.ts';
import { diskProblem } from '../run-directory/disk.ts';
import { RunDirectory } from '../run-directory/run-directory.ts';
import { type Accepted, acceptStart } from './accept.ts';
import type { Custody } from './custody.ts';
import { ScriptRecord } from './record.ts';
import type { Register } from './register.ts';
import { nextChange } from './verbs/request.ts';
import { type RunnerCommand, RunnerPool } from './runner-pool.ts';

export interface StarterOptions {
  readonly runsPath: string;
  readonly control: ProcessControl;
  readonly mutexes: Mutexes;
  readonly register: Register;
  readonly custody: Custody;
  readonly runner: RunnerCommand;
  readonly killDisabled: boolean;
  /** How the program of this host was replaced since it started; null when it was not. */
  readonly outdated?: () => string | null;
}

const begunMs = 1_000;

export class Starter {
  readonly #options: StarterOptions;
  readonly #pool: RunnerPool;
  readonly #starting = new Map<string, Promise<ScriptRecord>>();

  constructor(options: StarterOptions) {
    this.#options = options;
    this.#pool = new RunnerPool(options.runner, () => (options.register.tally.runners += 1));
  }

  /** Makes a warm runner. */
  prepare(): void {
    this.#pool.prepare();
  }

  close(): void {
    this.#pool.close();
  }

  /** `key` is a ticket in lower case: its run directory is being made. */
  isStarting(key: string): boolean {
    return this.#starting.has(key);
  }

  /** @throws UnjamError when the input is wrong, or no runner took the script over; nothing runs then. */
  async start(input: Parsed<'scripts.start'>, actor: Actor, asker?: number): Promise<ScriptRecord> {
    const { control, register } = this.#options;
    const accepted = acceptStart(input, actor, {
      platform: control.platform,
      defaultSignal: control.defaultSignal,
      environment: process.env,
      cwd: home(),
      identify: (pid) => control.identify(pid),
      asker,
    });
    const key = nameKey(accepted.spec.ticket);
    const known = register.records.get(key);
    // While it is being started nobody may take it for acknowledged.
    if (known && !this.#starting.has(key)) return acknowledged(known);
    const starting = this.#starting.get(key) ?? this.#launch(key, accepted);
    this.#starting.set(key, starting);
    try {
      const record = await starting;
      await this.#untilBegun(record);
      return record;
    } finally {
      this.#starting.delete(key);
    }
  }

  async #launch(key: string, { spec, environment, surroundings }: Accepted): Promise<ScriptRecord> {
    const { mutexes, register, custody, killDisabled, runsPath } = this.#options;
    const outdated = this.#options.outdated?.() ?? null;
    if (outdated !== null) throw replaced(outdated);
    if (spec.isolation) await mutexes.ready(spec.isolation.mutex); // says at once what its runner could only fail with
    const path = join(runsPath, key);
    const directory = new RunDirectory(path);
    const record = new ScriptRecord(path, spec);
    try {
      forgetHalfMade(directory);
      directory.create();
    } catch (error) {
      throw cannotWrite(path, error as Error);
    }
    const runner = this.#pool.take(); // it loads while the disk works
    try {
      directory.append('host', { type: 'note' });
      await directory.writeSpec(spec);
    } catch (error) {
      runner.giveUp();
      rmSync(path, { recursive: true, force: true }); // the same ticket may be started once there is room
      throw cannotWrite(path, error as Error);
    }
    register.add(record);
    try {
      await runner.start({ runDirectory: path, mutexRoot: mutexes.root, environment, surroundings, killDisabled });
    } catch (error) {
      // A runner that is only slow may still claim it: who is first at runner.json decides.
      if (!custody.claimForNobody(record)) return this.#claimed(record);
      const why = (error as Error).message.replace(/\.$/, '');
      custody.conclude(record, { kind: 'failed-to-start', detail: why }, lines.startFailed(why));
      throw error;
    }
    return this.#claimed(record);
  }

  #claimed(record: ScriptRecord): ScriptRecord {
    const { register } = this.#options;
    register.watch(record);
    register.refresh(record);
    return record;
  }

  /** The answer to a start names the pid, or the place in the queue: it waits the few milliseconds that takes. */
  async #untilBegun(record: ScriptRecord): Promise<void> {
    const { register } = this.#options;
    const deadline = performance.now() + begunMs;
    while (record.state === 'starting' && performance.now() < deadline) {
      // Its own changes only: in a burst every other script's change would make each of them read its files again.
      await nextChange((listener) => register.onChange(() => record.state !== 'starting' && listener()), 50);
      if (record.state === 'starting') register.refresh(record);
    }
  }
}

/** Its runners would be of another version, or could not start. */
const replaced = (how: string): UnjamError =>
  new UnjamError(
    'start-failed',
    `The program of this host is not the one that it started from: ${how}. Nothing was started.`,
    'Let a host of the new version take its place: unjam serve --take-over. Scripts keep running.',
  );

function cannotWrite(path: string, error: Error): UnjamError {
  const { text, next } = diskProblem(error, path);
  return new UnjamError(
    'state-directory',
    `The run directory "${path}" could not be written: ${text}.`,
    `${next.replace(/\.$/, '')}; nothing was started.`,
  );
}

/** A host that died before the spec was written has acknowledged nothing: its ticket is free. */
function forgetHalfMade(directory: RunDirectory): void {
  if (directory.readSpec() === null && directory.readRunner() === null && directory.readStarted() === null)
    rmSync(directory.path, { recursive: true, force: true });
}

/** @throws UnjamError when the host that was asked first died before it could know whether a runner has the script */
function acknowledged(record: ScriptRecord): ScriptRecord {
  if (record.runner !== null || record.isFinal) return record;
  throw new UnjamError(
    'start-failed',
    `The host that was asked to start "${record.spec.ticket}" died at that moment; whether a runner has it is not known yet.`,
    'Ask again in a minute: then it runs, or was never started. Another ticket can be started now.',
    'ticket',
  );
}
