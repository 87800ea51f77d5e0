/** The methods of the contract that observed scripts answer. */
import type { Handlers } from '../contract/dispatcher.ts';
import type { ObservedScripts } from './observed-scripts.ts';

type ObservedMethod =
  | 'agents.list'
  | 'observed.list'
  | 'observed.get'
  | 'observed.why'
  | 'observed.log'
  | 'observed.cancel'
  | 'observed.kill'
  | 'observed.take'
  | 'foreignLocks.list';

export const observedHandlers = (
  observed: ObservedScripts,
  checkReason: (reason: string | undefined) => void,
): Pick<Handlers, ObservedMethod> => ({
  'agents.list': () => observed.agents(),
  'observed.list': () => observed.list(),
  'observed.get': ({ id }) => observed.get(id),
  'observed.why': ({ id }) => observed.why(id),
  'observed.log': (input) => observed.log(input),
  'observed.cancel': (input, actor) => {
    checkReason(input.reason);
    return observed.cancel(input, actor);
  },
  'observed.kill': (input, actor) => {
    checkReason(input.reason);
    return observed.kill(input, actor);
  },
  'observed.take': (input, actor) => observed.take(input, actor),
  'foreignLocks.list': () => observed.locks(),
});
