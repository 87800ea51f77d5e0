/** What a host tells a runner, as one JSON line on stdin. The environment travels here and is never written to disk. */
import * as z from 'zod/mini';

const order = z.looseObject({
  runDirectory: z.string(),
  mutexRoot: z.string(),
  environment: z.record(z.string(), z.string()),
  surroundings: z.object({
    umask: z.number(),
    niceness: z.number(),
    stdin: z.nullable(z.object({ path: z.string(), offset: z.number() })),
  }),
  /** UNJAM_DEBUG_DISABLE_KILL of the host: kills are not sent. Tests only. */
  killDisabled: z.boolean(),
});

export type RunnerOrder = z.infer<typeof order>;

/** @throws SyntaxError or ZodError when a host of another version sent something else */
export const parseOrder = (line: string): RunnerOrder => order.parse(JSON.parse(line));
