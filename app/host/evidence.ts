/** What a diagnosis and a bundle of evidence look at on this host. */
import { Evidence } from '../evidence/evidence.ts';
import type { Journal } from '../journal/journal.ts';
import type { ProcessControl } from '../processes/index.ts';
import type { LogReaders } from '../scripts/log-readers.ts';
import type { Supervisor } from '../scripts/supervisor.ts';
import { why, type WhySources } from '../scripts/why.ts';
import { version } from '../version.ts';

/** Unjam's own lines in a log that are told in a bundle: the last of them. */
const timelineMax = 1_000;

export const whySources = (supervisor: Supervisor, control: ProcessControl): WhySources => ({
  control,
  record: (ticket) => supervisor.record(ticket),
  detail: (ticket) => supervisor.get(ticket),
  locks: () => supervisor.locks(),
});

export function openEvidence(
  supervisor: Supervisor,
  { control, journal, logs, isWanted }: {
    readonly control: ProcessControl;
    readonly journal: Journal;
    readonly logs: LogReaders;
    readonly isWanted: () => boolean;
  },
): Evidence {
  const record = (ticket: string) => supervisor.record(ticket);
  return new Evidence({
    control,
    version,
    isWanted,
    record: (ticket) => {
      const of = record(ticket);
      const { spec, started, directory } = of;
      return {
        ticket: spec.ticket,
        name: spec.name,
        runId: spec.runId,
        stage: started === null ? 'waits' : of.isFinal && !of.isOrphan ? 'over' : 'lives',
        folder: directory.path,
        members: () => (of.started === null ? [] : control.tree(of.started.scope)),
        environmentNames: spec.environmentNames,
        agent: null,
      };
    },
    detail: (ticket) => supervisor.get(ticket),
    note: ({ ticket }, actor, line) => supervisor.note(ticket, { type: 'note', about: 'evidence', actor }, line),
    why: (ticket) => why(ticket, whySources(supervisor, control)),
    logLines: async (ticket, count) => (await logs.lines(record(ticket), { ticket, count })).lines,
    unjamLines: async (ticket) =>
      (await logs.lines(record(ticket), { ticket, count: timelineMax, streams: ['unjam'] })).lines,
    journal: (ticket, limit) => journal.list({ ticket, limit }),
  });
} // prettier-ignore
