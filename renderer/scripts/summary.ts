/** A row of the list as text. Pure. */
import type { ScriptView } from '../contract.ts';
import { visible } from '../words/visible.ts';

export function rowText(view: ScriptView): string {
  return [
    view.condition.label,
    `blocks ${view.blocks}`,
    view.name,
    `PID ${view.pid ?? 'none'}`,
    view.mutex ?? 'no mutex',
    `ticket ${view.ticket}`,
  ]
    .map(visible)
    .join('\t');
}
