/** The id of an observed script is made of its first process: stable over restarts of the host, and never given again. */
import type { ProcessIdentity } from './identity.ts';

export const observedId = (root: ProcessIdentity): string => `o-${root.pid}-${root.startTime}`;
export const isObservedId = (text: string): boolean => /^o-\d+-\w+$/.test(text);
