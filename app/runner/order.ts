/** What a host tells a runner, as one JSON line on stdin. The environment travels here and is never written to disk. */
import * as v from 'valibot';
import { resourceNames } from '../domain/resource-limits.ts';

const order = v.looseObject({
  runDirectory: v.string(),
  mutexRoot: v.string(),
  environment: v.record(v.string(), v.string()),
  surroundings: v.object({
    umask: v.number(),
    niceness: v.number(),
    /** Absent from an older host. */
    limits: v.optional(
      v.nullable(
        v.record(v.picklist(resourceNames), v.object({ soft: v.nullable(v.number()), hard: v.nullable(v.number()) })),
      ),
      null,
    ),
    stdin: v.nullable(v.object({ path: v.string(), offset: v.number() })),
  }),
  /** UNJAM_DEBUG_DISABLE_KILL of the host: kills are not sent. Tests only. */
  killDisabled: v.boolean(),
});

export type RunnerOrder = v.InferOutput<typeof order>;

/** @throws SyntaxError or ValiError when a host of another version sent something else */
export const parseOrder = (line: string): RunnerOrder => v.parse(order, JSON.parse(line));
