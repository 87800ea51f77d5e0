/**
 * The files of a run directory as they may come from another version, or damaged: each is checked once, here. Unknown
 * keys are kept, because a later version may need them; what is missing makes the file count as torn.
 *
 * With Valibot, where the contract has Zod: a runner loads this at each start, and Zod cost it 20 ms of 190
 * (docs/benchmarks.md).
 */
import * as v from 'valibot';
import type { RunnerRequest, ScriptEvent } from '../domain/events.ts';
import { noteSubjects, survivorReasons } from '../domain/events.ts';
import {
  type AbandonedRecord,
  cancelSignals,
  cleanupTimes,
  type ExitRecord,
  isolationLevels,
  type RunnerRecord,
  type ScriptSpec,
  type StartedRecord,
  limitKinds,
  timeoutKinds,
  type TreeRecord,
  verdictKinds,
  type VerdictRecord,
} from '../domain/script.ts';

/** Null when the value is not what the file should hold. */
export type Parse<T> = (value: unknown) => T | null;

/** `T` is what the rest of the program calls it; the compiler checks that the schema answers at least that. */
const parser =
  <T>(schema: v.GenericSchema<unknown, T>): Parse<T> =>
  (value) => {
    const result = v.safeParse(schema, value);
    return result.success ? result.output : null;
  };

const text = v.string();
const number = v.number();
const nullable = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);
const list = <S extends v.GenericSchema>(schema: S) => v.array(schema);
/** An optional key whose value is never `undefined` on disk. */
const maybe = <S extends v.GenericSchema>(schema: S) => v.exactOptional(schema);
const schemaOne = v.literal(1);

export const identity = v.looseObject({
  machine: text,
  machineId: maybe(text),
  bootId: text,
  pidNamespace: text,
  pid: number,
  startTime: text,
  startedAt: number,
  name: text,
});
export const actor = v.looseObject({
  user: text,
  via: v.picklist(['cli', 'api', 'window', 'browser', 'fleet', 'unjam']),
});
const signal = v.picklist(cancelSignals);
const timeout = v.picklist(timeoutKinds);
const limitKind = v.picklist(limitKinds);
const command = v.tupleWithRest([text], text);

export const scope = v.looseObject({
  root: identity,
  runId: text,
  group: nullable(number),
  job: nullable(text),
  cgroup: maybe(text),
  drain: maybe(identity),
  known: maybe(list(identity)),
});

const verdict = v.looseObject({
  schema: schemaOne,
  kind: v.picklist(verdictKinds),
  timeout: nullable(timeout),
  exitCode: nullable(number),
  signal: nullable(text),
  at: number,
  durationMs: nullable(number),
  detail: nullable(text),
  actor: nullable(actor),
});

const spec = v.looseObject({
  schema: schemaOne,
  ticket: text,
  runId: text,
  name: text,
  command,
  file: text,
  cwd: text,
  isolation: nullable(
    v.looseObject({
      level: v.picklist(isolationLevels),
      mutex: text,
      timeoutMs: nullable(number),
      inherit: maybe(v.literal(true)),
    }),
  ),
  timeouts: v.looseObject({ overallMs: nullable(number), firstOutputMs: maybe(number), noOutputMs: nullable(number) }),
  cancel: v.looseObject({ signal, graceMs: number }),
  environmentNames: list(text),
  maskEnv: maybe(list(text)),
  traceparent: maybe(text),
  notify: nullable(list(text)),
  cleanup: nullable(v.looseObject({ command, timeoutMs: number, when: maybe(v.picklist(cleanupTimes)) })),
  ancestors: list(text),
  caller: maybe(identity),
  startedBy: maybe(identity),
  actor,
  createdAt: number,
});

const hows = ['self', 'cancel', 'kill'] as const;
const survivor = v.looseObject({ process: identity, reason: v.picklist(survivorReasons), detail: text });
const exit = v.looseObject({ code: nullable(number), signal: nullable(text), endedAt: number });

const eventBase = { at: number, by: v.picklist(['runner', 'host']), code: maybe(text), text: maybe(text) };
const of = <T extends string, S extends v.ObjectEntries>(type: T, shape: S) =>
  v.looseObject({ type: v.literal(type), ...eventBase, ...shape });
