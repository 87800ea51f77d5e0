/** Checks a call on its way in and out; knows no transport. */
import type { z } from 'zod';
import { UnjamError } from './errors.ts';
import { methods, type Method, type Output, type Parsed, type Reply } from './methods.ts';
import type { Actor } from '../domain/script.ts';

/** Who calls; the transport found it out, the caller did not say it. */
export type Caller = Actor;

export type Handlers = { readonly [M in Method]: (input: Parsed<M>, caller: Caller) => Promise<Output<M>> | Output<M> };

export type Dispatch = (method: string, input: unknown, caller: Caller) => Promise<Reply>;

export function createDispatcher(handlers: Handlers, onBug: (method: string, error: unknown) => void): Dispatch {
  return async (method, raw, caller) => {
    try {
      if (!isMethod(method))
        throw new UnjamError(
          'unknown-method',
          `There is no method "${method}".`,
          `Use one of: ${Object.keys(methods).join(', ')}.`,
        );
      const parsed = methods[method].input.safeParse(raw ?? {});
      if (!parsed.success) throw inputError(parsed.error);
      const handler = handlers[method] as (input: unknown, caller: Caller) => unknown;
      const value = await handler(parsed.data, caller);
      return { ok: true, value: methods[method].output.parse(value) };
    } catch (error) {
      if (error instanceof UnjamError) return { ok: false, error: error.toBody() };
      onBug(method, error);
      return {
        ok: false,
        error: {
          code: 'internal',
          message: `Unjam failed inside "${method}": ${error instanceof Error ? error.message : String(error)}`,
          next: 'Nothing more was done. Look at host.log in the state directory and report this.',
        },
      };
    }
  };
}

export function isMethod(name: string): name is Method {
  return Object.hasOwn(methods, name);
}

function inputError(error: z.ZodError): UnjamError {
  const issue = error.issues[0];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknownKey === undefined ? [] : [unknownKey])];
  const field = path.map(String).join('.') || 'input';
  return new UnjamError(
    'bad-input',
    unknownKey === undefined
      ? `"${field}": ${issue?.message ?? 'invalid'}.`
      : `"${field}" is not a field of this method.`,
    `Correct "${field}" and call again; GET /openapi.json describes every field.`,
    field,
  );
}
