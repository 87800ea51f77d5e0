/** Of what people do beside the verbs: evidence, one process ended, who is on it. */
import type { Actor } from '../script.ts';
import { actorText, line, type Line } from './parts.ts';

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

export const evidenceNotSaved = (verb: string, why: string): Line =>
  line(
    'W262',
    `No evidence was saved before ${verb}: ${why.replace(/\.$/, '')}. ${verb} was carried out all the same.`,
  );
