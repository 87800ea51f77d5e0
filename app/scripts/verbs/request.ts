/** Hands a request to the runner of a script, and carries it out in its place when the runner is dead or silent. */
import { randomBytes } from 'node:crypto';
import { UnjamError } from '../../contract/errors.ts';
import type { RunnerRequest } from '../../domain/events.ts';
import type { HostLog } from '../../domain/host-log.ts';
import type { ProcessIdentity } from '../../domain/identity.ts';
import type { Actor } from '../../domain/script.ts';
import { limits } from '../../domain/limits.ts';
import * as lines from '../../domain/lines.ts';
import type { Mutex } from '../../locks/index.ts';
import type { ProcessControl } from '../../processes/index.ts';
import { diskProblem } from '../../run-directory/disk.ts';
import type { Reserve } from '../../run-directory/reserve.ts';
import type { Custody } from '../custody.ts';
import type { ScriptRecord } from '../record.ts';
import type { Register } from '../register.ts';

/** What the verbs work with. */
export interface VerbTools {
  readonly control: ProcessControl;
  readonly register: Register;
  readonly custody: Custody;
  readonly reserve: Reserve;
  readonly killDisabled: boolean;
  /** What speaks for and against *stuck* now; kept with every action. */
  readonly evidence: (record: ScriptRecord) => string[];
  readonly mutexOf: (record: ScriptRecord) => Mutex | null;
  readonly log: HostLog;
}

export interface Target {
  readonly version?: number | undefined;
  readonly process?: { readonly pid: number; readonly startTime: string } | undefined;
}

/**
 * Refuses a command that was decided on a view that is no longer true. Answers the root process that the command is
 * about; null while the script has not started.
 * @throws UnjamError `other-process`, `stale-version`
 */
export function checkTarget(record: ScriptRecord, target: Target): ProcessIdentity | null {
  const root = record.started?.scope.root ?? null;
  if (
    target.process &&
    (root === null || root.pid !== target.process.pid || root.startTime !== target.process.startTime)
  )
    throw new UnjamError(
      'other-process',
      `PID ${target.process.pid} with that start time is not the process of "${record.spec.name}"${root ? ` (PID ${root.pid})` : ', which has not started'}. Nothing was done.`,
      'Look at the script again and repeat.',
      'process',
    );
  if (target.version !== undefined && target.version !== record.version)
    throw new UnjamError(
      'stale-version',
      `"${record.spec.name}" has changed since you looked (version ${target.version}, now ${record.version}). Nothing was done.`,
      'Look at it again, then decide.',
      'version',
    );
  return root;
}

/**
 * A person on another host must say what they saw: nobody there can look once more before it is done.
 * @throws UnjamError `bad-input`
 */
export function checkAimed(record: ScriptRecord, target: Target, { via }: Actor): void {
  if (via !== 'fleet') return;
  const missing = target.version === undefined ? 'version' : record.started && !target.process ? 'process' : null;
  if (missing !== null)
    throw new UnjamError(
      'bad-input',
      `"${missing}" is needed for Force Kill and Abandon from another host. Nothing was done.`,
      'Take it from scripts.get of that host.',
      missing,
    );
}

type Body<R> = R extends RunnerRequest ? Omit<R, 'id' | 'at' | 'evidence'> : never;

/** @throws UnjamError `state-directory`, `not-possible`: nothing was done then */
export async function ask(record: ScriptRecord, body: Body<RunnerRequest>, tools: VerbTools): Promise<void> {
  const { register, custody } = tools;
  const at = Date.now();
  const id = `${at.toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`;
  const request = { ...body, evidence: tools.evidence(record), id, at } as RunnerRequest;
  // Then it is about what the script left running, and its runner, should it still be there, looks after nobody.
  const wasFinal = record.isFinal && !record.isOrphan;
  const handed = wasFinal ? 'unanswered' : await handOver(record, request, tools);
  register.refresh(record);
  if (handed === 'answered') return;
  if (!wasFinal && record.isFinal && !record.isOrphan) {
    // It ended while it was asked, and its runner has taken no request any more.
    if (!record.life.answered.includes(id)) refuseTooLate(record, request, register);
  } else if (record.started) custody.handle(record, request);
  else
    throw new UnjamError(
      'not-possible',
      'The runner of this script does not answer, and the script has not started.',
      'Try Abandon, or wait: it is looked at every second.',
    );
  register.refresh(record);
}

function refuseTooLate(record: ScriptRecord, { id, verb }: RunnerRequest, register: Register): void {
  register.append(
    record,
    { type: 'refused', requestId: id, reason: 'the script had already ended' },
    lines.requestTooLate(verb === 'cancel' ? 'Cancel' : 'Force Kill', record.started?.scope.root ?? null),
  );
}

/** `unanswered`: no runner has it, and none will. */
async function handOver(
  record: ScriptRecord,
  request: RunnerRequest,
  { register, custody, reserve }: VerbTools,
): Promise<'answered' | 'unanswered'> {
  const { id } = request;
  const runnerLives = (): boolean => !custody.has(record) && !custody.runnerIsDead(record);
  if (!runnerLives()) return 'unanswered';
  await reserve
    .spend(() => record.directory.request(request))
    .catch((error: Error) => {
      const { text, next } = diskProblem(error, record.directory.path);
      throw new UnjamError(
        'state-directory',
        `The request could not be handed to the runner of "${record.spec.name}": ${text}. Nothing was done.`,
        `${next.replace(/\.$/, '')}, and ask again.`,
      );
    });
  const answered = (): boolean => {
    register.refresh(record);
    return record.life.answered.includes(id);
  };
  const deadline = performance.now() + limits.runnerAnswerMs;
  while (performance.now() < deadline && runnerLives()) {
    if (answered()) return 'answered';
    await nextChange((listener) => register.onChange(listener), 50);
  }
  if (answered()) return 'answered';
  // Taken but not yet answered (a slow disk, a signal that takes its time): the runner acts, not the host.
  return record.directory.withdraw(id) ? 'unanswered' : 'answered';
}

/** Resolves at the next change, or after `atMostMs`. */
export function nextChange(onChange: (listener: () => void) => () => void, atMostMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, atMostMs);
    const stop = onChange(done);
  });
}
