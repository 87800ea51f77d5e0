/** What Tentacle's clients send, in the names of `StartScriptCommandV2` and its kin. */
import { z } from 'zod';
import { Ticket } from '../contract/schemas.ts';
import { parseDuration } from '../domain/durations.ts';
import { bootstrapNames } from './tentacle-workspaces.ts';

/** A .NET TimeSpan, in ms. */
const TimeSpan = z.string().transform((text, context) => {
  const ms = text.includes(':') ? parseDuration(text) : null;
  if (ms !== null) return ms;
  context.addIssue('a TimeSpan such as 00:00:05 is wanted');
  return z.NEVER;
});

const ScriptTicket = z.strictObject({ taskId: Ticket });

const isFileName = (name: string): boolean =>
  /^[^\\/:\0]{1,200}$/.test(name) && name !== '.' && name !== '..' && !bootstrapNames.includes(name.toLowerCase());

export const StartCommand = z.strictObject({
  scriptBody: z.string(),
  isolation: z.union([z.literal(0), z.literal(1)]),
  scriptIsolationMutexTimeout: TimeSpan.default(0),
  isolationMutexName: z.string().nullish(),
  arguments: z.array(z.string()).nullish(),
  taskId: z.string().default(''),
  scriptTicket: ScriptTicket,
  durationToWaitForScriptToFinish: TimeSpan.nullish(),
  durationToWaitForPowerShellToStartup: TimeSpan.nullish(),
  scripts: z.strictObject({ powerShell: z.string().optional(), bash: z.string().optional() }).default({}),
  files: z
    .array(
      z.strictObject({
        name: z.string().refine(isFileName, 'a file name without a folder is wanted'),
        contents: z.base64().transform((text) => Buffer.from(text, 'base64')),
      }),
    )
    .default([]),
});

export const StatusCommand = z.strictObject({ ticket: ScriptTicket, lastLogSequence: z.int().min(0).default(0) });

export const TicketCommand = z.strictObject({ ticket: ScriptTicket, lastLogSequence: z.int().optional() });

/** .NET writes `ScriptBody` and reads it in any case: keys may begin with a capital. */
export function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.charAt(0).toLowerCase() + key.slice(1), camelCased(inner)]),
  );
}