const evidence = { evidence: list(text) };

const event = v.variant('type', [
  of('queued', { mutex: text }),
  of('waiting', {}),
  of('holder-stuck', { holder: text }),
  of('granted', { mutex: text, fence: number, waitedMs: number }),
  of('started', { pid: number }),
  of('intent', {
    verb: v.picklist(['cancel', 'kill', 'timeout']),
    actor,
    until: maybe(number),
    timeout: maybe(limitKind),
    escalate: maybe(v.boolean()),
  }),
  of('cancel', { requestId: text, actor, signal, until: number, escalate: v.boolean(), ...evidence }),
  of('cancel-ignored', { left: list(identity), of: number }),
  of('timeout', { timeout: limitKind, until: number }),
  of('kill', { requestId: nullable(text), actor, count: number, ...evidence }),
  of('kill-progress', { ended: number, of: number }),
  of('unkillable', { survivors: list(survivor), ended: number, of: number }),
  of('refused', { requestId: text, reason: text, withdrawn: maybe(v.literal(true)) }),
  of('exited', { exit }),
  of('abandoned', { actor, reason: nullable(text), ...evidence }),
  of('orphan-ended', {}),
  of('final', { verdict }),
  of('note', {
    about: maybe(v.picklist(noteSubjects)),
    actor: maybe(actor),
    until: maybe(nullable(number)),
    gone: maybe(v.looseObject({ how: v.picklist(hows), total: number, afterMs: number })),
    cleaning: maybe(v.looseObject({ how: v.picklist(hows), scope })),
    cleaned: maybe(v.literal(true)),
    over: maybe(v.literal(true)),
  }),
]);

/** A later version's event still has its line; the rest of it means nothing here. */
const laterEvent = v.looseObject({ type: text, ...eventBase });

const request = {
  id: text,
  at: number,
  actor,
  reason: nullable(text),
  settleMs: maybe(number),
  evidence: list(text),
};

export const parseSpec = parser<ScriptSpec>(spec);
export const parseRunner = parser<RunnerRecord>(
  v.looseObject({ schema: schemaOne, protocol: number, runner: identity, claimedAt: number }),
);
export const parseStarted = parser<StartedRecord>(
  v.looseObject({ schema: schemaOne, scope, fence: nullable(number), startedAt: number, waitedMs: number }),
);
export const parseExit = parser<ExitRecord>(
  v.looseObject({
    schema: schemaOne,
    ...exit.entries,
    durationMs: number,
    stdoutBytes: number,
    stderrBytes: number,
  }),
);
export const parseVerdict = parser<VerdictRecord>(verdict);
export const parseAbandoned = parser<AbandonedRecord>(
  v.looseObject({
    schema: schemaOne,
    actor,
    reason: nullable(text),
    at: number,
    holdQueue: v.boolean(),
    mutex: nullable(text),
    left: list(identity),
    logBytes: number,
  }),
);
export const parseTree = parser<TreeRecord>(
  v.looseObject({
    schema: schemaOne,
    emptyAt: nullable(number),
    left: list(identity),
    spec: maybe(nullable(spec)),
    verdict: maybe(nullable(verdict)),
  }),
);
export const parseDelivered = parser<{ readonly completionId: string }>(v.looseObject({ completionId: text }));
export const parseRequest = parser<RunnerRequest>(
  v.variant('verb', [
    v.looseObject({
      verb: v.literal('cancel'),
      ...request,
      signal: nullable(signal),
      graceMs: nullable(number),
      escalate: v.boolean(),
    }),
    v.looseObject({ verb: v.literal('kill'), ...request }),
  ]),
);

const parseKnownEvent = parser<ScriptEvent>(event);
const parseLaterEvent = parser(laterEvent);

/** An event of this version; of a later one its line, as a note; null when it is damaged. */
export function parseEvent(value: unknown): ScriptEvent | null {
  const known = parseKnownEvent(value);
  if (known !== null) return known;
  const later = parseLaterEvent(value);
  if (later === null || event.options.some(({ entries }) => entries.type.literal === later.type)) return null;
  const { at, by, code, text: said } = later;
  return {
    type: 'note',
    at,
    by,
    ...(code === undefined ? {} : { code }),
    ...(said === undefined ? {} : { text: said }),
  };
}
