/** What is said of the fire drill. */
import { count } from './counts.ts';

export const drillBegun = (name: string, waiting: number): string =>
  `The fire drill has begun: "${name}" blocks ${count(waiting, 'script')}. Free them: Cancel first, then Force Kill; Abandon if that fails.`;
