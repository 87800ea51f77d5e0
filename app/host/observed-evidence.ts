/** Evidence of what agents started by themselves. Such a script has no run directory: its bundles lie below `observed`. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../contract/methods.ts';
import { observedInFull } from '../domain/observed-row.ts';
import { Evidence } from '../evidence/evidence.ts';
import { type Keep, sweep } from '../evidence/keep.ts';
import type { Journal } from '../journal/journal.ts';
import type { ObservedScripts } from '../observed/observed-scripts.ts';
import type { ProcessControl } from '../processes/index.ts';
import { version } from '../version.ts';

interface Parts {
  readonly control: ProcessControl;
  readonly journal: Journal;
  readonly stateDirectory: string;
  readonly isWanted: () => boolean;
  readonly keep: () => Keep;
  readonly log: (line: string) => void;
}

const placeOf = (stateDirectory: string): string => join(stateDirectory, 'observed');

/** Removes the bundles of observed scripts that are too old, too many or too large. */
export function sweepObserved({ stateDirectory, keep, log }: Pick<Parts, 'stateDirectory' | 'keep' | 'log'>): void {
  try {
    sweep(placeOf(stateDirectory), keep(), Date.now());
  } catch (error) {
    log(`W396 Old bundles of evidence could not be removed: ${(error as Error).message}. It will be tried again.`);
  }
}

export function openObservedEvidence(observed: ObservedScripts, parts: Parts): Evidence {
  const { control, journal, stateDirectory, isWanted } = parts;
  return new Evidence({
    control,
    version,
    isWanted,
    async record(id) {
      const folder = join(placeOf(stateDirectory), id);
      const known = await observed.subject(id).catch((unknown: unknown) => {
        if (existsSync(folder)) return null; // it has ended; what was saved before is still there
        throw unknown;
      });
      const members = known?.members ?? [];
      return {
        ticket: id,
        name: known?.name ?? id,
        runId: id,
        stage: members.length > 0 ? 'lives' : 'over',
        folder,
        members: () => members,
        environmentNames: [],
        agent: known?.agent ?? '',
      };
    },
    detail: async (id) => observedInFull(await observed.get(id)),
    why: (id) => observed.why(id),
    logLines: async (id, count) => (await observed.log({ id })).lines.slice(-count).map(asLogLine),
    unjamLines: () => Promise.resolve([]),
    journal: (id, limit) => journal.list({ ticket: id, limit }),
    makeRoom(folder) {
      sweepObserved(parts);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    },
    note: ({ ticket }, actor, line) => observed.note(ticket, 'evidence', actor, line),
  });
}

type ForeignLine = Awaited<ReturnType<ObservedScripts['log']>>['lines'][number];

const asLogLine = ({ stream, at, text }: ForeignLine, i: number): LogLine => ({
  number: null,
  seq: i,
  stream: stream === 'stderr' ? 'stderr' : 'stdout',
  at,
  sinceMs: null,
  code: null,
  text,
  bytes: Buffer.byteLength(text),
  cut: false,
  finished: true,
});
