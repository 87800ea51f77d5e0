/** Checks a call on its way in and out; knows no transport. */
import type { z } from 'zod';
import { UnjamError, wrongField } from './errors.ts';
import { methods, type Method, type Output, type Parsed, type Reply } from './methods.ts';
import type { Role } from '../domain/access.ts';
import type { Actor } from '../domain/script.ts';
import { systemProblem } from '../domain/system-errors.ts';
import { refusalOf } from './roles.ts';

/** Who calls; the transport found it out, the caller did not say it. */
export interface Caller extends Actor {
  readonly role: Role;
  /** Which process it calls from, as the system says: `PID 4242, uid 1001`. Absent where that is not known. */
  readonly from?: string;
  /** The pid in `from`. */
  readonly pid?: number;
  /** Aborted when nobody waits for the answer any more. Absent where that is not known. */
  readonly gone?: AbortSignal;
  /** Of its account, then of its groups, as the system says. Absent where that is not known. */
  readonly ids?: readonly string[];
}

export type Handlers = {
  readonly [M in Method]: (input: Parsed<M>, actor: Actor, caller: Caller) => Promise<Output<M>> | Output<M>;
};

export interface Gate {
  /** Why a caller may not call a method, or null. */
  readonly refusal: (method: Method, caller: Caller) => string | null;
  /** Called when a command has been carried out or refused. */
  readonly audit?: (call: { method: Method; input: unknown; caller: Caller; error: UnjamError | null }) => void;
}

const defaultGate: Gate = {
  refusal: (method, { role }) => refusalOf(method, role, { access: [], viewersReadLogs: true }),
};

export type Dispatch = (method: string, input: unknown, caller: Caller) => Promise<Reply>;

export function createDispatcher(
  handlers: Handlers,
  onBug: (method: string, error: unknown) => void,
  { refusal, audit = () => undefined }: Gate = defaultGate,
): Dispatch {
  return async (method, raw, caller) => {
    const told = (input: unknown, error: UnjamError | null): void => {
      if (isMethod(method) && methods[method].kind === 'command') audit({ method, input, caller, error });
    };
    try {
      if (!isMethod(method))
        throw new UnjamError(
          'unknown-method',
          `There is no method "${method}".`,
          `Use one of: ${Object.keys(methods).join(', ')}.`,
        );
      const refused = refusal(method, caller);
      if (refused !== null)
        throw new UnjamError('forbidden', `${refused} Nothing was done.`, 'Ask one of them, or to be given the role.');
      const parsed = methods[method].input.safeParse(raw ?? {});
      if (!parsed.success) throw inputError(parsed.error);
      const handler = handlers[method] as (input: unknown, actor: Actor, caller: Caller) => unknown;
      const value = await handler(parsed.data, { user: caller.user, via: caller.via }, caller);
      told(parsed.data, null);
      return { ok: true, value: methods[method].output.parse(value) };
    } catch (error) {
      if (error instanceof UnjamError) {
        told(raw, error);
        return { ok: false, error: error.toBody() };
      }
      onBug(method, error);
      const refusedBySystem = systemProblem(error);
      if (refusedBySystem !== null)
        return {
          ok: false,
          error: {
            code: 'system',
            message: `"${method}" could not be done: ${refusedBySystem.text}.`,
            next: refusedBySystem.next,
          },
        };
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
  const { field, why, isUnknown } = wrongField(error.issues);
  return new UnjamError(
    'bad-input',
    isUnknown ? `"${field}" is not a field of this method.` : `"${field}": ${why}.`,
    `Correct "${field}" and call again; GET /openapi.json describes every field.`,
    field,
  );
}
