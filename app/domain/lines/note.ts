/** Of what people do beside the verbs: evidence, one process ended, who is on it. */
import type { Actor } from '../script.ts';
import { clockTime } from '../durations.ts';
import type { ProcessIdentity } from '../identity.ts';
import { actorText, because, line, type Line, processText } from './parts.ts';

export const evidenceSaved = (f: {
  readonly actor: Actor;
  readonly occasion: string | null;
  readonly file: string;
  readonly bytes: number;
  readonly missing: readonly string[];
}): Line =>
  line(
    'I261',
    `Evidence was saved${f.occasion === null ? '' : ` ${f.occasion}`} for ${actorText(f.actor)}: ${f.file}, ${Math.max(1, Math.round(f.bytes / 1024))} KB.`,
    f.missing.length === 0 ? null : `Not in it: ${f.missing.join('; ')}.`,
  );

export const evidenceNotSaved = (what: string, why: string): Line =>
  line('W262', `No evidence was saved before ${what}: ${why.replace(/\.$/, '')}. Nothing waits for it any longer.`);

/** Before the signal is sent. */
export const processEndRequested = (actor: Actor, process: ProcessIdentity, reason: string | null): Line =>
  line(
    'W263',
    `End of one process was requested by ${actorText(actor)}${because(reason)}: ${processText(process)}. The rest of the script keeps running.`,
  );

export const processEnded = (process: ProcessIdentity): Line => line('I264', `${processText(process)} has ended.`);

export const processNotEnded = (process: ProcessIdentity, why: string): Line =>
  line('W265', `${processText(process)} has not ended: ${why}. Next: Force Kill.`);

export const taken = (actor: Actor, until: number): Line =>
  line('I266', `${actorText(actor)} is on it. This is shown until ${clockTime(until)}, or until the script ends.`);

export const givenBack = (actor: Actor): Line => line('I267', `${actorText(actor)} is no longer on it.`);
