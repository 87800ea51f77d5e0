/**
 * What a host said, checked: it may be of another version. A field that this version does not know is passed on
 * unread; one that it needs and does not find is an error that names it.
 */
import { z } from 'zod';
import { isMethod } from '../contract/dispatcher.ts';
import { UnjamError, wrongField } from '../contract/errors.ts';
import { events, methods, type EventName, type EventPayload, type Reply } from '../contract/methods.ts';
import { HostInfo } from '../contract/schemas.ts';

const Answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({ code: z.string(), message: z.string(), next: z.string(), field: z.string().optional() }),
  }),
]);

/** Hosts of every version are asked who they are: what an older one does not tell is missing. */
const SomeHostInfo = HostInfo.partial();

/** @throws UnjamError `version-mismatch` when `text` is not an answer to `method` */
export function readAnswer(method: string, text: string): Reply {
  const answer = read(Answer, text, `The answer of the host to "${method}"`);
  if (!answer.ok) return { ok: false, error: UnjamError.from(answer.error).toBody() };
  if (!isMethod(method)) return answer;
  const { kind, output }: { kind: string; output: z.ZodType } = methods[method];
  const what =
    kind === 'command'
      ? `"${method}" was carried out, but the answer of the host`
      : `The answer of the host to "${method}"`;
  return { ok: true, value: check(method === 'host.info' ? SomeHostInfo : output, answer.value, what) };
}

/** The error says why `text` is not such an event. */
export function readEvent<E extends EventName>(event: E, text: string): EventPayload<E> | UnjamError {
  try {
    return read(events[event], text, `An event "${event}" of the host`);
  } catch (error) {
    if (error instanceof UnjamError) return error;
    throw error;
  }
}

function read<S extends z.ZodType>(schema: S, text: string, what: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notUnderstood(`${what} is not JSON.`);
  }
  return check(schema, value, what);
}

function check<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues.find(({ code }) => code !== 'unrecognized_keys');
  if (issue === undefined) return value as z.output<S>; // everything that is needed was found
  const { field, why } = wrongField([issue]);
  throw notUnderstood(`${what} is not what this version understands: "${field}": ${why}.`, field);
}

const notUnderstood = (message: string, field?: string): UnjamError =>
  new UnjamError(
    'version-mismatch',
    message,
    'Let a host of this version take its place with "unjam serve --take-over"; scripts keep running.',
    field,
  );
