/**
 * The files of a run directory as they may come from another version, or damaged: each is checked once, here. Unknown
 * keys are kept, because a later version may need them; what is missing makes the file count as torn.
 */
import * as z from 'zod/mini';
import type { RunnerRequest, ScriptEvent } from '../domain/events.ts';
import { survivorReasons } from '../domain/events.ts';
import {
  type AbandonedRecord,
  cancelSignals,
  type ExitRecord,
  isolationLevels,
  type RunnerRecord,
  type ScriptSpec,
  type StartedRecord,
  timeoutKinds,
  type TreeRecord,
  verdictKinds,
  type VerdictRecord,
} from '../domain/script.ts';

/** Null when the value is not what the file should hold. */
export type Parse<T> = (value: unknown) => T | null;

/** `T` is what the rest of the program calls it; the compiler checks that the schema answers at least that. */
const parser =
  <T>(schema: z.ZodMiniType<T>): Parse<T> =>
  (value) => {
    const result = schema.safeParse(value);
    return result.success ? result.data : null;
  };

const text = z.string();
const number = z.number();
const nullable = <S extends z.ZodMiniType>(schema: S) => z.nullable(schema);
const list = <S extends z.ZodMiniType>(schema: S) => z.array(schema);
/** An optional key whose value is never `undefined` on disk. */
const maybe = <S extends z.ZodMiniType>(schema: S) => z.exactOptional(schema);
const schemaOne = z.literal(1);

const identity = z.looseObject({
  machine: text,
  bootId: text,
  pidNamespace: text,
  pid: number,
  startTime: text,
  startedAt: number,
  name: text,
});
const actor = z.looseObject({ user: text, via: z.enum(['cli', 'api', 'window', 'browser', 'unjam']) });
const signal = z.enum(cancelSignals);
const timeout = z.enum(timeoutKinds);
const limitKind = z.enum(['overall', 'no-output']);
const command = z.tuple([text], text);

const scope = z.looseObject({
  root: identity,
  runId: text,
  group: nullable(number),
  job: nullable(text),
  cgroup: maybe(text),
  drain: maybe(identity),
  known: maybe(list(identity)),
});

const verdict = z.looseObject({
  schema: schemaOne,
  kind: z.enum(verdictKinds),
  timeout: nullable(timeout),
  exitCode: nullable(number),
  signal: nullable(text),
  at: number,
  durationMs: nullable(number),
  detail: nullable(text),
  actor: nullable(actor),
});

const spec = z.looseObject({
  schema: schemaOne,
  ticket: text,
  runId: text,
  name: text,
  command,
  file: text,
  cwd: text,
  isolation: nullable(
    z.looseObject({
      level: z.enum(isolationLevels),
      mutex: text,
      timeoutMs: nullable(number),
      inherit: maybe(z.literal(true)),
    }),
  ),
  timeouts: z.looseObject({ overallMs: nullable(number), noOutputMs: nullable(number) }),
  cancel: z.looseObject({ signal, graceMs: number }),
  environmentNames: list(text),
  notify: nullable(list(text)),
  cleanup: nullable(
    z.looseObject({ command, timeoutMs: number, when: maybe(z.enum(['cancel', 'failure', 'always'])) }),
  ),
  ancestors: list(text),
  actor,
  createdAt: number,
});

const survivor = z.looseObject({ process: identity, reason: z.enum(survivorReasons), detail: text });
const exit = z.looseObject({ code: nullable(number), signal: nullable(text), endedAt: number });

const eventBase = { at: number, by: z.enum(['runner', 'host']), code: maybe(text), text: maybe(text) };
const of = <T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) =>
  z.looseObject({ type: z.literal(type), ...eventBase, ...shape });
const evidence = { evidence: list(text) };

const event = z.discriminatedUnion('type', [
  of('queued', { mutex: text }),
  of('waiting', {}),
  of('holder-stuck', { holder: text }),
  of('granted', { mutex: text, fence: number, waitedMs: number }),
  of('started', { pid: number }),
  of('intent', {
    verb: z.enum(['cancel', 'kill', 'timeout']),
    actor,
    until: maybe(number),
    timeout: maybe(limitKind),
    escalate: maybe(z.boolean()),
  }),
  of('cancel', { requestId: text, actor, signal, until: number, escalate: z.boolean(), ...evidence }),
  of('cancel-ignored', { left: list(identity), of: number }),
  of('timeout', { timeout: limitKind, until: number }),
  of('kill', { requestId: nullable(text), actor, count: number, ...evidence }),
  of('kill-progress', { ended: number, of: number }),
  of('unkillable', { survivors: list(survivor), ended: number, of: number }),
  of('refused', { requestId: text, reason: text, withdrawn: maybe(z.literal(true)) }),
  of('exited', { exit }),
  of('abandoned', { actor, reason: nullable(text), ...evidence }),
  of('orphan-ended', {}),
  of('final', { verdict }),
  of('note', {
    gone: maybe(z.looseObject({ how: z.enum(['self', 'cancel', 'kill']), total: number, afterMs: number })),
    cleaned: maybe(z.literal(true)),
    over: maybe(z.literal(true)),
  }),
]);

/** A later version's event still has its line; the rest of it means nothing here. */
const laterEvent = z.looseObject({ type: text, ...eventBase });

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
  z.looseObject({ schema: schemaOne, protocol: number, runner: identity, claimedAt: number }),
);
export const parseStarted = parser<StartedRecord>(
  z.looseObject({ schema: schemaOne, scope, fence: nullable(number), startedAt: number, waitedMs: number }),
);
export const parseExit = parser<ExitRecord>(
  z.looseObject({
    schema: schemaOne,
    ...exit.shape,
    durationMs: number,
    stdoutBytes: number,
    stderrBytes: number,
  }),
);
export const parseVerdict = parser<VerdictRecord>(verdict);
export const parseAbandoned = parser<AbandonedRecord>(
  z.looseObject({
    schema: schemaOne,
    actor,
    reason: nullable(text),
    at: number,
    holdQueue: z.boolean(),
    mutex: nullable(text),
    left: list(identity),
    logBytes: number,
  }),
);
export const parseTree = parser<TreeRecord>(
  z.looseObject({
    schema: schemaOne,
    emptyAt: nullable(number),
    left: list(identity),
    spec: maybe(nullable(spec)),
    verdict: maybe(nullable(verdict)),
  }),
);
export const parseDelivered = parser<{ readonly completionId: string }>(z.looseObject({ completionId: text }));
export const parseRequest = parser<RunnerRequest>(
  z.discriminatedUnion('verb', [
    z.looseObject({
      verb: z.literal('cancel'),
      ...request,
      signal: nullable(signal),
      graceMs: nullable(number),
      escalate: z.boolean(),
    }),
    z.looseObject({ verb: z.literal('kill'), ...request }),
  ]),
);

const parseKnownEvent = parser<ScriptEvent>(event);
const parseLaterEvent = parser(laterEvent);

/** An event of this version; of a later one its line, as a note; null when it is damaged. */
export function parseEvent(value: unknown): ScriptEvent | null {
  const known = parseKnownEvent(value);
  if (known !== null) return known;
  const later = parseLaterEvent(value);
  if (later === null || event.def.options.some((o) => o.shape.type.def.values.includes(later.type as never)))
    return null;
  const { at, by, code, text: said } = later;
  return {
    type: 'note',
    at,
    by,
    ...(code === undefined ? {} : { code }),
    ...(said === undefined ? {} : { text: said }),
  };
}
