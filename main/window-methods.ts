/** What the page asks of its windows and not of the host: answered here, behind the same door and with a schema as well. */
import type { Caller, Dispatch } from '../app/contract/dispatcher.ts';
import { windowMethods, type WindowMethod, type WindowParsed } from '../app/contract/window.ts';
import type { Reply } from '../app/contract/methods.ts';
import { refuse } from './refuse.ts';

export type WindowHandlers = {
  readonly [M in WindowMethod]: (input: WindowParsed<M>, caller: Caller) => Promise<Reply> | Reply;
};

/** `dispatch` gets every other method. */
export function withWindowMethods(dispatch: Dispatch, handlers: WindowHandlers): Dispatch {
  return async (method, raw, caller) => {
    if (!isWindowMethod(method)) return dispatch(method, raw, caller);
    const parsed = windowMethods[method].input.safeParse(raw ?? {});
    if (!parsed.success)
      return refuse(
        'bad-input',
        `"${method}": ${parsed.error.issues[0]?.message ?? 'invalid'}.`,
        'Reload the console.',
      );
    const handler = handlers[method] as (input: unknown, caller: Caller) => Promise<Reply> | Reply;
    return handler(parsed.data, caller);
  };
}

function isWindowMethod(name: string): name is WindowMethod {
  return Object.hasOwn(windowMethods, name);
}
