/**
 * What only the desktop application can do, because it has windows. The page asks through the same bridge as for a
 * method; a host without windows answers `unknown-method`, and the page helps itself.
 */
import { z } from 'zod';
import { Ticket } from './schemas.ts';

export const windowMethods = {
  /** Opens the address `#log/TICKET` in a window of its own, or brings the one that shows it to the front. */
  'window.openLog': { input: z.strictObject({ ticket: Ticket }), output: z.strictObject({}) },
} as const;

export type WindowMethod = keyof typeof windowMethods;
export type WindowInput<M extends WindowMethod> = z.input<(typeof windowMethods)[M]['input']>;
