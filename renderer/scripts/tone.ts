/** Which colour a state has. Few have one: red for what is stuck, amber for what is blocked by it, purple for what was abandoned. Pure. */
import type { Condition } from '../contract.ts';

export type Tone = 'critical' | 'warning' | 'orphan' | 'done' | 'plain';

export function toneOf({ severity, key }: Condition): Tone {
  if (severity === 'critical' || severity === 'orphan') return severity;
  if (severity === 'neutral') return 'done';
  return key === 'blocked' ? 'warning' : 'plain';
}
